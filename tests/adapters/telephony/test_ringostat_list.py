"""Ringostat's list of calls: what was lost on the way is found there, under the same keys."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import responses
from pydantic import SecretStr
from requests import PreparedRequest

from crmkit.clock import TurnedClock
from crmkit.errors import AuthError, BadPayload, Rejected, Unsupported
from crmkit.http import RateLimit, Urgency
from crmkit.testing.clock import JumpingClock
from crmkit_telephony import ringostat_list
from crmkit_telephony.ringostat import Ringostat, RingostatSettings

NOW = datetime(2026, 5, 6, 9, 0, tzinfo=UTC)
URL = "https://ringostat.example/calls/list"
SETTINGS = RingostatSettings(
    account="acme", api_key=SecretStr("api-key-1"), api_url="https://ringostat.example", timezone="Europe/Moscow"
)


class Unlimited:
    """Lets everybody through."""

    def wait(self, limits: Sequence[RateLimit], urgency: Urgency) -> None:
        """At once."""

    def push(self, limit: RateLimit, seconds: float) -> None:
        """Nobody is held back."""


@pytest.fixture
def api() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def source() -> Ringostat:
    turned = TurnedClock(NOW)
    clock = JumpingClock(turned.now, lambda seconds: turned.advance(timedelta(seconds=seconds)))
    return Ringostat(clock=clock, limiter=Unlimited())


def row(number: int, at: str) -> dict[str, object]:
    return {
        "uniqueid": f"ru3-{number}",
        "calldate": at,
        "caller": "79161230001",
        "call_type": "in",
        "disposition": "NO ANSWER",
        "billsec": "0",
        "waittime": "9",
        "recording": None,
    }


def test_the_list_gives_the_facts_of_lost_webhooks(api: responses.RequestsMock, source: Ringostat) -> None:
    """One request a day, in the project's zone, oldest call first; a call that goes on is left for later."""
    running = {"uniqueid": "ru3-9", "calldate": "2026-05-06 11:59:00", "caller": "79161230002", "disposition": ""}
    api.get(URL, json=[row(2, "2026-05-05 12:30:00"), row(1, "2026-05-05 12:10:00")])
    api.get(URL, json=[running])
    facts = source.fetch(SETTINGS, NOW - timedelta(days=1))
    assert [(fact.key, fact.at.isoformat()) for fact in facts] == [
        ("ringostat:ru3-1:finished", "2026-05-05T09:10:09+00:00"),
        ("ringostat:ru3-2:finished", "2026-05-05T09:30:09+00:00"),
    ]
    asked = [parse_qs(urlsplit(str(call.request.url)).query) for call in api.calls]
    assert [(one["from"], one["to"], one["export_type"]) for one in asked] == [
        (["2026-05-05 12:00:00"], ["2026-05-06 12:00:00"], ["json"]),
        (["2026-05-06 12:00:00"], ["2026-05-06 12:01:00"], ["json"]),
    ]
    assert api.calls[0].request.headers["Auth-key"] == "api-key-1"


def test_a_full_answer_is_asked_again_in_halves(
    api: responses.RequestsMock, source: Ringostat, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many calls as one answer may hold mean that some may be missing."""
    monkeypatch.setattr(ringostat_list, "MOST", 3)
    minutes = [NOW - timedelta(minutes=minute) for minute in (50, 40, 30, 20, 10)]

    def answer(request: PreparedRequest) -> tuple[int, dict[str, str], str]:
        asked = parse_qs(urlsplit(str(request.url)).query)
        found = [
            row(number, text)
            for number, at in enumerate(minutes)
            if asked["from"][0] <= (text := (at + timedelta(hours=3)).strftime("%Y-%m-%d %H:%M:%S")) < asked["to"][0]
        ]
        return 200, {}, json.dumps(found[:3])

    api.add_callback(responses.GET, URL, answer)
    facts = source.fetch(SETTINGS, NOW - timedelta(hours=1))
    assert sorted({fact.key for fact in facts}) == [f"ringostat:ru3-{number}:finished" for number in range(5)]


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [(401, "no", AuthError), (403, "no", AuthError), (404, "no", Rejected), (200, '{"error": 1}', BadPayload)],
)
def test_refusals_name_what_to_do(
    api: responses.RequestsMock, source: Ringostat, status: int, body: str, error: type[Exception]
) -> None:
    """Each refusal is our own error, without the key."""
    api.get(URL, body=body, status=status)
    with pytest.raises(error) as raised:
        source.fetch(SETTINGS, NOW)
    assert "api-key-1" not in str(raised.value)
    assert "account acme" in str(raised.value)


@pytest.mark.parametrize(("status", "body"), [(502, "<html>"), (200, "<html>"), (429, "")])
def test_an_answer_that_cannot_be_used_is_asked_for_again(
    api: responses.RequestsMock, source: Ringostat, status: int, body: str
) -> None:
    """A page instead of a list, a fault, too many requests: the next answer counts."""
    api.get(URL, body=body, status=status)
    api.get(URL, json=[row(1, "2026-05-06 11:59:00")])
    assert [fact.key for fact in source.fetch(SETTINGS, NOW)] == ["ringostat:ru3-1:finished"]


def test_an_empty_list_is_no_fact(api: responses.RequestsMock, source: Ringostat) -> None:
    """Nothing, or an empty list, both mean that nobody called."""
    api.get(URL, body="")
    assert source.fetch(SETTINGS, NOW) == []


def test_without_a_key_there_is_no_list(source: Ringostat) -> None:
    """The remedy names the variable that holds the key."""
    with pytest.raises(Unsupported, match="CRMKIT_ACME_RINGOSTAT_API_KEY"):
        source.fetch(RingostatSettings(account="acme"), NOW)
