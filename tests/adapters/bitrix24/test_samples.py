"""Every sample decodes: events into hints or a reason, bodies into records, refusals into typed errors."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import responses
from pydantic import SecretStr

from crmkit import errors
from crmkit.adapter import Account, Doors
from crmkit.http import LocalLimiter
from crmkit.models import (
    CallStatus,
    Company,
    Contact,
    Deal,
    Direction,
    Lead,
    Note,
    Outcome,
    Pipeline,
    Record,
    Task,
    User,
)
from crmkit.testing.clock import JumpingClock
from crmkit.tokens import FileTokenStore
from crmkit.values import Kind, Money, Ref
from crmkit.webhook import Action, Delivery, Hint, Installation, WebhookRequest
from crmkit_bitrix24 import Bitrix24Adapter, Bitrix24Settings
from crmkit_bitrix24.adapter import Bitrix24Connection

SAMPLES = Path(__file__).parents[2] / "samples" / "bitrix24"
CARDS: Mapping[str, Any] = json.loads((SAMPLES / "cards.json").read_text(encoding="utf-8"))
REFUSALS: Mapping[str, Any] = json.loads((SAMPLES / "refusals.json").read_text(encoding="utf-8"))
SETTINGS = Bitrix24Settings(
    key="okna", vendor="bitrix24", base_url="https://okna.bitrix24.ru", webhook=SecretStr("1/s3cret")
)
HOME = Account("okna", "bitrix24", "1", "okna", "https://okna.bitrix24.ru", "Europe/Moscow", "RUB")
MEMBER = "5e1f9d0c7ab24e6f8c3d"
AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
CALL = "externalCall.9d4be0a1f6.1772441900"

HINTS: Mapping[str, tuple[Kind, str, Action]] = {
    "deal_update": (Kind.DEAL, "812", Action.CHANGED),
    "deal_update_by_robot": (Kind.DEAL, "812", Action.CHANGED),
    "contact_add_outgoing_webhook": (Kind.CONTACT, "431", Action.ADDED),
    "deal_moved_to_category": (Kind.DEAL, "812", Action.CHANGED),
    "company_delete": (Kind.COMPANY, "77", Action.DELETED),
    "task_add": (Kind.TASK, "task.905", Action.ADDED),
    "task_delete": (Kind.TASK, "task.905", Action.DELETED),
    "activity_add": (Kind.TASK, "2210", Action.ADDED),
    "comment_update": (Kind.NOTE, "66", Action.CHANGED),
    "call_end": (Kind.CALL, CALL, Action.ADDED),
}
REASONS: Mapping[str, str] = {
    "task_comment": "ONTASKCOMMENTADD: comments of tasks are no records of crmkit",
    "call_begins": "ONVOXIMPLANTCALLSTART: a call that has not ended is no record",
    "click_to_call": "ONEXTERNALCALLSTART: a click-to-call has no result yet",
    "user_field_changed": "ONCRMDEALUSERFIELDSETENUMVALUES: crmkit does not know this event",
    "smart_process_update": "ONCRMDYNAMICITEMUPDATE: crmkit does not know this event",
    "app_uninstall": "ONAPPUNINSTALL: the application was removed; authorise it again",
    "offline_events_wait": "ONOFFLINEEVENT: it only wakes whoever reads offline events",
}


def delivery(name: str) -> Delivery:
    """What the adapter makes of an event's body."""
    headers = {"content-type": "application/x-www-form-urlencoded; charset=UTF-8"}
    body = (SAMPLES / f"{name}.form").read_bytes()
    return Bitrix24Adapter().parse(WebhookRequest("POST", "/", "", headers, body, AT), SETTINGS)


def record(kind: Kind, name: str) -> Record:
    """What the adapter makes of a card."""
    return Bitrix24Adapter().translate(kind, CARDS[name], HOME)


def ref(kind: Kind, id_: str) -> Ref:
    return Ref("okna", kind, id_)


def test_every_sample_is_looked_at() -> None:
    """A new event needs its line here."""
    assert {path.stem for path in SAMPLES.glob("*.form")} == HINTS.keys() | REASONS.keys() | {"app_install"}


@pytest.mark.parametrize("name", HINTS)
def test_an_event_names_a_record(name: str) -> None:
    """Of an application, of a robot, of an outgoing webhook; with `undefined` where a task is gone or new."""
    kind, id_, action = HINTS[name]
    assert delivery(name) == Delivery((Hint(ref(kind, id_), action, AT),), account_id=MEMBER)


@pytest.mark.parametrize("name", REASONS)
def test_an_event_of_another_matter_says_why(name: str) -> None:
    """No hint, and a reason that names the event."""
    assert delivery(name) == Delivery(refusals=(REASONS[name],), account_id=MEMBER)


def test_an_installation_brings_its_tokens() -> None:
    """With the portal's address and what its events will carry; none of it is shown."""
    found = delivery("app_install")
    assert found == Delivery(
        account_id=MEMBER,
        installation=Installation(
            "a1b2c3d4e5", "f6e5d4c3b2", 3600.0, "https://okna.bitrix24.ru/rest/", "7f3a9c55d2e84b10"
        ),
    )
    assert not any(secret in repr(found) for secret in ("a1b2c3d4e5", "f6e5d4c3b2", "7f3a9c55d2e84b10"))


@pytest.mark.parametrize("shape", ["deal_classic", "deal_universal"])
def test_both_families_give_the_same_deal(shape: str) -> None:
    """Strings and numbers, upper case and camel case; a field that nobody knows is kept."""
    deal = record(Kind.DEAL, shape)
    assert isinstance(deal, Deal)
    assert (deal.ref, deal.title, deal.amount) == (
        ref(Kind.DEAL, "812"),
        "Остекление лоджии",
        Money(Decimal("125000.50"), "RUB"),
    )
    assert deal.stage is not None
    assert (deal.stage.pipeline_id, deal.stage.stage_id, deal.outcome) == ("4", "C4:WON", Outcome.WON)
    assert (deal.contacts, deal.company) == (
        (ref(Kind.CONTACT, "431"), ref(Kind.CONTACT, "432")),
        ref(Kind.COMPANY, "77"),
    )
    assert (deal.owner_id, deal.created_by, deal.updated_by, deal.source) == ("9", "1", "9", "CALL")
    assert deal.closed_at == datetime(2026, 3, 2, 8, 59, tzinfo=UTC)
    assert deal.raw == CARDS[shape]


@pytest.mark.parametrize("shape", ["deal_bare_classic", "deal_bare_universal"])
def test_every_way_of_having_no_value_is_understood(shape: str) -> None:
    """Null, "", "0", 0, false, [] and a missing key."""
    deal = record(Kind.DEAL, shape)
    assert isinstance(deal, Deal)
    assert (deal.title, deal.amount, deal.contacts, deal.company, deal.owner_id) == ("", None, (), None, None)
    assert (deal.outcome, deal.closed_at, deal.created_at) == (Outcome.OPEN, None, None)


def test_people_and_organisations() -> None:
    """Multifields as list and as map, empty ones left out; tax numbers of the requisites that have them."""
    person, nobody = record(Kind.CONTACT, "contact"), record(Kind.CONTACT, "contact_bare")
    company, lead = record(Kind.COMPANY, "company"), record(Kind.LEAD, "lead")
    assert isinstance(person, Contact)
    assert isinstance(nobody, Contact)
    assert isinstance(company, Company)
    assert isinstance(lead, Lead)
    assert (person.name, [phone.e164 for phone in person.phones]) == ("Иван Петров", ["+79123456789"])
    assert ([one.value for one in person.emails], person.birthday) == (["ivan@example.com"], date(1990, 5, 17))
    assert (nobody.name, nobody.phones, nobody.birthday, nobody.company) == ("", (), None, None)
    assert (company.name, company.site) == ("ООО «Вектор»", "https://vector.example")
    assert (company.inn, company.kpp, company.contacts) == ("7707083893", "773601001", (ref(Kind.CONTACT, "431"),))
    assert (lead.title, lead.status, [phone.e164 for phone in lead.phones]) == (
        "Заявка с сайта",
        "IN_PROCESS",
        ["+74951234567"],
    )


def test_work() -> None:
    """A to-do with its result, tasks of both REST versions, remarks; the card they stand on, if we have its kind."""
    todo, task, other = (record(Kind.TASK, name) for name in ("todo", "module_task", "module_task_of_rest_3"))
    note, stray = record(Kind.NOTE, "comment"), record(Kind.NOTE, "comment_on_smart_process")
    assert isinstance(todo, Task)
    assert isinstance(task, Task)
    assert isinstance(other, Task)
    assert isinstance(note, Note)
    assert isinstance(stray, Note)
    deal = ref(Kind.DEAL, "812")
    assert (todo.text, todo.result, todo.is_done) == ("Перезвонить\nпосле обеда", "договорились", True)
    assert (todo.about, todo.due) == (deal, datetime(2026, 3, 2, 12, tzinfo=UTC))
    assert (task.ref.id, task.about, task.is_done, task.owner_id) == ("task.905", deal, True, "9")
    assert (other.about, other.is_done, other.owner_id, other.due) == (None, False, "9", None)
    assert (note.text, note.about, note.owner_id) == ("[B]Ждёт[/B] смету", deal, "9")
    assert (stray.text, stray.about, stray.owner_id) == ("", None, None)


def test_calls_users_and_pipelines() -> None:
    """A map where a date is due is no date; stages stand in their order."""
    call, odd = record(Kind.CALL, "call"), record(Kind.CALL, "call_without_a_date")
    user, pipeline = record(Kind.USER, "user"), record(Kind.PIPELINE, "pipeline")
    assert isinstance(user, User)
    assert isinstance(pipeline, Pipeline)
    told = [
        (getattr(one, "status", None), getattr(one, "direction", None), getattr(one, "talk_s", None))
        for one in (call, odd)
    ]
    assert told == [(CallStatus.ANSWERED, Direction.IN, 42), (CallStatus.CANCELLED, Direction.OUT, 0)]
    assert [getattr(one, "started_at", None) for one in (call, odd)] == [
        datetime(2026, 3, 2, 8, 58, 20, tzinfo=UTC),
        None,
    ]
    assert (user.name, user.is_active) == ("Анна Ким", True)
    assert [(stage.name, stage.outcome) for stage in pipeline.stages] == [
        ("Новая", Outcome.OPEN),
        ("Успех", Outcome.WON),
        ("Провал", Outcome.LOST),
    ]


@pytest.mark.parametrize("kind", [Kind.DEAL, Kind.CONTACT, Kind.COMPANY, Kind.LEAD, Kind.TASK, Kind.NOTE, Kind.USER])
@pytest.mark.parametrize("body", [{}, {"ID": ""}, {"result": {"c0": {"item": {"id": 5}}}}])
def test_a_body_that_is_no_record_is_a_bad_payload(kind: Kind, body: Mapping[str, Any]) -> None:
    """The error names the account and the kind, and repeats nothing of the body."""
    with pytest.raises(errors.BadPayload) as bad:
        Bitrix24Adapter().translate(kind, body, HOME)
    assert (bad.value.account, bad.value.vendor) == ("okna", "bitrix24")
    assert kind.value in bad.value.message


@pytest.fixture
def connection(tmp_path: Path) -> Bitrix24Connection:
    """A connection whose time passes at once."""
    spent = [0.0]

    def wait(seconds: float) -> None:
        spent[0] += seconds

    clock = JumpingClock(lambda: datetime.fromtimestamp(AT.timestamp() + spent[0], UTC), wait)
    doors = Doors(tokens=FileTokenStore(tmp_path), limiter=LocalLimiter(clock), clock=clock)
    return Bitrix24Adapter().open(SETTINGS, doors)


@pytest.mark.parametrize("name", [name for name in REFUSALS if name != "source"])
def test_a_refusal_is_a_typed_error(connection: Bitrix24Connection, name: str) -> None:
    """Decided by code, then status, last by text; its message has no HTML."""
    status, body, wanted = REFUSALS[name]
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    with responses.RequestsMock() as portal:
        portal.post(re.compile("https://okna.bitrix24.ru/.*"), body=text, status=status)
        with pytest.raises(errors.CrmKitError) as refused:
            connection.call("POST", "crm.deal.update", body={"id": 812, "fields": {}})
    assert type(refused.value) is getattr(errors, wanted)
    assert (refused.value.account, refused.value.vendor) == ("okna", "bitrix24")
    assert "<" not in refused.value.message
