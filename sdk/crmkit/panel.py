"""What an extension shows people: tables with actions, drawn by the console or the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from crmkit.values import Ref

Cell = str | int | float | bool | None | Ref


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a panel; `key` is what its actions are called with, `detail` what stands below it when it is opened.

    `actions` are the names of those that fit this row; None means all of the panel's.
    """

    key: str
    cells: Sequence[Cell]
    detail: Sequence[str] = ()
    actions: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class PanelData:
    """A panel's content at one moment; `actions` maps the action's name to the text of its button.

    `next` is the place behind the last row of a long panel that has more; empty at its end.
    """

    columns: Sequence[str]
    rows: Sequence[Row]
    actions: Mapping[str, str] = field(default_factory=dict)
    summary: str = ""
    next: str = ""


def title_of(text: str, language: str) -> str:
    """A title, or the summary of a command, that is written in both languages, `Дубли / Duplicates`, in one of them."""
    russian, _, english = text.partition(" / ")
    return english if english and language != "ru" else russian


@dataclass(frozen=True, slots=True)
class View:
    """What of a long panel is looked at: the first rows behind the place `after`, or the row `key` alone."""

    after: str = ""
    key: str = ""
