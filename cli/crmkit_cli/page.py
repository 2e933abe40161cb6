"""Help pages and usage errors in the reader's language: click's own words, which know English alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

import click

from crmkit_cli.language import language, tr

_RUSSIAN: Mapping[str, str] = {
    "Options": "Параметры",
    "Commands": "Команды",
    "Show this message and exit.": "Показать эту справку и выйти.",
    "Show the version and exit.": "Показать версию и выйти.",
    "[default: ": "[по умолчанию: ",
    "[required]": "[обязательно]",
    "Missing argument": "Не указан аргумент",
    "Missing option": "Не указан параметр",
    "No such option": "Нет такого параметра",
    "Invalid value for": "Неверное значение для",
    "Got unexpected extra argument": "Лишний аргумент",
    "requires an argument": "требует значения",
    "Did you mean": "Может быть,",
    "Possible options": "Может быть",
}


class Page(click.HelpFormatter):
    """A help page."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """The line that says how the command is called."""
        super().write_usage(prog, args, prefix or tr("Как вызвать: ", "Usage: "))

    @contextmanager
    def section(self, name: str) -> Iterator[None]:
        """A part of the page under a heading."""
        with super().section(_translated(name)):
            yield

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        """Options or commands with their texts."""
        super().write_dl([(term, _translated(text)) for term, text in rows], col_max, col_spacing)


def print_usage_error(error: click.ClickException) -> None:
    """What is wrong with the words that were typed, and how to type them."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is not None:
        click.echo(context.get_usage(), err=True)
        click.echo(tr(f"Справка: {context.command_path} --help", f"For help: {context.command_path} --help"), err=True)
        click.echo(err=True)
    click.secho(f"{tr('Ошибка', 'Error')}: {_translated(error.format_message())}", fg="red", err=True)


def _translated(text: str) -> str:
    if language() == "en":
        return text
    for english, russian in _RUSSIAN.items():
        text = text.replace(english, russian)
    return text
