"""Help: every command teaches, in both languages, and the list of them comes at once."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from crmkit_cli.main import COMMANDS

DOCS = Path(__file__).parents[2] / "docs" / "cli.md"
ALL_HELP = """
import json, sys
import click
from crmkit_cli.main import COMMANDS, crmkit
from crmkit_cli.page import Page
click.Context.formatter_class = Page
context = click.Context(crmkit, info_name="crmkit")
pages, bare = {"": crmkit.get_help(context)}, []
for name in COMMANDS:
    command = crmkit.get_command(context, name)
    pages[name] = command.get_help(click.Context(command, info_name=name, parent=context))
    options = [one for one in command.params if isinstance(one, click.Option)]
    bare += [f"{name} {one.opts[0]}" for one in options if not one.help]
json.dump({**pages, "bare": bare}, sys.stdout)
"""


@cache
def pages(language: str) -> dict[str, Any]:
    """The help of every command, as a process in that language prints it."""
    done = subprocess.run(
        [sys.executable, "-c", ALL_HELP, "--lang", language], capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help_speaks_russian_and_english(name: str) -> None:
    """Each command has a text in Russian, and one in English without a Cyrillic letter."""
    russian, english = pages("ru")[name], pages("en")[name]
    assert re.search("[а-яё]", russian)
    assert re.findall("Usage|Options|Commands|Show this|default:|required", russian) == []
    assert re.findall("[А-Яа-яЁё]+", english) == []


def test_every_option_is_explained() -> None:
    """No option goes without a text."""
    assert pages("en")["bare"] == []


def test_the_list_of_commands_loads_none_of_them() -> None:
    """`crmkit --help` must come at once: neither database nor web server nor HTTP client is loaded for it."""
    code = (
        "import sys; sys.argv = ['crmkit', '--help']\n"
        "from crmkit_cli.main import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'sqlalchemy', 'flask', 'requests', 'pydantic', 'rich', 'cookiecutter', 'waitress', 'crmkit'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


def test_every_command_stands_in_the_docs() -> None:
    """docs/cli.md has a heading for each command, and for nothing else."""
    assert sorted(re.findall(r"^### crmkit (\S+)$", DOCS.read_text(encoding="utf-8"), re.MULTILINE)) == sorted(COMMANDS)


def test_a_usage_error_is_in_the_readers_language(cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """How the command is called, where help is, and what was wrong."""
    monkeypatch.setenv("CRMKIT_LANG", "ru")

    said = cli("trigger")

    assert said.code == 2
    assert said.err.splitlines() == [
        "Как вызвать: crmkit trigger [OPTIONS] EVENT",
        "Справка: crmkit trigger --help",
        "",
        "Ошибка: Не указан аргумент 'EVENT'.",
    ]
