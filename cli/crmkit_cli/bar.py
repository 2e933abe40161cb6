"""The bar of a command that takes long: drawn where somebody looks on, silent in files and scripts."""

from __future__ import annotations

from types import TracebackType
from typing import Self

import click
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Drawn

from crmkit.extension import Progress
from crmkit_cli.screen import console


class Bar:
    """A bar for each step; lines go above it.

    Args:
        is_silent: draw nothing, whoever looks on.
    """

    def __init__(self, *, is_silent: bool = False) -> None:
        self._is_silent = is_silent or not console.is_terminal
        self._drawn: Drawn | None = None
        self._steps: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._drawn is not None:
            self._drawn.stop()

    def show(self, progress: Progress) -> None:
        """Draw how far the step is."""
        if self._is_silent:
            return
        if self._drawn is None:
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
            self._drawn = Drawn(*columns, console=console)
            self._drawn.start()
        if progress.label not in self._steps:
            self._steps[progress.label] = self._drawn.add_task(progress.label, total=progress.total)
        self._drawn.update(self._steps[progress.label], completed=progress.done, total=progress.total)

    def line(self, text: str) -> None:
        """Print a line."""
        if self._drawn is None:
            click.echo(text)
        else:
            self._drawn.console.print(text, markup=False, highlight=False, soft_wrap=True)
