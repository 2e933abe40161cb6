"""`crmkit`: finds the command, and turns errors into one clear message."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping
from typing import cast

import click

from crmkit_cli.language import tr
from crmkit_cli.page import Page, print_usage_error

COMMANDS: Mapping[str, tuple[str, str]] = {
    "demo": (
        "Сыграть день отдела продаж на эмуляторах трёх CRM: без аккаунта и интернета",
        "Play a sales day on three emulated CRMs: no account, no internet",
    ),
    "new": ("Создать сервис с расширением: приложение, тесты, Docker", "Scaffold a service: app, tests, Docker"),
    "dev": ("Запустить сервис вместе с эмулятором CRM", "Run the service together with an emulated CRM"),
    "run": ("Запустить сервис: приём вебхуков и обработчики", "Run the service: webhooks in, handlers working"),
    "check": ("Проверить настройки, доступ и возможности CRM", "Check settings, access and what the CRM can do"),
    "sandbox": ("Поднять эмуляторы CRM с веб-страницами", "Start the CRM emulators with their pages"),
    "trigger": ("Вызвать событие на эмуляторе: звонок, сделку", "Make something happen on the emulator"),
    "decode": ("Показать, что говорит тело вебхука", "Show what a webhook body says"),
    "replay": ("Повторить обработку события или упавших запусков", "Run events or failed runs again"),
    "plan": ("Показать и применить план (режим plan)", "Show and apply what plan mode would write"),
    "dedup": ("Найти дубли в файле, проверить импорт", "Find duplicates in a file, check an import"),
    "migrate": ("Создать или обновить базу данных", "Create or upgrade the database"),
    "accounts": ("Показать подключённые аккаунты и их состояние", "Show the accounts and how they are"),
    "ext": ("Команды установленных расширений", "Commands of the installed extensions"),
}
"""Command -> what it does, in Russian and English; the module of the same name holds it."""


class _Lazy(click.Group):
    """Knows the commands by name and loads a module only when its command is called: help must come at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        return cast("click.Command", importlib.import_module(f"crmkit_cli.{cmd_name}").command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section(tr("Команды", "Commands")):
            formatter.write_dl([(name, tr(*summary)) for name, summary in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0] if args else ""
        if name and name not in COMMANDS:
            import difflib

            near = difflib.get_close_matches(name, COMMANDS, n=1)
            hint = tr(f" Может быть, {near[0]}?", f" Did you mean {near[0]}?") if near else ""
            ctx.fail(tr(f"Нет команды «{name}».", f"No such command: {name!r}.") + hint)
        return super().resolve_command(ctx, args)


@click.group(
    cls=_Lazy,
    help=tr(
        "Расширения для amoCRM, Битрикс24 и retailCRM: напишите один раз, запускайте рядом с любой.\n\n"
        "Начните с `crmkit demo`, затем `crmkit new my-app`.",
        "Extensions for amoCRM, Bitrix24 and retailCRM: write once, run beside any of them.\n\n"
        "Start with `crmkit demo`, then `crmkit new my-app`.",
    ),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.option("--lang", type=click.Choice(["ru", "en"]), help=tr("Язык сообщений", "Language of messages"))
@click.option("--debug", is_flag=True, help=tr("Показывать трассировку ошибок", "Show tracebacks of errors"))
@click.version_option(package_name="crmkit")
def crmkit(lang: str | None, debug: bool) -> None:
    """The root of all commands; its options are read before any command's module is loaded."""
    if lang:
        os.environ["CRMKIT_LANG"] = lang
    if debug:
        os.environ["CRMKIT_DEBUG"] = "1"


def main() -> None:
    """Run the command line: exit 0 when done, 1 for a finding or a failure, 2 for wrong usage or settings."""
    # Every command's page is made by click, which asks its context for the formatter.
    click.Context.formatter_class = Page
    try:
        # Without click's own door an `Exit` comes back as a value.
        code = crmkit.main(prog_name="crmkit", standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except click.ClickException as error:
        print_usage_error(error)
        sys.exit(error.exit_code)
    except (click.exceptions.Abort, KeyboardInterrupt):
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:  # noqa: BLE001 -- the last door: a person reads what comes out of it
        sys.exit(_explain(error))


def _explain(error: Exception) -> int:
    """Print one message that names the thing and the remedy; a traceback only when asked for."""
    from crmkit.errors import ConfigError, CrmKitError
    from crmkit_cli.finding import headline

    if os.environ.get("CRMKIT_DEBUG"):
        raise error
    word = tr("Ошибка", "Error")
    if isinstance(error, CrmKitError):
        click.secho(f"{word}: {headline(error)}", fg="red", err=True)
        if error.remedy:
            click.echo(f"  → {error.remedy}", err=True)
        return 2 if isinstance(error, ConfigError) else 1
    if type(error).__module__.startswith("sqlalchemy."):
        click.secho(f"{word}: {_database_fault(error)}", fg="red", err=True)
        return 1
    click.secho(f"{word}: {type(error).__name__}: {error}", fg="red", err=True)
    click.echo(tr("Подробности: crmkit --debug …", "For details: crmkit --debug …"), err=True)
    return 1


def _database_fault(error: Exception) -> str:
    """What the database itself says, without the statement that it did not like."""
    reason = getattr(error, "orig", None) or error
    return tr(
        f"база данных: {reason}. Проверьте, что её не держит другая программа и что на диске есть место, и повторите.",
        f"the database says: {reason}. See that no other program holds it and the disk is not full; then try again.",
    )
