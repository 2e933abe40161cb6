"""Triggers and module callbacks of retailCRM: what they name, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from crmkit.errors import BadPayload, WebhookRejected
from crmkit.values import Kind, Ref
from crmkit.webhook import Action, Delivery, Hint, WebhookRequest
from crmkit_retailcrm import RetailCrmAdapter, RetailCrmSettings

SAMPLES = Path(__file__).parents[2] / "samples" / "retailcrm"


def settings(token: str | None = None) -> RetailCrmSettings:
    return RetailCrmSettings(
        key="okna",
        vendor="retailcrm",
        base_url="https://okna.retailcrm.ru",
        api_key=SecretStr("secret-key"),
        trigger_token=SecretStr(token) if token else None,
    )


def parsed(body: bytes, *, query: str = "", token: str | None = None, content_type: str = "") -> Delivery:
    request = WebhookRequest("POST", "/", query, {"content-type": content_type}, body, datetime.now(UTC))
    return RetailCrmAdapter().parse(request, settings(token))


def hint(kind: Kind, record_id: str, action: Action = Action.CHANGED) -> Hint:
    return Hint(Ref("okna", kind, record_id), action)


def test_a_trigger_names_its_record() -> None:
    """The order of the sample, once the typed token fits; empty values mean nothing."""
    body = (SAMPLES / "trigger_order.form").read_bytes()
    assert parsed(body, token="typed-in").hints == (hint(Kind.DEAL, "70"),)


@pytest.mark.parametrize(
    ("body", "query", "expected"),
    [
        (b"event=customer.create&entity=customer&id=4780", "", hint(Kind.CONTACT, "4780", Action.ADDED)),
        (b"event=order.delete&id=5", "", hint(Kind.DEAL, "5", Action.DELETED)),
        (b"entity=task&id=9", "", hint(Kind.TASK, "9")),
        (b"entity=customer_corporate&id=60", "", hint(Kind.COMPANY, "60")),
        (b"entity=customer&type=customer_corporate&id=60", "", hint(Kind.COMPANY, "60")),
        (b"", "id=6722&status=complete", hint(Kind.DEAL, "6722")),
    ],
)
def test_names_an_administrator_may_type(body: bytes, query: str, expected: Hint) -> None:
    """The entity by its own parameter, by the event's first word, or by the status that only orders have."""
    assert parsed(body, query=query).hints == (expected,)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"entity=order&id=%7B%7B+order.getId%28%29+%7D%7D", "order: a template that was not filled in"),
        (b"entity=order&id=", "order: no id"),
        (b"entity=parcel&id=1", "parcel: send entity"),
        (b"id=1", "no entity: send entity"),
    ],
)
def test_what_names_no_record_is_explained(body: bytes, reason: str) -> None:
    """The refusal says what to correct in the trigger."""
    delivery = parsed(body)
    assert delivery.hints == ()
    assert delivery.refusals[0].startswith(reason)


@pytest.mark.parametrize("body", [b"entity=order&id=70&token=nope", b"entity=order&id=70"])
def test_a_wrong_token_is_rejected_without_showing_the_right_one(body: bytes) -> None:
    """Where the settings name a token, nothing else passes."""
    with pytest.raises(WebhookRejected) as refused:
        parsed(body, token="typed-in")
    assert "typed-in" not in str(refused.value)


def test_a_modules_callback_is_explained() -> None:
    """Activity of our own module changes no record; another client's is rejected, another account's as well."""
    body = (SAMPLES / "module_activity.form").read_bytes()
    assert parsed(body).refusals == (
        "activity: the module was switched on, off or frozen; nothing has changed in the records",
    )
    with pytest.raises(WebhookRejected):
        parsed(body.replace(b"clientId=okna", b"clientId=other"))
    with pytest.raises(WebhookRejected):
        parsed(body.replace(b"okna.retailcrm.ru", b"other.retailcrm.ru"))


@pytest.mark.parametrize(("body", "content_type"), [(b"", ""), (b'{"id":1}', ""), (b"id=1", "application/json")])
def test_what_is_no_form_is_bad(body: bytes, content_type: str) -> None:
    """Nothing, and JSON."""
    with pytest.raises(BadPayload):
        parsed(body, content_type=content_type)
