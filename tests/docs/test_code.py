"""Code in the docs: every Python block is typed, and runs; every setting and command that is shown exists."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import click
import pytest

from crmkit import registry
from crmkit.settings import account_settings, extension_settings, load_config
from crmkit_cli.main import COMMANDS, crmkit

ROOT = Path(__file__).parents[2]
PAGES = (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")))
BLOCK = re.compile(
    r"(?:<!-- (?P<mark>[^\n]*?) -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True)
class Block:
    """A fenced block: its page, its place, its language, its text, and the mark in a comment above it.

    `<!-- no-run -->` stands over code that needs an account; `<!-- file: x.py -->` names the file that the text tells
    the reader to write, so that a later block of the page can import it.
    """

    page: Path
    number: int
    language: str
    text: str
    mark: str

    @property
    def name(self) -> str:
        """Where it stands, for messages."""
        return f"{self.page.relative_to(ROOT)}#{self.number}"

    @property
    def path(self) -> str:
        """The file it is written to, within the folder of all pages."""
        if self.mark.startswith("file:"):
            return self.mark.removeprefix("file:").strip()
        return re.sub(r"\W", "_", self.name) + ".py"


@cache
def blocks(*languages: str) -> Sequence[Block]:
    """The blocks in these languages, page by page."""
    found = [
        Block(page, number, match["language"], match["text"], match["mark"] or "")
        for page in PAGES
        for number, match in enumerate(BLOCK.finditer(page.read_text(encoding="utf-8")), start=1)
    ]
    return [block for block in found if block.language in languages]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All Python blocks as files."""
    root = tmp_path_factory.mktemp("pages")
    for block in blocks("python"):
        path = root / block.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'"""{block.name}."""\n{block.text}', encoding="utf-8")
    return root


def test_no_two_blocks_are_one_file() -> None:
    """A page may name a file once, and no other page may name it."""
    paths = [block.path for block in blocks("python")]
    assert sorted(paths) == sorted(set(paths))


def test_every_python_block_is_typed(folder: Path) -> None:
    """mypy --strict accepts each block as it stands, those that need an account too."""
    files = [str(folder / block.path) for block in blocks("python")]
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", *files]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "MYPYPATH": str(folder)}, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


@pytest.mark.parametrize(
    "block", [block for block in blocks("python") if block.mark != "no-run"], ids=lambda block: block.name
)
def test_every_python_block_runs(block: Block, folder: Path) -> None:
    """A block runs by itself, and a test in a block passes."""
    is_test = Path(block.path).name.startswith("test_")
    tool = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(folder)] if is_test else []
    done = subprocess.run(
        [sys.executable, *tool, block.path],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "block", [one for one in blocks("toml") if re.search(r"^\[(service|accounts|extensions)", one.text, re.MULTILINE)],
    ids=lambda block: block.name,
)  # fmt: skip
def test_every_crmkit_toml_is_accepted(block: Block, tmp_path: Path) -> None:
    """What a page tells an operator to write is read without a fault: service, accounts, sources, extensions."""
    path = tmp_path / "crmkit.toml"
    path.write_text(block.text, encoding="utf-8")
    config = load_config(path, {})
    for key, table in config.accounts.items():
        whole = {"vendor": "amocrm", "base_url": f"https://{key}.amocrm.ru", **table}
        settings = account_settings(registry.adapter(str(whole["vendor"])).settings_type, key, whole, {})
        for name, values in settings.sources.items():
            registry.source(name).settings_type.model_validate({**values, "account": key})
    for name, own in config.extensions.items():
        extension_settings(registry.extension(name).settings_type, name, own.settings)
        assert set(own.accounts) <= set(config.accounts)


def command_lines() -> Iterator[tuple[str, Sequence[str]]]:
    """The words of each `crmkit ...` that a page shows, in blocks and between backticks."""
    for block in blocks("", "sh", "console"):
        for line in block.text.splitlines():
            for part in line.partition("#")[0].split("&&"):
                words = [word for word in part.split() if not re.fullmatch(r"[A-Z_]+=\S*", word)]
                if words[:1] == ["crmkit"]:
                    yield block.name, words[1:]
    for page in PAGES:
        for found in re.findall(r"`((?:[A-Z_]+=\S+ )?crmkit [^`\n]+)`", page.read_text(encoding="utf-8")):
            for part in found.split("&&"):
                words = [word for word in part.split() if not re.fullmatch(r"[A-Z_]+=\S*", word)]
                yield str(page.relative_to(ROOT)), words[1:]


def test_every_command_that_is_shown_exists() -> None:
    """Commands and options in the docs are those of the command line."""
    context = click.Context(crmkit, info_name="crmkit")
    unknown = []
    shown = list(command_lines())
    for where, words in shown:
        while words and words[0] in ("--lang", "--debug", "en", "ru"):
            words = words[1:]
        if not words or words[0] in ("COMMAND", "...", "--help", "…"):
            continue
        command = crmkit.get_command(context, words[0]) if words[0] in COMMANDS else None
        if isinstance(command, click.Group):
            command = command.get_command(context, words[1]) if words[1:] else command
        known = {name for one in command.params for name in one.opts} | {"--help"} if command else set()
        # What stands behind an extension's command is the extension's own.
        own = words[1:] if words[0] != "ext" else []
        options = [word.partition("=")[0] for word in own if word.startswith("--")]
        if command is None or not set(options) <= known:
            unknown.append((where, " ".join(words)))
    assert unknown == []
    assert len(shown) > 30


def test_every_make_target_that_is_shown_exists() -> None:
    """`make X` in the docs is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    shown = {
        target
        for page in PAGES
        for target in re.findall(r"(?:^|`)make ([a-z]+)", page.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert {"demo", "test"} <= shown <= targets
