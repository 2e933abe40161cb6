"""Calls whose webhook was lost are found in the telephony's own list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crmkit.errors import AuthError, CrmKitError, Unsupported
from crmkit.source import SourceSettings
from crmkit.webhook import Fact, WebhookRequest
from crmkit_runtime import pause
from crmkit_runtime.source_sweep import OVERLAP, SourceSweep
from crmkit_runtime.tables import event

LATER = timedelta(minutes=10)


class ListOfCalls:
    """What the telephony's list answers, and what it was asked."""

    def __init__(self, parse: Callable[[WebhookRequest, SourceSettings], Sequence[Fact]]) -> None:
        self._parse = parse
        self.calls: list[str] = []
        self.error: CrmKitError | None = None
        self.asked: list[datetime] = []

    def fetch(self, settings: SourceSettings, since: datetime) -> Sequence[Fact]:
        """The facts of the listed calls."""
        self.asked.append(since)
        if self.error:
            raise self.error
        now = datetime.now(UTC)
        bodies = [f"call={one}".encode() for one in self.calls]
        return [
            fact for body in bodies for fact in self._parse(WebhookRequest("POST", "/", "", {}, body, now), settings)
        ]


@pytest.fixture
def listed(door: Any, monkeypatch: pytest.MonkeyPatch) -> ListOfCalls:
    source, _ = door.service.accounts["acme"].sources["exchange"]
    answers = ListOfCalls(source.parse)
    monkeypatch.setattr(source, "fetch", answers.fetch)
    return answers


def test_a_lost_call_becomes_one_event(door: Any, listed: ListOfCalls) -> None:
    """What the hook told and the list repeats is one call; what only the list knows is told, once."""
    sweep = SourceSweep(door.service, "acme", "exchange")
    sweep.step()
    began = door.world.clock.now()
    door.receive(b"call=7", sender="exchange")
    listed.calls = ["7", "8"]
    for _ in range(2):
        door.world.clock.advance(LATER)
        sweep.step()
    assert [key for (key,) in door.rows(event.c.key)] == ["exchange:7", "exchange:8"]
    assert listed.asked[0] == began - OVERLAP


def test_the_first_reading_only_remembers_the_moment(door: Any, listed: ListOfCalls) -> None:
    """Calls from before the source was installed are no news."""
    listed.calls = ["1"]
    SourceSweep(door.service, "acme", "exchange").step()
    assert (listed.asked, door.rows(event.c.key)) == ([], [])


def test_a_source_without_a_list_is_not_asked_again(door: Any, listed: ListOfCalls) -> None:
    """Nothing can be found where there is no list, or no key for it."""
    sweep = SourceSweep(door.service, "acme", "exchange")
    sweep.step()
    listed.error = Unsupported("there is no list")
    sweep.step()
    assert sweep.is_over


def test_a_telephony_that_refuses_does_not_pause_the_crm(door: Any, listed: ListOfCalls) -> None:
    """Its key is wrong: calls of the list wait, the account's work does not, and nothing is skipped afterwards."""
    sweep = SourceSweep(door.service, "acme", "exchange")
    sweep.step()
    listed.calls, listed.error = ["9"], AuthError("the key is wrong")
    sweep.step()
    with door.service.database.read() as connection:
        assert pause.paused(connection, "acme", door.world.clock.now()) is None
    listed.error = None
    sweep.step()
    assert [key for (key,) in door.rows(event.c.key)] == ["exchange:9"]
