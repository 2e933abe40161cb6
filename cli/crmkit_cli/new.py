"""`crmkit new`: a small service with an extension of your own."""

from __future__ import annotations

import difflib
import keyword
import re
import sys
from importlib.metadata import version
from importlib.resources import as_file, files
from pathlib import Path

import click

from crmkit import registry
from crmkit.errors import ConfigError
from crmkit_cli.language import language, tr

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
LONGEST_NAME = 40


@click.command(
    help=tr(
        "Создать сервис с расширением: папка NAME с приложением, тестами, Dockerfile и README.\n\n"
        "Пример: crmkit new my-app && cd my-app && crmkit dev",
        "Scaffold a service: a folder NAME with the app, its tests, a Dockerfile and a README.\n\n"
        "Example: crmkit new my-app && cd my-app && crmkit dev",
    )
)
@click.argument("name")
@click.option("--vendor", default="amocrm", show_default=True, help=tr("Какая CRM", "Which CRM"))
@click.option("--account", default="acme", show_default=True, help=tr("Имя аккаунта", "The account's name"))
@click.option(
    "--into",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    default=Path(),
    help=tr("В какой папке создать", "The folder to create it in"),
)
def command(name: str, vendor: str, account: str, into: Path) -> None:
    """Write the folder, and nothing outside it."""
    package = _package(name)
    if not re.fullmatch(r"[a-z0-9][a-z0-9_]{0,30}", account):
        raise ConfigError(f"account name {account!r} is not lower-case letters, digits and underscores")
    if vendor not in registry.vendors():
        near = difflib.get_close_matches(vendor, registry.vendors(), n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise ConfigError(
            f"there is no CRM adapter {vendor!r}", remedy=f"Installed: {', '.join(registry.vendors())}.{hint}"
        )
    target = into / name
    if target.exists():
        raise ConfigError(
            tr(f"{target} уже есть", f"{target} exists already"),
            remedy=tr("Выберите другое имя или папку (--into).", "Choose another name, or a folder with --into."),
        )
    _render(name, package, vendor, account, into)
    click.echo(tr(f"Создано: {target}/", f"Created {target}/"))
    click.echo(tr("Дальше:", "Next:"))
    click.echo(f"  cd {target}")
    click.echo(
        tr("  crmkit dev        # сервис и эмулятор CRM", "  crmkit dev        # the service and an emulated CRM")
    )
    click.echo(tr("  pytest            # тесты расширения", "  pytest            # the extension's tests"))


def _package(name: str) -> str:
    """The Python package of a project; refuses what would not be one, or would hide another."""
    if not _NAME.fullmatch(name) or len(name) > LONGEST_NAME:
        raise ConfigError(
            tr(f"имя {name!r} не годится", f"the name {name!r} will not do"),
            remedy=tr(
                f"Строчные латинские слова через дефис, не длиннее {LONGEST_NAME}: my-app.",
                f"Lower-case words with dashes, at most {LONGEST_NAME} letters: my-app.",
            ),
        )
    package = name.replace("-", "_")
    reserved = keyword.iskeyword(package) or package in sys.stdlib_module_names or package.startswith("crmkit")
    if reserved or package in {"app", "tests"}:
        raise ConfigError(
            tr(f"имя {name!r} занято", f"the name {name!r} is taken"),
            remedy=tr("Так называется модуль Python или crmkit; возьмите другое.", "Choose another."),
        )
    return package


def _render(name: str, package: str, vendor: str, account: str, into: Path) -> None:
    # The generator alone: cookiecutter's main door would read and write files in the user's home.
    from cookiecutter.generate import generate_files

    context = {
        "slug": name,
        "package": package,
        "title": name.replace("-", " ").capitalize(),
        "vendor": vendor,
        "account": account,
        "language": language(),
        "crmkit_version": version("crmkit"),
    }
    with as_file(files("crmkit_templates") / "webhook_app") as template:
        generate_files(str(template), {"cookiecutter": context}, output_dir=str(into))
