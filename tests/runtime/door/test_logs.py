"""What is logged, and what never is."""

from __future__ import annotations

import io
import json
import logging
import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from sqlalchemy.exc import OperationalError

from crmkit_runtime.logs import configure
from crmkit_runtime.masking import Mask
from crmkit_runtime.scrub import strip_secrets
from crmkit_runtime.web import create_app

Door = Any
OPAQUE = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9xQ7LmR3vT9"


@pytest.fixture
def lines() -> Iterator[Callable[..., list[dict[str, Any]]]]:
    """Send the log to a text, give what was written; the root logger is as before when the test ends."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()

    def read(**options: Any) -> list[dict[str, Any]]:
        if options:
            configure(is_json=True, stream=stream, **options)
        for handler in root.handlers:
            handler.flush()
        return [json.loads(line) for line in stream.getvalue().splitlines()]

    yield read
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()


def test_a_line_is_json_with_its_time_and_logger(lines: Callable[..., list[dict[str, Any]]]) -> None:
    """Level, logger, time in UTC and the values of `extra` stand in the line; text is readable."""
    lines(level=logging.INFO)
    logging.getLogger("crmkit.somewhere").info("сделка %s", 7, extra={"attempts": 2})
    logging.getLogger("crmkit.somewhere").debug("not wanted")
    structlog.get_logger("other").warning("bound", attempts=3)
    first, second = lines()
    assert first.pop("timestamp").endswith("Z")
    assert first == {"event": "сделка 7", "level": "info", "logger": "crmkit.somewhere", "attempts": 2}
    assert (second["event"], second["level"], second["attempts"]) == ("bound", "warning", 3)


def test_secrets_are_masked_in_values_and_tracebacks(lines: Callable[..., list[dict[str, Any]]]) -> None:
    """However deep a secret lies, and in a traceback too, it is not written."""
    lines(level=logging.DEBUG, secrets=["canary-known"])
    log = logging.getLogger("crmkit")
    try:
        raise ValueError("refused: access_token=canary-one and canary-known")
    except ValueError:
        log.exception("failed with %s", {"client_secret": "canary-two"})
    log.info("values", extra={"tokens": {"refresh_token": "canary-three", "n": 1}, "more": ["canary-known"]})
    found = lines()
    assert "canary" not in json.dumps(found)
    assert "ValueError: refused: access_token=*** and ***" in found[0]["exception"]
    assert (found[1]["tokens"], found[1]["more"]) == ({"refresh_token": "***", "n": 1}, ["***"])


def test_a_locked_database_is_one_sentence(lines: Callable[..., list[dict[str, Any]]]) -> None:
    """What the database says and what to do; no traceback through other people's code."""
    lines(level=logging.INFO)
    refused = sqlite3.OperationalError("database is locked")
    for error in (refused, OperationalError("BEGIN IMMEDIATE", None, refused)):
        try:
            raise error
        except type(error):
            logging.getLogger("crmkit").exception("the feed cannot go on")
    sentence = "the database says: database is locked. See that no other program holds it and the disk is not full."
    assert [line["exception"] for line in lines()] == [sentence, sentence]


def test_one_line_a_delivery_without_secrets(door: Door, lines: Callable[..., list[dict[str, Any]]]) -> None:
    """Each delivery leaves one line with sender, account and outcome; neither its address nor its phone can be read."""
    lines(level=logging.DEBUG, secrets=door.service.secrets())
    client = create_app(door.service, door.ingest).test_client()
    client.post(door.path_of(), data=door.hook(7))
    client.post(door.path_of("exchange"), data=b"call=31")
    client.post(door.path_of(), data=door.hook(7, account="other"))
    client.post(door.path_of() + "x", data=door.hook(7))
    found = [line["event"] for line in lines()]
    assert [text.partition(", ")[0].partition(" refused")[0] for text in found] == [
        "delivery of memory for account acme: deal:7 changed",
        "delivery of exchange for account acme: CallFinished exchange:31",
        "delivery of memory for account acme",
    ]
    assert [text for text in found if door.service.hook_secret("acme") in text or "+7916" in text] == []


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("GET /hooks/amocrm/acme/k2f6s8d9 HTTP/1.1", "GET /hooks/amocrm/acme/*** HTTP/1.1"),
        ("https://a.example/rest/1/9x8c7v6b/crm.deal.list", "https://a.example/rest/1/***/crm.deal.list"),
        ("Authorization: Bearer abc.def-ghi", "Authorization: Bearer ***"),
        ("auth[access_token]=abcdef&x=1", "auth[access_token]=***&x=1"),
        ("auth%5Baccess_token%5D=abcdef&x=1", "auth%5Baccess_token%5D=***&x=1"),
        ('{"refresh_token": "abcdef", "n": 1}', '{"refresh_token": "***", "n": 1}'),
        ("{'client_secret': 'abcdef'}", "{'client_secret': '***'}"),
        ("apiKey=abcdef", "apiKey=***"),
        ("GET /oauth?code=abcdef&state=1", "GET /oauth?code=***&state=1"),
        (f"sent {OPAQUE}.payload.sign", "sent ***"),
        ("write to ivan.petrov@example.ru now", "write to i***@example.ru now"),
        ("user%40example.ru", "u***@example.ru"),
        ("phone:+79161234567", "phone:+7916***67"),
        ("8 (916) 123-45-67", "8916***67"),
        ("89161234567, 9161234567", "8916***67, 9161***67"),
        ("%2B79161234567", "+7916***67"),
        ("+375 29 123 45 67", "+3752***67"),
    ],
)
def test_masked(text: str, masked: str) -> None:
    """Secrets go whole, phones and e-mails keep what tells them apart."""
    assert Mask()(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "deal:7704411 changed, 12.3 ms",
        "run 1234567890 of event 1772442000",
        "acme/contact:79161234567",
        "status code: 503, error code 18 after 2026-03-02T09:00:00.123456Z",
        "key=value, monkey: banana",
        "0c9d1d1e-5c0f-4d57-9d5e-5b7f3c1f2a10",
        "https://acme.amocrm.ru/api/v4/leads/7704411",
        "File /srv/app/extension.py, line 88, in call_back",
        "a token was refreshed",
    ],
)
def test_not_masked(text: str) -> None:
    """Ids, times, addresses and words stay readable."""
    assert Mask()(text) == text


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (b"a=1&b=2", b"a=1&b=2"),
        (b"auth%5Baccess_token%5D=x&ts=1", b"auth%5Baccess_token%5D=***&ts=1"),
        (b"auth[application_token]=x", b"auth[application_token]=***"),
        (b"AUTH_ID=x&AUTH_EXPIRES=3600&REFRESH_ID=y", b"AUTH_ID=***&AUTH_EXPIRES=3600&REFRESH_ID=***"),
        (b"client_secret=&vpbx_api_key=k&json={}", b"client_secret=***&vpbx_api_key=***&json={}"),
        (b'{"token": "a\\"b", "n": 1}', b'{"token": "***", "n": 1}'),
        (b'[{"deep": {"api_key":"k"}}]', b'[{"deep": {"api_key":"***"}}]'),
        (b"text=my+token+is+lost&n=1", b"text=my+token+is+lost&n=1"),
        (b"leads[0][tokens]=5", b"leads[0][tokens]=5"),
        (b"", b""),
    ],
)
def test_stored_bodies(body: bytes, kept: bytes) -> None:
    """Values of token, secret, password and key fields are gone, everything else is as it was sent."""
    assert strip_secrets(body) == kept
