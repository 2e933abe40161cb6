"""`crmkit ext`: the verbs that installed extensions bring."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path

import click

from crmkit.errors import ConfigError
from crmkit.extension import Command, Progress
from crmkit.panel import title_of
from crmkit_cli.bar import Bar
from crmkit_cli.language import language, tr
from crmkit_cli.opening import config_option, open_service
from crmkit_cli.screen import print_json, print_table
from crmkit_runtime import errand
from crmkit_runtime.service import Installed, Service


@click.command(
    context_settings={"ignore_unknown_options": True},
    help=tr(
        "Выполнить команду расширения в одном аккаунте; без аргументов — показать расширения и их команды.\n\n"
        "Пример: crmkit ext call-tasks sweep --account acme\n\n"
        "Слова после команды получает расширение. В режиме plan команда пишет план, а не в CRM.",
        "Run an extension's command in one account; without arguments, list the extensions and their commands.\n\n"
        "Example: crmkit ext call-tasks sweep --account acme\n\n"
        "The words behind the command go to the extension. In plan mode a command writes a plan, not to the CRM.",
    ),
)
@config_option
@click.argument("extension", required=False)
@click.argument("name", metavar="[COMMAND]", required=False)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
@click.option("--account", help=tr("Аккаунт, если их несколько", "The account, when there are several"))
@click.option("--json", "as_json", is_flag=True, help=tr("Строки JSON", "JSON lines"))
def command(
    config_path: Path,
    extension: str | None,
    name: str | None,
    words: Sequence[str],
    account: str | None,
    as_json: bool,
) -> None:
    """Print what the command yields, a line each."""
    with open_service(config_path) as service:
        if extension is None or name is None:
            _list(service.installed if extension is None else [_installed(service, extension)], as_json=as_json)
            return
        installed = _installed(service, extension)
        verb = _verb(installed, name)
        with Bar(is_silent=as_json) as bar:
            for said in errand.do(service, installed, _account(installed, account), verb, words):
                if isinstance(said, Progress):
                    bar.show(said)
                elif as_json:
                    print_json({"line": said})
                else:
                    bar.line(said)


def _list(installed: Sequence[Installed], *, as_json: bool) -> None:
    rows = [(*place, *verb) for one in installed for place in [_place(one)] for verb in _verbs(one)]
    if as_json:
        names = ("extension", "accounts", "mode", "command", "summary")
        for row in rows:
            print_json(dict(zip(names, row, strict=True)))
        return
    columns = [tr("расширение", "extension"), tr("аккаунты", "accounts"), tr("режим", "mode")]
    print_table([*columns, tr("команда", "command"), tr("что делает", "what it does")], rows)


def _place(one: Installed) -> tuple[str, str, str]:
    return one.extension.name, ", ".join(one.accounts), one.mode


def _verbs(one: Installed) -> Sequence[tuple[str | None, str | None]]:
    """Names and summaries; one empty line for an extension without commands."""
    return [(verb.name, title_of(verb.summary, language())) for verb in one.extension.commands] or [(None, None)]


def _installed(service: Service, name: str) -> Installed:
    by_name = {one.extension.name: one for one in service.installed}
    if name not in by_name:
        raise _unknown(tr("расширения", "extension"), name, list(by_name))
    return by_name[name]


def _verb(installed: Installed, name: str) -> Command:
    verbs = {verb.name: verb for verb in installed.extension.commands}
    if name not in verbs:
        raise _unknown(
            tr(f"команды {installed.extension.name}", f"{installed.extension.name} command"), name, list(verbs)
        )
    return verbs[name]


def _unknown(noun: str, name: str, known: Sequence[str]) -> ConfigError:
    near = difflib.get_close_matches(name, known, n=1)
    hint = tr(f" Может быть, {near[0]}?", f" Did you mean {near[0]}?") if near else ""
    listed = ", ".join(known) or tr("ничего", "none")
    return ConfigError(
        tr(f"нет {noun} {name!r}", f"there is no {noun} {name!r}"),
        remedy=tr(f"Есть: {listed}.", f"There is: {listed}.") + hint,
    )


def _account(installed: Installed, key: str | None) -> str:
    if key is None and len(installed.accounts) == 1:
        return installed.accounts[0]
    if key is None:
        listed = ", ".join(installed.accounts)
        raise click.UsageError(tr(f"Назовите аккаунт: --account ({listed})", f"Name the account: --account ({listed})"))
    if key not in installed.accounts:
        raise _unknown(tr("аккаунта", "account"), key, installed.accounts)
    return key
