"""Bad input: one message that names the thing and the remedy, the right exit code, no traceback."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crmkit_runtime import database
from crmkit_sandbox import Sandbox

CONFIG = """\
[service]
database = "{folder}/shop.sqlite3"

[accounts.acme]
vendor = "{vendor}"
base_url = "https://acme.amocrm.ru"
"""


def write(folder: Path, vendor: str = "amocrm", more: str = "") -> str:
    """The name of a crmkit.toml."""
    path = folder / "crmkit.toml"
    path.write_text(CONFIG.format(folder=folder, vendor=vendor) + more, encoding="utf-8")
    return str(path)


def migrated(cli: Any, config: str) -> str:
    """The same, with its database made."""
    assert cli("migrate", "--config", config).code == 0
    return config


@pytest.fixture
def taken() -> Any:
    """A port that somebody listens on."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield holder.getsockname()[1]


def test_a_missing_file_is_named(cli: Any, tmp_path: Path) -> None:
    """Every command that works on a service says which file it wanted."""
    missing = tmp_path / "crmkit.toml"
    for command in ("run", "accounts", "replay", "plan", "ext", "migrate", "dev"):
        said = cli(command, "--config", str(missing))
        assert (said.code, said.out) == (2, "")
        assert said.err == (
            f"Error: there is no {missing}\n  → Run `crmkit new NAME` for a service, or name the file with --config.\n"
        )


def test_an_unknown_crm_is_named_with_the_nearest(cli: Any, tmp_path: Path) -> None:
    """A slip in the vendor's name is told apart from a CRM that nobody supports."""
    said = cli("accounts", "--config", migrated(cli, write(tmp_path, vendor="amocr")))

    assert said.code == 2
    assert said.err.startswith("Error: there is no CRM adapter 'amocr'\n  → Installed: ")
    assert said.err.endswith("Did you mean amocrm?\n")


def test_a_missing_secret_is_named_with_its_variable(cli: Any, tmp_path: Path) -> None:
    """The remedy is what to set, and where."""
    said = cli("accounts", "--config", migrated(cli, write(tmp_path)))

    assert said.code == 2
    assert "account acme has neither a long-lived token nor a whole OAuth set" in said.err
    assert "CRMKIT_ACME_TOKEN" in said.err


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ("conutry = 'RU'", "account acme: unknown key conutry (did you mean country?)."),
        (
            "[extensions.call-tasks]\nacounts = ['acme']",
            "extension call-tasks: unknown key acounts (did you mean accounts?).",
        ),
        ("[extensions.call-task]", "there is no extension 'call-task'"),
        ("[extensions.call-tasks]\naccounts = ['acne']", "extension call-tasks names the account acne"),
        ("[extensions.'nowhere:ext']", "extension nowhere:ext cannot be loaded: No module named 'nowhere'"),
    ],
)
def test_a_wrong_key_is_named(cli: Any, tmp_path: Path, monkeypatch: Any, more: str, fault: str) -> None:
    """Wherever in the file it stands."""
    monkeypatch.setenv("CRMKIT_ACME_TOKEN", "token")

    said = cli("accounts", "--config", migrated(cli, write(tmp_path, more=more)))

    assert said.code == 2
    assert said.err.startswith(f"Error: {fault}")


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ("[service2]\n", "unknown key service2 (did you mean service?)."),
        (
            "[extensions.call-tasks.rollout]\npercnt = 5\n",
            "unknown key extensions.call-tasks.rollout.percnt (did you mean percent?).",
        ),
    ],
)
def test_a_wrong_table_is_named_by_every_command(cli: Any, tmp_path: Path, more: str, fault: str) -> None:
    """Also by those that need no account."""
    config = write(tmp_path, more=more)

    for command in ("migrate", "plan"):
        said = cli(command, "--config", config)
        assert (said.code, said.err) == (2, f"Error: {config}: {fault}\n  → Mend crmkit.toml.\n")


@pytest.mark.parametrize("command", ["run", "accounts", "ext", "replay", "plan"])
def test_a_database_that_was_not_migrated_is_named(cli: Any, tmp_path: Path, monkeypatch: Any, command: str) -> None:
    """The remedy is the command to run."""
    monkeypatch.setenv("CRMKIT_ACME_TOKEN", "token")

    said = cli(command, "--config", write(tmp_path))

    assert said.code == 2
    assert f"the database {tmp_path}/shop.sqlite3 is" in said.err
    assert said.err.replace("`", "").endswith("Run crmkit migrate.\n")


HOLD = """
import sqlite3, sys
holder = sqlite3.connect(sys.argv[1], isolation_level=None)
holder.execute("PRAGMA locking_mode=EXCLUSIVE")
holder.execute("BEGIN EXCLUSIVE")
holder.execute("CREATE TABLE held (id)")
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def locked(cli: Any, tmp_path: Path) -> Iterator[str]:
    """A service whose database another program holds locked."""
    config = migrated(cli, write(tmp_path))
    # A process of its own: locks of two SQLite libraries in one process do not see each other.
    command = [sys.executable, "-c", HOLD, str(tmp_path / "shop.sqlite3")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        assert holder.stdout.readline() == "held\n"
        yield config
        holder.stdin.close()


@pytest.mark.parametrize("command", [("accounts",), ("migrate",), ("replay", "--failed"), ("plan",)])
def test_a_locked_database_is_named(
    cli: Any, tmp_path: Path, locked: str, monkeypatch: Any, command: tuple[str, ...]
) -> None:
    """Another program holds the file: nothing is lost, and the message says so."""
    monkeypatch.setenv("CRMKIT_ACME_TOKEN", "token")
    monkeypatch.setattr(database, "BUSY_TIMEOUT_MS", 50)

    said = cli(*command, "--config", locked)

    assert said.code == 2
    assert said.err == (
        f"Error: the database {tmp_path}/shop.sqlite3 cannot be opened: database is locked\n"
        "  → Check that its folder exists and is writable, and that no other program holds it locked.\n"
    )


def test_a_database_in_a_folder_that_is_not_there_is_named(cli: Any, tmp_path: Path, monkeypatch: Any) -> None:
    """The path is in the message."""
    monkeypatch.setenv("CRMKIT_DATABASE", str(tmp_path / "nowhere" / "shop.sqlite3"))

    said = cli("migrate", "--config", write(tmp_path))

    assert said.code == 2
    assert said.err.startswith(f"Error: the database {tmp_path}/nowhere/shop.sqlite3 cannot be opened")


def test_a_port_in_use_is_named_by_the_service(cli: Any, tmp_path: Path, taken: int) -> None:
    """`crmkit run` does not begin to work when it cannot receive."""
    config = migrated(cli, write(tmp_path))
    done = subprocess.run(
        [sys.executable, "-m", "crmkit_cli", "run", "--config", config, "--port", str(taken)],
        env={**os.environ, "CRMKIT_ACME_TOKEN": "token"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"Error: port {taken} on 127.0.0.1 cannot be used: Address already in use\n"
        "  → Choose another with --port, or stop who holds it.\n"
    )


def test_a_port_in_use_is_named_by_the_emulator(cli: Any, taken: int) -> None:
    """`crmkit sandbox` names the port."""
    said = cli("sandbox", "--port", str(taken))

    assert said.code == 2
    assert said.err == (
        f"Error: port {taken} cannot be used: Address already in use\n  → Choose another port; 0 takes a free one.\n"
    )


def test_an_expired_token_is_named(cli: Any, tmp_path: Path, monkeypatch: Any) -> None:
    """The CRM refuses it; the check says whose it is and what to do."""
    with Sandbox(vendors=("amocrm",)) as sandbox:
        monkeypatch.setenv("CRMKIT_ACME_TOKEN", sandbox.amocrm.issue_tokens(expires_in=60)["access_token"])
        sandbox.clock.advance(3600)
        config = write(tmp_path)
        Path(config).write_text(Path(config).read_text().replace("https://acme.amocrm.ru", sandbox.amocrm.base_url))

        said = cli("check", "--config", migrated(cli, config), "--port", "0", "--json")

    access = [row for row in said.rows if row["check"] == "access"]
    assert said.code == 1
    assert [(row["subject"], row["state"]) for row in access] == [("acme", "fail")]
    assert "401" in access[0]["message"]
    assert access[0]["remedy"] != ""


def test_an_unknown_command_is_answered_with_the_nearest(cli: Any) -> None:
    """Exit 2, as for every wrong usage."""
    said = cli("repla")

    assert said.code == 2
    assert "No such command: 'repla'. Did you mean replay?" in said.err


def test_a_fault_of_ours_is_one_line_and_a_hint(cli: Any, monkeypatch: Any) -> None:
    """What nobody foresaw gives no traceback either, unless it is asked for."""
    monkeypatch.setattr("crmkit.registry.vendors", lambda: 1 / 0)

    said = cli("decode", "amocrm", __file__)

    assert (said.code, said.err) == (
        1,
        "Error: ZeroDivisionError: division by zero\nFor details: crmkit --debug …\n",
    )
