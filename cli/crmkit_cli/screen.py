"""Printing for people and for scripts: tables, JSON lines, progress."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

WIDE = 160
"""Columns of a table that goes into a file or another program."""

console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)
"""Where tables go; colourless when it is not a terminal."""


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str | None = None) -> None:
    """Print a table."""
    console.print(make_table(columns, rows, title=title))


def make_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str | None = None) -> Table:
    """A table; cells are text, whatever markup they hold."""
    table = Table(title=title, title_justify="left", show_edge=False, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(_cell(value)) for value in row))
    return table


def print_json(record: object) -> None:
    """One JSON line; dataclasses by field."""
    click.echo(json.dumps(record, ensure_ascii=False, default=_jsonable))


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case datetime():
            return value.astimezone().strftime("%d.%m %H:%M:%S")
        case tuple() | list():
            return "; ".join(_cell(item) for item in value)
        case dict():
            return ", ".join(f"{key} {item}" for key, item in value.items())
    return str(value)


def _jsonable(value: Any) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)
