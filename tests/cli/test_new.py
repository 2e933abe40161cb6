"""`crmkit new`: a folder with a service, in the reader's language, and nothing outside it."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

FILES = [
    ".dockerignore",
    ".env.example",
    ".github/workflows/ci.yml",
    ".gitignore",
    "Dockerfile",
    "README.md",
    "app.py",
    "compose.yaml",
    "crmkit.toml",
    "my_app/__init__.py",
    "my_app/extension.py",
    "my_app/py.typed",
    "pyproject.toml",
    "tests/test_extension.py",
    "tests/test_service.py",
]


def written(folder: Path) -> list[str]:
    """Every file below a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_it_writes_one_folder(cli: Any, tmp_path: Path) -> None:
    """Every file is there, and each was filled in."""
    said = cli("new", "my-app", "--into", str(tmp_path))

    assert said.code == 0
    assert written(tmp_path) == [f"my-app/{name}" for name in FILES]
    assert [path for path in tmp_path.rglob("*") if path.is_file() and "cookiecutter" in path.read_text()] == []
    assert [path for path in tmp_path.rglob("*") if path.is_file() and "{%" in path.read_text()] == []


def test_the_service_it_describes_can_be_read(cli: Any, tmp_path: Path) -> None:
    """crmkit.toml names the account, the CRM and the extension."""
    cli("new", "my-app", "--into", str(tmp_path), "--account", "my_shop")

    found = tomllib.loads((tmp_path / "my-app" / "crmkit.toml").read_text(encoding="utf-8"))

    assert found == {
        "service": {"database": "my_app.sqlite3", "language": "en"},
        "accounts": {"my_shop": {"vendor": "amocrm", "base_url": "https://my_shop.amocrm.ru", "country": "RU"}},
        "extensions": {"my_app.extension:call_back": {"due_in": "PT2H"}},
    }
    assert "CRMKIT_MY_SHOP_TOKEN=" in (tmp_path / "my-app" / ".env.example").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("vendor", "secret", "more"),
    [
        ("bitrix24", "CRMKIT_ACME_WEBHOOK=", {}),
        ("retailcrm", "CRMKIT_ACME_API_KEY=", {"sources": {"ringostat": {"timezone": "UTC"}}}),
    ],
)
def test_it_knows_what_each_crm_needs(cli: Any, tmp_path: Path, vendor: str, secret: str, more: dict[str, Any]) -> None:
    """Its address, its secret, and a telephony where the CRM has no calls of its own."""
    assert cli("new", "my-app", "--into", str(tmp_path), "--vendor", vendor).code == 0

    found = tomllib.loads((tmp_path / "my-app" / "crmkit.toml").read_text(encoding="utf-8"))
    address = {"vendor": vendor, "base_url": f"https://acme.{vendor}.ru", "country": "RU"}
    readme = (tmp_path / "my-app" / "README.md").read_text(encoding="utf-8")
    assert found["accounts"] == {"acme": {**address, **more}}
    assert secret in (tmp_path / "my-app" / ".env.example").read_text(encoding="utf-8").splitlines()
    assert (f"8801/{vendor}/" in readme, "{%" in readme) == (True, False)


def test_it_speaks_the_readers_language(cli: Any, tmp_path: Path, monkeypatch: Any) -> None:
    """Everything that a person reads of the project, its tasks and decisions included."""
    cli("new", "english", "--into", str(tmp_path))
    monkeypatch.setenv("CRMKIT_LANG", "ru")
    cli("new", "russian", "--into", str(tmp_path))

    english = "".join(path.read_text() for path in (tmp_path / "english").rglob("*") if path.is_file())
    assert [letter for letter in english if "а" <= letter.lower() <= "я"] == []
    for name in ("README.md", "crmkit.toml", "russian/extension.py", "tests/test_service.py", ".env.example"):
        assert any("а" <= letter <= "я" for letter in (tmp_path / "russian" / name).read_text()), name


@pytest.mark.parametrize("name", ["a", "x1", "a-name-of-exactly-forty-letters-and-sign"])
def test_its_code_is_clean_whatever_its_name(cli: Any, tmp_path: Path, monkeypatch: Any, name: str) -> None:
    """Ruff finds nothing to say about it, in either language, for any CRM."""
    for language, vendor in (("ru", "amocrm"), ("en", "bitrix24"), ("ru", "retailcrm")):
        monkeypatch.setenv("CRMKIT_LANG", language)
        into = tmp_path / vendor
        into.mkdir()
        assert cli("new", name, "--into", str(into), "--vendor", vendor).code == 0
        for check in (["check"], ["format", "--check"]):
            done = subprocess.run(
                [sys.executable, "-m", "ruff", *check, "--no-cache"],
                cwd=into / name,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "name",
    [
        "My-App",
        "my_app",
        "1app",
        "-app",
        "app-",
        "my--app",
        "мой-сервис",
        "my app",
        "../app",
        "/tmp/app",
        "a/b",
        "",
        ".",
        "a" * 41,
        "class",
        "json",
        "crmkit",
        "crmkit-app",
        "app",
        "tests",
    ],
)
def test_a_name_that_will_not_do_is_refused(cli: Any, tmp_path: Path, name: str) -> None:
    """Exit 2 with what to write instead; nothing is written anywhere."""
    said = cli("new", "--into", str(tmp_path), "--", name)

    assert said.code == 2
    assert said.err.startswith(f"Error: the name {name!r} ")
    assert "\n  → " in said.err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_exists_is_left_alone(cli: Any, tmp_path: Path) -> None:
    """Somebody's work is not written over."""
    (tmp_path / "my-app").mkdir()
    (tmp_path / "my-app" / "app.py").write_text("mine")

    said = cli("new", "my-app", "--into", str(tmp_path))

    assert said.code == 2
    assert said.err.startswith(f"Error: {tmp_path}/my-app exists already")
    assert written(tmp_path) == ["my-app/app.py"]


@pytest.mark.parametrize(
    ("option", "value", "fault"),
    [
        ("--vendor", "amocr", "there is no CRM adapter 'amocr'"),
        ("--account", "Acme!", "account name 'Acme!' is not lower-case letters, digits and underscores"),
    ],
)
def test_a_wrong_option_is_refused(cli: Any, tmp_path: Path, option: str, value: str, fault: str) -> None:
    """Nothing is written."""
    said = cli("new", "my-app", "--into", str(tmp_path), option, value)

    assert said.code == 2
    assert said.err.startswith(f"Error: {fault}")
    assert list(tmp_path.iterdir()) == []


def test_the_files_of_the_template_hold_ascii_alone() -> None:
    """A Cyrillic letter cut in half by the generator's look at a file makes it a binary one, which is not filled in."""
    root = Path(str(files("crmkit_templates") / "webhook_app" / "{{cookiecutter.slug}}"))
    checked = [path for path in root.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    assert len(checked) == len(FILES)
    assert [path for path in checked if not path.read_bytes().isascii()] == []
