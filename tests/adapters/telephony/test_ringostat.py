"""Ringostat: every form of a delivery gives the same call, and only the end of a call is a fact."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from pydantic import SecretStr

from crmkit import registry
from crmkit.errors import BadPayload, ConfigError, WebhookRejected
from crmkit.events import CallFinished, read_event
from crmkit.models import Call, CallStatus, Direction, Employee, Phone, Recording
from crmkit.settings import read_settings
from crmkit.source import Source, SourceSettings
from crmkit.values import Kind, Ref
from crmkit.webhook import WebhookReply, WebhookRequest
from crmkit_telephony.ringostat import Ringostat, RingostatSettings

NOON = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)
SETTINGS = RingostatSettings(account="acme")
FORM = {"content-type": "application/x-www-form-urlencoded"}
JSON = {"content-type": "application/json; charset=utf-8"}

# Fields of Ringostat help, article 6313229; the values are made up.
ANSWERED: Mapping[str, str] = {
    "uniqueid": "ru3-1777880000.41",
    "call_type": "in",
    "calldate": "2026-05-04 11:58:00",
    "caller": "79161230001",
    "caller_number": "79161230001",
    "E164": "+79161230001",
    "dst": "74957770011",
    "n_alias": "Сайт",
    "disposition": "ANSWERED",
    "duration": "75",
    "waittime": "15",
    "billsec": "60",
    "connected_with": "petrova",
    "employee_number": "204",
    "employee_fio": "Мария Петрова",
    "utm_source": "yandex",
    "utm_campaign": "summer",
    "refferrer": "https://ya.ru/",
    "has_recording": "1",
    "recording": "https://example.com/r/41.mp3",
}
MISSED: Mapping[str, str] = {
    **ANSWERED,
    "uniqueid": "ru3-1777880000.42",
    "disposition": "NO ANSWER",
    "duration": "22",
    "waittime": "22",
    "billsec": "0",
    "connected_with": "",
    "employee_number": "",
    "employee_fio": "",
    "has_recording": "0",
    "recording": "",
}


def post(body: bytes, headers: Mapping[str, str] = FORM, query: str = "") -> WebhookRequest:
    return WebhookRequest("POST", "/hooks/ringostat/acme/s", query, headers, body, NOON)


def form(fields: Mapping[str, str]) -> WebhookRequest:
    return post(urlencode(fields).encode())


def as_json(data: object) -> WebhookRequest:
    return post(json.dumps(data).encode(), JSON)


def get(query: str) -> WebhookRequest:
    return WebhookRequest("GET", "/hooks/ringostat/acme/s", query, {}, b"", NOON)


def call_of(request: WebhookRequest, settings: SourceSettings = SETTINGS) -> Call:
    [fact] = Ringostat().parse(request, settings)
    event = read_event(fact.event, fact.body)
    assert isinstance(event, CallFinished)
    return event.call


def brief(call: Call) -> dict[str, Any]:
    return {
        "id": call.ref.id,
        "direction": call.direction,
        "status": call.status,
        "phone": call.phone.e164 if call.phone else None,
        "talk_s": call.talk_s,
        "wait_s": call.wait_s,
    }


def test_the_whole_call_is_understood() -> None:
    """Each field of an answered call finds its place, in UTC and E.164."""
    assert call_of(form(ANSWERED)).model_copy(update={"raw": {}}) == Call(
        ref=Ref("acme", Kind.CALL, "ringostat:ru3-1777880000.41"),
        provider="ringostat",
        direction=Direction.IN,
        status=CallStatus.ANSWERED,
        phone=Phone(raw="+79161230001", e164="+79161230001"),
        line="74957770011",
        employee=Employee(extension="204", login="petrova", name="Мария Петрова"),
        started_at=datetime(2026, 5, 4, 8, 58, tzinfo=UTC),
        talk_s=60,
        wait_s=15,
        recording=Recording(url="https://example.com/r/41.mp3"),
        tracking={
            "utm_source": "yandex",
            "utm_campaign": "summer",
            "referrer": "https://ya.ru/",
            "line_name": "Сайт",
        },
    )


FORMS = {
    "form": form(ANSWERED),
    "query of a GET": get(urlencode(ANSWERED)),
    "query of a POST": post(b"", FORM, urlencode(ANSWERED)),
    "JSON": as_json(ANSWERED),
    "JSON with numbers": as_json({**ANSWERED, "billsec": 60, "waittime": 15, "duration": 75, "has_recording": True}),
    "JSON without its content type": post(json.dumps(ANSWERED).encode(), {}),
    "JSON-RPC by name": as_json({"jsonrpc": "2.0", "id": 7, "method": "end", "params": ANSWERED}),
    "JSON-RPC by position": as_json({"jsonrpc": "2.0", "id": 7, "method": "end", "params": [ANSWERED]}),
    "headers": WebhookRequest("POST", "/", "", {name.lower(): text for name, text in ANSWERED.items()}, b"", NOON),
    "headers with dashes, UTF-8 read as Latin-1": WebhookRequest(
        "POST",
        "/",
        "",
        {name.lower().replace("_", "-"): text.encode().decode("latin-1") for name, text in ANSWERED.items()},
        b"",
        NOON,
    ),
    "webhooks 2.0": as_json(
        {
            **{name: text for name, text in ANSWERED.items() if name not in ("dst", "employee_fio")},
            "additional_call_data": {"dst": ANSWERED["dst"], "employee_fio": ANSWERED["employee_fio"]},
        }
    ),
    "webhooks 2.0 in a form": form(
        {
            **{name: text for name, text in ANSWERED.items() if name not in ("dst", "billsec")},
            "additional_call_data": json.dumps({"dst": ANSWERED["dst"], "billsec": ANSWERED["billsec"]}),
        }
    ),
    "webhooks 2.0 in a list": as_json(
        {
            **{name: text for name, text in ANSWERED.items() if name != "dst"},
            "additional_call_data": [{"dst": ANSWERED["dst"]}],
        }
    ),
    "an object that is cut off": form({**ANSWERED, "additional_call_data": '{"dst": '}),
    "objects inside each other": as_json({"params": {"params": {"params": {"params": {"params": {}}, **ANSWERED}}}}),
    "webhooks 2.0 in PHP brackets": form(
        {
            **{name: text for name, text in ANSWERED.items() if name != "dst"},
            "additional_call_data[dst]": ANSWERED["dst"],
        }
    ),
}


@pytest.mark.parametrize("request_", FORMS.values(), ids=FORMS.keys())
def test_every_form_of_a_delivery_gives_the_same_call(request_: WebhookRequest) -> None:
    """Where the operator put the fields makes no difference."""
    found, expected = call_of(request_), call_of(form(ANSWERED))
    assert found.model_copy(update={"raw": {}}) == expected.model_copy(update={"raw": {}})


def test_a_call_is_one_fact_however_often_it_is_sent() -> None:
    """Key, lane and moment follow from the call: `billsec` and `waittime` say when it ended."""
    [once] = Ringostat().parse(form(ANSWERED), SETTINGS)
    [again] = Ringostat().parse(as_json(ANSWERED), SETTINGS)
    assert (once.key, once.lane, once.at, once.event) == (
        "ringostat:ru3-1777880000.41:finished",
        "phone:+79161230001",
        datetime(2026, 5, 4, 8, 59, 15, tzinfo=UTC),
        "CallFinished",
    )
    assert (again.key, again.lane, again.at) == (once.key, once.lane, once.at)
    json.dumps(once.body)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {"status": CallStatus.MISSED, "talk_s": 0, "wait_s": 22}),
        ({"disposition": "ANSWERED"}, {"status": CallStatus.MISSED, "talk_s": 0}),
        ({"disposition": "BUSY"}, {"status": CallStatus.BUSY}),
        ({"disposition": "FAILED"}, {"status": CallStatus.FAILED}),
        ({"disposition": "NO FORWARD"}, {"status": CallStatus.MISSED}),
        ({"disposition": "VOICEMAIL", "billsec": "20"}, {"status": CallStatus.VOICEMAIL, "talk_s": 0}),
        ({"disposition": "NO ANSWER", "billsec": "7"}, {"status": CallStatus.ANSWERED, "talk_s": 7}),
        ({"waittime": "", "duration": "30", "billsec": "12"}, {"talk_s": 12, "wait_s": 18}),
        ({"waittime": "00:01:05"}, {"wait_s": 65}),
        ({"call_type": "callback"}, {"direction": Direction.CALLBACK, "phone": "+79161230001"}),
        ({"call_type": "OUT", "dst": "8 (926) 555-44-33"}, {"direction": Direction.OUT, "phone": "+79265554433"}),
        ({"call_type": "out", "dst": "112"}, {"direction": Direction.INTERNAL, "phone": None}),
        ({"E164": "", "caller_number": ""}, {"phone": "+79161230001"}),
        ({"E164": "", "caller_number": "", "caller": "anonymous"}, {"phone": None}),
    ],
)
def test_what_a_call_was(changes: Mapping[str, str], expected: Mapping[str, object]) -> None:
    """`billsec` says whether anybody talked, the direction says whose number is the client's."""
    found = brief(call_of(form({**MISSED, **changes})))
    assert {name: found[name] for name in expected} == expected


def test_a_hidden_number_is_alone_in_its_lane() -> None:
    """Anonymous calls have nothing in common."""
    hidden = {**MISSED, "E164": "", "caller_number": "", "caller": "Anonymous"}
    [fact] = Ringostat().parse(form(hidden), SETTINGS)
    assert (fact.lane, call_of(form(hidden)).phone) == ("call:ringostat:ru3-1777880000.42", None)


def test_a_number_that_could_be_two_is_kept_as_said() -> None:
    """`7 8 900 …` is not guessed."""
    odd = {**MISSED, "E164": "", "caller_number": "", "caller": "7 8 900 123 45 67"}
    assert call_of(form(odd)).phone == Phone(raw="7 8 900 123 45 67")


@pytest.mark.parametrize(
    "fields",
    [
        {"uniqueid": "1", "call_type": "in", "calldate": "2026-05-04 11:58:00", "caller": "79161230001"},
        {"uniqueid": "1", "call_type": "in", "disposition": "", "billsec": "0", "caller": "79161230001"},
        {"uniqueid": "1", "connected_with": "petrova", "caller": "79161230001"},
        {},
    ],
)
def test_phases_before_the_end_are_no_facts(fields: Mapping[str, str]) -> None:
    """Ringing and picking up lead to nothing, and neither does an empty probe."""
    assert Ringostat().parse(form(fields), SETTINGS) == ()


def test_renamed_fields_and_another_date_format() -> None:
    """The operator may call the fields as they like; then the settings say how."""
    settings = RingostatSettings(
        account="acme",
        fields={"uniqueid": "id", "caller": "From-Number", "billsec": "talk", "calldate": "when"},
        time_format="%d.%m.%Y %H:%M",
        timezone="Asia/Yekaterinburg",
    )
    request = as_json({"id": 5, "from-number": "79161230001", "talk": 9, "when": "04.05.2026 12:00"})
    call = call_of(request, settings)
    assert brief(call) == {
        "id": "ringostat:5",
        "direction": Direction.IN,
        "status": CallStatus.ANSWERED,
        "phone": "+79161230001",
        "talk_s": 9,
        "wait_s": 0,
    }
    assert call.started_at == datetime(2026, 5, 4, 7, 0, tzinfo=UTC)


@pytest.mark.parametrize("said", ["2026-05-04T11:58:00+03:00", "1777885080", "1777885080000", "2026-05-04 11:58:00"])
def test_times_in_every_usual_writing(said: str) -> None:
    """ISO 8601 and Unix time are read whatever the format is set to."""
    assert call_of(form({**MISSED, "calldate": said})).started_at == datetime(2026, 5, 4, 8, 58, tzinfo=UTC)


def test_a_call_without_a_time_ended_when_it_was_received() -> None:
    """Leaving `calldate` out does not lose the call."""
    fields = {name: text for name, text in MISSED.items() if name != "calldate"}
    assert call_of(form(fields)).started_at == datetime(2026, 5, 4, 8, 59, 38, tzinfo=UTC)


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        (post(b'{"uniqueid": 1,', JSON), "JSON"),
        (as_json([1, 2]), "list"),
        (form({"disposition": "ANSWERED", "billsec": "4"}), "uniqueid"),
        (form({**ANSWERED, "billsec": "long"}), "billsec"),
        (form({**ANSWERED, "billsec": "1e99"}), "billsec"),
        (form({**ANSWERED, "billsec": "-3"}), "billsec"),
        (form({**ANSWERED, "billsec": "nan"}), "billsec"),
        (form({**ANSWERED, "calldate": "yesterday"}), "time_format"),
        (form({**ANSWERED, "call_type": "sideways"}), "call_type"),
    ],
)
def test_what_cannot_be_understood_is_named(request_: WebhookRequest, told: str) -> None:
    """The error says which field, so that the operator can mend the webhook."""
    with pytest.raises(BadPayload, match=told):
        Ringostat().parse(request_, SETTINGS)


def test_a_hostile_text_is_made_storable() -> None:
    """Half characters and NUL do not get through to a database."""
    request = post(b'{"uniqueid":"a\\ud800b\\u0000c","billsec":"3","caller":"79161230001"}', JSON)
    [fact] = Ringostat().parse(request, SETTINGS)
    assert fact.key == "ringostat:a?bc:finished"
    assert json.dumps(fact.body, ensure_ascii=False).encode()


SECRET = RingostatSettings(account="acme", secret=SecretStr("пароль-42"))
SHOWN = {
    "form": form({**ANSWERED, "token": "пароль-42"}),
    "JSON": as_json({**ANSWERED, "Auth-Key": "пароль-42"}),
    "nested": as_json({**ANSWERED, "additional_call_data": {"token": "пароль-42"}}),
    "query": post(b"", FORM, urlencode({"token": "пароль-42"})),
    "header": post(b"", {"auth-key": "пароль-42"}),
    "header beside a broken body": post(b"{", {**JSON, "auth-key": "пароль-42"}),
}
NOT_SHOWN = {
    "nothing": form(ANSWERED),
    "another": form({**ANSWERED, "token": "пароль-43"}),
    "a beginning": form({**ANSWERED, "token": "пароль"}),
    "empty": form({**ANSWERED, "token": ""}),
    "the wrong name": form({**ANSWERED, "password": "пароль-42"}),
    "half a character": post(b'{"token":"\\ud800"}', JSON),
    "a broken body": post(b"{", JSON),
}


@pytest.mark.parametrize("request_", SHOWN.values(), ids=SHOWN.keys())
def test_who_shows_the_secret_comes_in(request_: WebhookRequest) -> None:
    """It may stand in any place where the operator can put a static value."""
    Ringostat().verify(request_, SECRET)


@pytest.mark.parametrize("request_", NOT_SHOWN.values(), ids=NOT_SHOWN.keys())
def test_who_does_not_show_the_secret_stays_outside(request_: WebhookRequest) -> None:
    """Nothing but the whole secret opens; the refusal does not hold it."""
    with pytest.raises(WebhookRejected) as refused:
        Ringostat().verify(request_, SECRET)
    assert "пароль" not in str(refused.value)


def test_without_a_secret_the_address_is_enough() -> None:
    """The hook's address has its own secret part."""
    Ringostat().verify(form(ANSWERED), SETTINGS)


def test_the_secret_does_not_travel_on() -> None:
    """What the sender shows is no part of the call."""
    request = form({**ANSWERED, "token": "пароль-42"})
    [fact] = Ringostat().parse(request, SECRET)
    assert "пароль" not in json.dumps(fact.body, ensure_ascii=False)


def test_ringostat_wants_200() -> None:
    """Any other status would lose the call: nothing is sent twice."""
    assert Ringostat().reply(form(ANSWERED), SETTINGS) == WebhookReply(status=200, body="")


def test_it_is_installed_under_its_name() -> None:
    """Hook addresses and crmkit.toml call it `ringostat`; it keeps what a source promises."""
    source: Source = Ringostat()
    installed = registry.source("ringostat")
    assert (source.name, type(installed), installed.settings_type) == ("ringostat", Ringostat, RingostatSettings)


def test_an_internal_call_has_no_client() -> None:
    """Whatever numbers it tells are extensions."""
    assert call_of(form({**ANSWERED, "call_type": "internal"})).phone is None


def test_a_field_that_ringostat_does_not_have_is_refused() -> None:
    """A slip in the mapping shows when the service starts."""
    with pytest.raises(ConfigError, match="bilsec"):
        read_settings(RingostatSettings, {"account": "acme", "fields": {"bilsec": "talk"}}, where="crmkit.toml")


def test_plain_source_settings_have_the_defaults() -> None:
    """The source also works with the settings every source has."""
    assert brief(call_of(form(ANSWERED), SourceSettings(account="acme")))["id"] == "ringostat:ru3-1777880000.41"
