"""A service over the memory CRM and a source of calls, with its door open."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from crmkit.clock import TurnedClock
from crmkit.errors import BadPayload, WebhookRejected
from crmkit.events import CallFinished
from crmkit.extension import Context, Extension
from crmkit.models import Call, CallStatus, Direction, Phone
from crmkit.settings import NoSettings, ServiceConfig
from crmkit.source import SourceSettings
from crmkit.testing.memory import MemoryAdapter
from crmkit.testing.world import MemoryWorld
from crmkit.values import Kind, Ref
from crmkit.webhook import Fact, WebhookReply, WebhookRequest
from crmkit_runtime.database import Database
from crmkit_runtime.ingest import Ingest
from crmkit_runtime.migrations import migrate
from crmkit_runtime.service import Service
from crmkit_runtime.tables import delivery, event, hint, run

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class Exchange:
    """A telephony that posts `call=<id>`, shows `key=<secret>` and wants its word back when it asks."""

    name = "exchange"
    settings_type: type[SourceSettings] = SourceSettings

    def verify(self, request: WebhookRequest, settings: SourceSettings) -> None:
        """Compare the key, when the settings have one."""
        wanted = settings.secret.get_secret_value() if settings.secret else None
        if wanted and request.headers.get("x-key") != wanted:
            raise WebhookRejected("the key is wrong", account=settings.account, vendor=self.name)

    def parse(self, request: WebhookRequest, settings: SourceSettings) -> Sequence[Fact]:
        """One finished call; nothing for a question."""
        text = request.body.decode()
        if not text:
            return ()
        if not text.startswith("call="):
            raise BadPayload("there is no call in it", account=settings.account, vendor=self.name)
        ref = Ref(settings.account, Kind.CALL, text.removeprefix("call="))
        call = Call(
            ref=ref,
            provider=self.name,
            direction=Direction.IN,
            status=CallStatus.MISSED,
            phone=Phone(raw="+79161234567", e164="+79161234567"),
            started_at=NOW,
        )
        finished = CallFinished(ref=ref, occurred_at=NOW, call=call)
        body = finished.model_dump(mode="json", exclude={"delivery_id", "actor_id", "cause", "raw"})
        return (Fact(f"exchange:{ref.id}", "CallFinished", body, "phone:+79161234567", NOW),)

    def reply(self, request: WebhookRequest, settings: SourceSettings) -> WebhookReply:
        """The word of the question."""
        return WebhookReply(body=request.query.removeprefix("echo="))

    def fetch(self, settings: SourceSettings, since: datetime) -> Sequence[Fact]:
        """Nothing: this one has no list."""
        return ()


class Door:
    """Everything that a test of the door needs.

    Args:
        folder: where the database lies.
        environment: variables of the service.
        config: more of crmkit.toml.
    """

    def __init__(self, folder: Path, environment: dict[str, str] | None = None, **config: Any) -> None:
        self.world = MemoryWorld(TurnedClock(NOW))
        self.path = folder / "service.sqlite3"
        database = Database(str(self.path))
        migrate(database, environment or {})
        database.close()
        listener = Extension("listener", reads={Kind.DEAL})

        @listener.on(CallFinished)
        def heard(event: CallFinished, ctx: Context[NoSettings]) -> None:
            ctx.skip("only listening")

        accounts = {key: {"vendor": "memory", "sources": {"exchange": {}}} for key in ("acme", "other")}
        self.service = Service.open(
            ServiceConfig.model_validate({"database": str(self.path), "accounts": accounts, **config}),
            environment=environment or {},
            clock=self.world.clock,
            extensions=[listener],
            adapters={"memory": MemoryAdapter(self.world)},
            sources={"exchange": Exchange()},
        )
        self.ingest = Ingest(self.service)

    def rows(self, *columns: Any) -> list[tuple[Any, ...]]:
        """What is stored, in the order in which it was."""
        with self.service.database.read() as connection:
            return [tuple(row) for row in connection.execute(select(*columns).order_by(columns[0].table.c.id))]

    @property
    def stored(self) -> dict[str, int]:
        """How many rows the door has made."""
        return {table.name: len(self.rows(table.c.id)) for table in (delivery, hint, event, run)}

    def hook(self, *ids: int, account: str = "acme") -> bytes:
        """What the memory CRM posts when deals changed."""
        item = '{"kind": "deal", "id": "%d", "action": "changed", "at": null, "created_at": null, "actor": null}'
        return f'{{"account": "{account}", "items": [{", ".join(item % number for number in ids)}]}}'.encode()

    def receive(self, body: bytes, sender: str = "memory", **headers: str) -> WebhookReply:
        """Hand a delivery for `acme` in behind the web."""
        found = WebhookRequest("POST", f"/hooks/{sender}/acme", "", headers, body, NOW)
        return self.ingest.receive(sender, "acme", found)

    def path_of(self, sender: str = "memory", account: str = "acme") -> str:
        """The address at which a sender posts."""
        return self.service.hook_path(account, sender)

    def close(self) -> None:
        """Close door and service."""
        self.ingest.close()
        self.service.close()


@pytest.fixture
def open_door(tmp_path: Path) -> Iterator[Callable[..., Door]]:
    """Open a door with other settings; it is closed when the test ends."""
    opened: list[Door] = []

    def make(environment: dict[str, str] | None = None, **config: Any) -> Door:
        opened.append(Door(tmp_path, environment, **config))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


@pytest.fixture
def door(open_door: Callable[..., Door]) -> Door:
    return open_door()
