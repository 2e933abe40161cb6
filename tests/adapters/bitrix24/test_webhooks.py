"""Bitrix24's events are understood, and believed only with the right token."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from pydantic import SecretStr

from crmkit.errors import BadPayload, WebhookRejected
from crmkit.values import Kind, Ref
from crmkit.webhook import Action, Delivery, Hint, WebhookRequest
from crmkit_bitrix24 import Bitrix24Adapter, Bitrix24Settings

SETTINGS = Bitrix24Settings(
    key="okna",
    vendor="bitrix24",
    base_url="https://okna.bitrix24.ru",
    webhook=SecretStr("1/abc"),
    application_token=SecretStr("token-of-okna"),
    member_id="member-of-okna",
)
AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
AUTH = {"auth[application_token]": "token-of-okna", "auth[member_id]": "member-of-okna"}


def body(event: str, **more: str) -> bytes:
    """An event as the portal posts it; keys of `more` use __ for brackets."""
    fields = {"event": event, "ts": str(int(AT.timestamp())), **AUTH}
    for name, value in more.items():
        first, *rest = name.split("__")
        fields[first + "".join(f"[{part}]" for part in rest)] = value
    return "&".join(f"{quote(key)}={quote(value)}" for key, value in fields.items()).encode()


def parse(payload: bytes, settings: Bitrix24Settings = SETTINGS) -> Delivery:
    """What the adapter makes of a body."""
    headers = {"content-type": "application/x-www-form-urlencoded; charset=UTF-8"}
    return Bitrix24Adapter().parse(WebhookRequest("POST", "/", "", headers, payload, AT), settings)


@pytest.mark.parametrize(
    ("event", "kind", "action"),
    [
        ("ONCRMDEALADD", Kind.DEAL, Action.ADDED),
        ("ONCRMDEALUPDATE", Kind.DEAL, Action.CHANGED),
        ("ONCRMDEALDELETE", Kind.DEAL, Action.DELETED),
        ("ONCRMDEALMOVETOCATEGORY", Kind.DEAL, Action.CHANGED),
        ("ONCRMLEADADD", Kind.LEAD, Action.ADDED),
        ("ONCRMCONTACTUPDATE", Kind.CONTACT, Action.CHANGED),
        ("OnCrmCompanyDelete", Kind.COMPANY, Action.DELETED),
        ("ONCRMACTIVITYADD", Kind.TASK, Action.ADDED),
        ("ONCRMTIMELINECOMMENTUPDATE", Kind.NOTE, Action.CHANGED),
    ],
)
def test_an_event_of_a_record_is_a_hint(event: str, kind: Kind, action: Action) -> None:
    """The record's address, what is said to have happened, and when; in any case of the name."""
    delivery = parse(body(event, data__FIELDS__ID="77"))
    assert delivery == Delivery((Hint(Ref("okna", kind, "77"), action, AT),), account_id="member-of-okna")


@pytest.mark.parametrize(
    ("event", "fields", "action"),
    [
        ("ONTASKADD", {"data__FIELDS_AFTER__ID": "5", "data__FIELDS_BEFORE": "undefined"}, Action.ADDED),
        ("ONTASKUPDATE", {"data__FIELDS_BEFORE__ID": "5", "data__FIELDS_AFTER__ID": "5"}, Action.CHANGED),
        ("ONTASKDELETE", {"data__FIELDS_BEFORE__ID": "5", "data__FIELDS_AFTER": "undefined"}, Action.DELETED),
    ],
)
def test_a_task_of_the_tasks_module_has_an_address_of_its_own(
    event: str, fields: dict[str, str], action: Action
) -> None:
    """It is numbered apart from to-dos, wherever the event keeps its id."""
    assert parse(body(event, **fields)).hints == (Hint(Ref("okna", Kind.TASK, "task.5"), action, AT),)


def test_the_end_of_a_call_is_a_hint_at_its_own_id() -> None:
    """The call's id is the address that the telephony's statistics give."""
    hints = parse(body("ONVOXIMPLANTCALLEND", data__CALL_ID="externalCall.ab.1", data__CALL_DURATION="0")).hints
    assert hints == (Hint(Ref("okna", Kind.CALL, "externalCall.ab.1"), Action.ADDED, AT),)


@pytest.mark.parametrize(
    ("event", "refusal"),
    [
        ("ONOFFLINEEVENT", "ONOFFLINEEVENT: it only wakes whoever reads offline events"),
        ("ONVOXIMPLANTCALLSTART", "ONVOXIMPLANTCALLSTART: a call that has not ended is no record"),
        ("ONCRMQUOTEADD", "ONCRMQUOTEADD: crmkit does not know this event"),
        ("ONCRMDEALADD", "ONCRMDEALADD: it names no record"),
    ],
)
def test_what_is_no_record_is_explained(event: str, refusal: str) -> None:
    """Nothing is hinted at, and the delivery says why."""
    assert parse(body(event)) == Delivery(refusals=(refusal,), account_id="member-of-okna")


def test_a_wrong_token_is_refused() -> None:
    """Neither another token nor a missing one is believed, and the error shows none of them."""
    for payload in (
        body("ONCRMDEALADD", data__FIELDS__ID="77").replace(b"token-of-okna", b"token-of-others"),
        b"event=ONCRMDEALADD&data%5BFIELDS%5D%5BID%5D=77",
    ):
        with pytest.raises(WebhookRejected) as refused:
            parse(payload)
        assert refused.value.account == "okna"
        assert "token-of" not in str(refused.value)


def test_another_portal_is_refused() -> None:
    """The right token with another portal's identity is no event of ours."""
    with pytest.raises(WebhookRejected):
        parse(body("ONCRMDEALADD", data__FIELDS__ID="77").replace(b"member-of-okna", b"member-of-others"))


def test_without_a_token_in_the_settings_the_address_alone_is_the_secret() -> None:
    """An account whose token nobody has set takes events of its own address."""
    settings = SETTINGS.model_copy(update={"application_token": None, "member_id": None})
    hints = parse(b"event=ONCRMDEALADD&data%5BFIELDS%5D%5BID%5D=77", settings).hints
    assert hints == (Hint(Ref("okna", Kind.DEAL, "77"), Action.ADDED),)


@pytest.mark.parametrize("payload", [b"", b"{}", b"[1]", b"data%5BFIELDS%5D%5BID%5D=77", b"event%5B%5D=ONCRMDEALADD"])
def test_a_body_that_is_no_event_is_a_bad_payload(payload: bytes) -> None:
    """JSON, nothing, or a form without an event's name."""
    with pytest.raises(BadPayload):
        parse(payload)


@pytest.mark.parametrize("number", ["0", "-1", "1.5", "abc", "٣"])
def test_a_senseless_id_is_no_record(number: str) -> None:
    """Ids are positive numbers."""
    assert parse(body("ONCRMDEALADD", data__FIELDS__ID=number)).hints == ()
