"""`crmkit check`: a line for each thing that must be right, and a remedy for each that is not."""

from __future__ import annotations

import shutil
import socket
import sys
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from crmkit.models import CustomField, Deal
from crmkit_cli import house_checks
from crmkit_runtime.database import Database, to_us
from crmkit_runtime.tables import token


@pytest.fixture
def free() -> str:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def states(said: Any) -> dict[str, str]:
    """What was found, by check and subject."""
    return {f"{row['check']} {row['subject']}".strip(): row["state"] for row in said.rows}


def of(said: Any, check: str) -> dict[str, Any]:
    """The one finding of a check."""
    [found] = [row for row in said.rows if row["check"] == check]
    return dict(found)


def test_a_service_that_works_is_told_so(shop: Any, free: str) -> None:
    """Everything is looked at, the CRM included, and the exit code is 0."""
    said = shop.say("check", "--json", "--port", free)

    name = next(shop.folder.glob("shop_*.py")).stem
    assert states(said) == {
        "config": "ok",
        "public_url": "warn",
        "database": "ok",
        "sqlite": "ok",
        "port": "ok",
        "key": "ok",
        "settings acme": "ok",
        "access acme": "ok",
        "rights acme": "ok",
        f"extension {name}:{name}": "ok",
        "capabilities shop @ acme": "ok",
    }
    assert said.code == 0


def test_offline_asks_no_crm(shop: Any, free: str) -> None:
    """Settings and database are checked, and no request is made."""
    shop.sandbox.amocrm.reset_requests()

    said = shop.say("check", "--json", "--offline", "--port", free)

    assert "access acme" not in states(said)
    assert shop.sandbox.amocrm.requests.rows() == []
    assert said.code == 0


def test_it_works_before_the_first_migration(shop: Any, free: str) -> None:
    """The database is missing, everything else is looked at, and no file is left behind."""
    for path in shop.folder.glob("shop.sqlite3*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    said = shop.say("check", "--json", "--port", free)

    assert of(said, "database")["remedy"] == "Run crmkit migrate."
    assert states(said)["access acme"] == "ok"
    assert said.code == 1
    assert list(shop.folder.glob("shop.sqlite3*")) == []


def test_a_wrong_account_does_not_hide_a_right_one(shop: Any, free: str, monkeypatch: Any) -> None:
    """Each account is looked at for itself; an extension runs where it can."""
    shop.config.write_text(
        f'{shop.config.read_text()}\n[accounts.other]\nvendor = "amocrm"\nbase_url = "https://o.amocrm.ru"\n'
    )

    said = shop.say("check", "--json", "--port", free)

    assert (states(said)["settings acme"], states(said)["settings other"]) == ("ok", "fail")
    assert states(said)["capabilities shop @ acme"] == "ok"
    assert said.code == 1


def test_an_account_that_is_not_paid_is_a_failure(shop: Any, free: str) -> None:
    """What the CRM refuses is told with the account's name, and a remedy."""
    shop.sandbox.faults.add(vendor="amocrm", method="GET", path="/api/v4/account", status=402, times=5)

    said = shop.say("check", "--json", "--port", free)

    found = of(said, "access")
    assert (found["subject"], found["state"]) == ("acme", "fail")
    assert found["remedy"] != ""
    assert said.code == 1


def test_hooks_are_subscribed_only_when_asked_for(shop: Any, free: str, monkeypatch: Any) -> None:
    """A check changes nothing in the CRM; with --subscribe it does what a running service does."""
    monkeypatch.setenv("CRMKIT_PUBLIC_URL", f"http://127.0.0.1:{free}")

    before = of(shop.say("check", "--json", "--port", free), "hooks")
    hooks_before = len(shop.sandbox.amocrm.webhooks)
    after = of(shop.say("check", "--json", "--port", free, "--subscribe"), "hooks")

    assert (before["state"], hooks_before) == ("warn", 0)
    assert (after["state"], after["message"]) == ("ok", "subscription: created")
    assert len(shop.sandbox.amocrm.webhooks) == 1


def test_an_unfinished_refresh_is_reported(shop: Any, free: str) -> None:
    """A process died while it refreshed a token: the pair that we hold may be worth nothing."""
    database = Database(str(shop.folder / "shop.sqlite3"))
    since = datetime(2026, 1, 31, 9, tzinfo=UTC)
    with database.write() as tx:
        row = {"account": "acme", "refreshing_since": to_us(since), "refreshing_by": "elsewhere:1:1"}
        tx.execute(token.insert().values(row))
    database.close()

    found = of(shop.say("check", "--json", "--offline", "--port", free), "tokens")

    assert (found["subject"], found["state"]) == ("acme", "warn")
    assert found["message"] == "a token refresh begun at 2026-01-31T09:00:00+00:00 never ended"


def test_a_field_that_an_extension_declares_is_looked_for(shop: Any, free: str) -> None:
    """A field is bound by its title, one with a pin by nothing else; one that is absent, or of another type, fails."""
    module = next(shop.folder.glob("shop_*.py"))
    module.write_text(
        f"{module.read_text()}\n"
        "from datetime import date\n"
        "from crmkit import CustomField, Deal\n"
        'there = CustomField(Deal, str, "Город")\n'
        'missing = CustomField(Deal, str, "Рост")\n'
        'other = CustomField(Deal, date, "Комментарий")\n'
        'pinned = CustomField(Deal, str, "Город", amocrm="999999")\n'
    )
    sys.modules.pop(module.stem, None)

    said = shop.say("check", "--json", "--port", free)

    fields = [(row["state"], row["message"]) for row in said.rows if row["check"] == "field"]
    assert [state for state, _ in fields] == ["ok", "fail", "fail", "fail"]
    assert fields[1][1] == f"{CustomField(Deal, str, 'Рост')!r}: the account has no such field"
    assert fields[2][1].endswith("is of type longtext")
    assert fields[3][1].endswith("the account has no such field")
    assert said.code == 1


def test_a_port_in_use_is_a_failure(shop: Any) -> None:
    """Somebody else, who is no crmkit service, listens there."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        holder.settimeout(0)
        said = shop.say("check", "--json", "--offline", "--port", str(holder.getsockname()[1]))

    assert of(said, "port")["state"] == "fail"
    assert said.code == 1


class Service(BaseHTTPRequestHandler):
    """Answers as a service whose worker is down."""

    def do_GET(self) -> None:
        """Say so."""
        self.send_response(503)
        self.end_headers()
        self.wfile.write(b'{"ready": false}')

    def log_message(self, *args: object) -> None:
        """Say nothing."""


def test_a_port_that_the_service_itself_holds_is_right(shop: Any) -> None:
    """A check beside the running service is no failure."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        said = shop.say("check", "--json", "--offline", "--port", str(server.server_address[1]))
        server.shutdown()

    assert of(said, "port")["state"] == "ok"
    assert said.code == 0


@pytest.mark.parametrize(
    ("version", "state"),
    [((3, 6, 23), "ok"), ((3, 7, 0), "warn"), ((3, 40, 1), "warn"), ((3, 51, 2), "warn"), ((3, 51, 3), "ok")],
)
def test_an_sqlite_with_the_wal_fault_is_warned_of(
    shop: Any, free: str, monkeypatch: Any, version: tuple[int, ...], state: str
) -> None:
    """The versions between the fault's birth and its mending."""
    monkeypatch.setattr(house_checks, "SQLITE_VERSION", version)

    assert of(shop.say("check", "--json", "--offline", "--port", free), "sqlite")["state"] == state


@pytest.mark.parametrize(
    ("url", "state"),
    [
        ("https://hooks.example.com", "ok"),
        ("http://127.0.0.1:8800", "ok"),
        ("http://hooks.example.com", "warn"),
        ("hooks.example.com", "fail"),
    ],
)
def test_the_public_address_is_judged(shop: Any, free: str, monkeypatch: Any, url: str, state: str) -> None:
    """An address without scheme is none, and one without TLS gives the secret away."""
    monkeypatch.setenv("CRMKIT_PUBLIC_URL", url)

    assert of(shop.say("check", "--json", "--offline", "--port", free), "public_url")["state"] == state


def test_people_get_lines_with_remedies_and_a_sum(cli: Any, tmp_path: Path) -> None:
    """Without --json each finding is a line, its remedy below it."""
    said = cli("check", "--config", str(tmp_path / "crmkit.toml"))

    assert said.code == 1
    assert said.out == (
        f"FAIL      config: there is no {tmp_path}/crmkit.toml\n"
        "            → Run `crmkit new NAME` for a service, or name the file with --config.\n"
        "0 ok, 0 warnings, 1 failures\n"
    )
