"""Calls to Bitrix24: what is asked, in how many requests, and what becomes of each part of a batch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
import responses
from pydantic import SecretStr
from tests.adapters.bitrix24.access import application, connected, webhook

from crmkit import Call, CallStatus, Capability, Crm, CustomField, Direction, Kind, Level, Money, Phone, Ref
from crmkit.adapter import Doors
from crmkit.errors import (
    AccountBlocked,
    BadPayload,
    Conflict,
    CrmKitError,
    NotFound,
    RateLimited,
    Rejected,
    Unsupported,
    VendorDown,
)
from crmkit.http import LocalLimiter, Reply, Request
from crmkit.models import Company, Contact, Deal, Lead, LineItem, Note, Task
from crmkit.testing.clock import JumpingClock
from crmkit.tokens import FileTokenStore
from crmkit.write import Verb, Write
from crmkit_bitrix24 import Bitrix24Adapter, Bitrix24Settings
from crmkit_bitrix24.adapter import Bitrix24Connection
from crmkit_bitrix24.errors.answers import judge_for
from crmkit_bitrix24.wire import bracketed, mapping, rows
from crmkit_testing.bitrix24 import Bitrix24Side
from crmkit_testing.side import ACCOUNT

PORTAL = "https://okna.bitrix24.ru"
REST = f"{PORTAL}/rest/1/s3cret"
NOON = datetime(2026, 3, 2, 9, tzinfo=UTC)


class Still:
    """A clock that stands until somebody waits."""

    def __init__(self) -> None:
        self.at = NOON
        self.clock = JumpingClock(lambda: self.at, self._jump)

    def _jump(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def mocked() -> Iterator[tuple[Bitrix24Connection, Still]]:
    """A connection to a portal whose answers the test gives."""
    still = Still()
    settings = Bitrix24Settings(key=ACCOUNT, vendor="bitrix24", base_url=PORTAL, webhook=SecretStr("1/s3cret"))
    doors = Doors(tokens=FileTokenStore(Path()), limiter=LocalLimiter(still.clock), clock=still.clock)
    with responses.mock:
        yield Bitrix24Adapter().open(settings, doors), still
    responses.reset()


@pytest.fixture
def crm(side: Bitrix24Side, tmp_path: Path) -> Crm:
    """The portal as an application sees it."""
    return Crm(connected(side, application(side), tmp_path))


@pytest.fixture
def guest(side: Bitrix24Side, tmp_path: Path) -> Crm:
    """The portal as a webhook sees it."""
    return Crm(connected(side, webhook(side), tmp_path))


def ref(kind: Kind, id_: str) -> Ref:
    return Ref(ACCOUNT, kind, id_)


def sent(number: int = -1) -> dict[str, Any]:
    """The body of a request that was made."""
    found: dict[str, Any] = json.loads(responses.calls[number].request.body or b"{}")
    return found


def batch(result: Any = (), errors: Any = (), times: Any = ()) -> dict[str, Any]:
    """The answer to a batch."""
    return {"result": {"result": result, "result_error": errors, "result_time": times}}


def test_a_query_has_phps_brackets() -> None:
    """Keys and values are encoded; empty lists, None and switches have their spellings."""
    text = bracketed({"filter": {">ID": 5, "@STAGE": ["A&B", "C"]}, "select": ["*"], "x": None, "y": True, "z": []})
    assert parse_qsl(text, keep_blank_values=True) == [
        ("filter[>ID]", "5"),
        ("filter[@STAGE][0]", "A&B"),
        ("filter[@STAGE][1]", "C"),
        ("select[0]", "*"),
        ("x", ""),
        ("y", "Y"),
        ("z", ""),
    ]


def test_maps_and_rows_come_in_several_shapes() -> None:
    """An empty map is a list, a numbered one may be; rows lie bare or under their name."""
    assert (mapping([]), mapping(["a"]), mapping({"k": 1}), mapping(None)) == ({}, {"0": "a"}, {"k": 1}, {})
    row = {"ID": "1"}
    found = [rows([row]), rows({"items": [row]}), rows({"tasks": [row]}), rows({"7": row}), rows([]), rows(None)]
    assert found == [[row], [row], [row], [row], [], []]


def test_a_whole_read_asks_for_what_it_needs_along_with_the_first_page(side: Bitrix24Side, guest: Crm) -> None:
    """6,000 deals by a new connection: one request for the first fifty and all names, three for the others."""
    ids = side.portal.bulk_deals(6000)
    seen = [deal.ref.id for deal in guest.deals.iterate()]
    assert seen == [str(one) for one in ids]
    assert side.requests() == 4


def test_many_records_come_by_lists_of_ids(side: Bitrix24Side, guest: Crm) -> None:
    """3,000 contacts by address in two batches, once their fields are known."""
    ids = side.portal.bulk_contacts(3000)
    guest.fields(Kind.CONTACT)
    _ = guest.account
    before = side.requests()
    found = guest.contacts.get_many([guest.ref(Kind.CONTACT, one) for one in ids])
    assert (len(found), side.requests() - before) == (3000, 2)


def test_many_writes_go_by_fifties_with_a_result_each(side: Bitrix24Side, guest: Crm) -> None:
    """Two hundred to-dos in four requests; the one on a card that is not there says so, alone."""
    deal = side.portal.bulk_deals(1)[0]
    due = NOON + timedelta(days=1)
    drafts = [Task(text=f"Дело {number}", about=guest.ref(Kind.DEAL, deal), due=due) for number in range(199)]
    drafts.insert(70, Task(text="Мимо", about=guest.ref(Kind.DEAL, 999), due=due))
    before = side.requests()
    result = guest.tasks.create_many(drafts)
    assert sorted(result.done) == [place for place in range(200) if place != 70]
    assert [(failure.index, type(failure.error)) for failure in result.failed] == [(70, NotFound)]
    assert side.requests() - before == 4


def test_each_part_of_a_batch_has_its_own_error(mocked: tuple[Bitrix24Connection, Still]) -> None:
    """Refused, missing, busy and unsaid commands beside a good one, though the answer is a 200."""
    connection, _ = mocked
    errors = {
        "c1": {"error": "", "error_description": "Not found"},
        "c2": {"error": "ACCESS_DENIED", "error_description": "Access denied!"},
        "c3": {"error": "OPERATION_TIME_LIMIT", "error_description": "Method is blocked."},
    }
    responses.post(f"{REST}/batch", json=batch({"c0": True}, errors))
    writes = [Write(Verb.DELETE, Kind.DEAL, ref=ref(Kind.DEAL, str(number))) for number in range(1, 6)]
    results = connection.write_many(writes)
    assert results[0] == ref(Kind.DEAL, "1")
    assert [type(result) for result in results[1:]] == [NotFound, Rejected, RateLimited, VendorDown]
    errors_told = [result for result in results if isinstance(result, CrmKitError)]
    assert [error.ref for error in errors_told] == [str(ref(Kind.DEAL, str(number))) for number in range(2, 6)]
    assert sent()["cmd"]["c0"] == "crm.deal.delete?id=1"


def test_a_lost_batch_of_writes_leaves_each_in_doubt(mocked: tuple[Bitrix24Connection, Still]) -> None:
    """Part of it may have been done: it is not sent again, and each says so."""
    connection, _ = mocked
    responses.post(f"{REST}/batch", body="<html>504</html>", status=504)
    writes = [Write(Verb.DELETE, Kind.DEAL, ref=ref(Kind.DEAL, str(number))) for number in (1, 2)]
    results = connection.write_many(writes)
    assert [(type(one), getattr(one, "maybe_applied", None)) for one in results] == [(VendorDown, True)] * 2
    assert len(responses.calls) == 1


def test_a_method_near_its_operating_limit_is_paused(mocked: tuple[Bitrix24Connection, Still]) -> None:
    """Told by an answer, held before the next call of that method alone; free again at the portal's moment."""
    connection, still = mocked
    reset = int(NOON.timestamp()) + 20
    used = {"operating": 470.5, "operating_reset_at": reset}
    responses.post(f"{REST}/crm.deal.get", json={"result": {"ID": "1"}, "time": used})
    responses.post(f"{REST}/crm.lead.get", json={"result": {"ID": "1"}})
    connection.call("GET", "crm.deal.get")
    connection.call("GET", "crm.lead.get")
    before = still.at
    connection.call("GET", "crm.deal.get")
    assert before - NOON < timedelta(seconds=1)
    assert still.at.timestamp() == reset


def test_a_method_that_is_blocked_for_long_is_told_at_once(mocked: tuple[Bitrix24Connection, Still]) -> None:
    """The refusal says when; until then nothing is sent for that method, and other methods go on."""
    connection, _ = mocked
    blocked = {"error": "OPERATION_TIME_LIMIT", "error_description": "Method is blocked."}
    responses.post(f"{REST}/crm.deal.get", json=blocked, status=429)
    responses.post(f"{REST}/crm.lead.get", json={"result": {"ID": "1"}})
    waits = []
    for _ in range(2):
        with pytest.raises(RateLimited) as limited:
            connection.call("GET", "crm.deal.get")
        waits.append(limited.value.retry_after_s)
    assert connection.call("GET", "crm.lead.get") == {"ID": "1"}
    assert waits == [60.0, 60.0]
    assert len(responses.calls) == 2


def test_the_native_door_repeats_reads_only(mocked: tuple[Bitrix24Connection, Still]) -> None:
    """GET says that a call may be repeated; parameters come by query or body."""
    connection, _ = mocked
    responses.post(f"{REST}/crm.item.list", status=502, body="<html>")
    responses.post(f"{REST}/crm.item.list", json={"result": {"items": []}})
    responses.post(f"{REST}/crm.item.add", status=502, body="<html>")
    found = connection.call("GET", "/crm.item.list", query=[("entityTypeId", "177")], body={"select": ["id"]})
    with pytest.raises(VendorDown) as lost:
        connection.call("POST", "crm.item.add")
    assert found == {"items": []}
    assert sent(0) == {"entityTypeId": "177", "select": ["id"]}
    assert (lost.value.maybe_applied, len(responses.calls)) == (True, 3)


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, {"error": "", "error_description": "Not found."}, NotFound),
        (400, {"error": 0, "error_description": "The parameter is bad"}, Rejected),
        (400, {"error": "ERROR_CORE", "error_description": "Нет названия<br>"}, Rejected),
        (401, {"error": "PAYMENT_REQUIRED"}, AccountBlocked),
        (403, {"error": "insufficient_scope", "error_description": "higher privileges"}, Unsupported),
        (403, {"error": "WRONG_AUTH_TYPE", "error_description": "denied for this method"}, Unsupported),
        (404, {"error": "ERROR_METHOD_NOT_FOUND", "error_description": "Method not found!"}, Unsupported),
        (422, {"error": {"code": "BITRIX_REST_V3_EXCEPTION_X", "message": "bad field"}}, Rejected),
        (500, {"error": "INTERNAL_SERVER_ERROR"}, VendorDown),
        (503, {"error": "QUERY_LIMIT_EXCEEDED", "error_description": "Too many requests"}, RateLimited),
        (503, {"error": "OVERLOAD_LIMIT"}, AccountBlocked),
    ],
)
def test_a_refusal_is_known_by_its_code_then_its_status(status: int, body: Any, error: type[CrmKitError]) -> None:
    """Each names the method and holds no HTML."""
    reply = Reply(status, {}, json.dumps(body).encode())
    found = judge_for(ACCOUNT)(Request("POST", "/crm.deal.get", is_safe=True), reply)
    assert type(found) is error
    assert found.message.startswith("crm.deal.get: ")
    assert (found.account, found.vendor, found.status) == (ACCOUNT, "bitrix24", status)
    assert "<" not in str(found)


def test_a_contradiction_is_settled_for_the_survivor(crm: Crm) -> None:
    """The portal merges nothing that contradicts itself: the losers are made equal first."""
    kept, lost = (
        crm.deals.create(Deal(title=title, amount=Money(Decimal(amount), "RUB")))
        for title, amount in (("Окна", 100), ("Двери", 200))
    )
    crm.deals.merge(kept, [lost])
    [deal] = list(crm.deals.iterate())
    assert (deal.ref, deal.title, deal.amount) == (kept, "Окна", Money(Decimal(100), "RUB"))


def test_what_will_not_merge_is_a_conflict(mocked: tuple[Bitrix24Connection, Still]) -> None:
    """The error names the page where a person decides."""
    connection, _ = mocked
    responses.post(f"{REST}/crm.entity.mergeBatch", json={"result": {"STATUS": "CONFLICT", "ENTITY_IDS": []}})
    cards = {"c0": {"ID": "1", "NAME": "Иван"}, "c1": {"ID": "2", "NAME": "Пётр"}}
    responses.post(f"{REST}/batch", json=batch(cards))
    responses.post(f"{REST}/batch", json=batch({"c0": True}))
    survivor, loser = ref(Kind.CONTACT, "1"), ref(Kind.CONTACT, "2")
    with pytest.raises(Conflict) as conflict:
        connection.write(Write(Verb.MERGE, Kind.CONTACT, ref=survivor, others=(loser,)))
    assert "https://okna.bitrix24.ru/crm/contact/merge/?id=1,2" in str(conflict.value)
    assert sent(2)["cmd"] == {"c0": f"crm.contact.update?{bracketed({'id': 2, 'fields': {'NAME': 'Иван'}})}"}


def test_tax_numbers_live_in_requisites(crm: Crm) -> None:
    """Written with a new company, changed in place, found by."""
    company = crm.companies.create(Company(name="ООО «Свет»", inn="7701234567", kpp="770101001"))
    crm.companies.create(Company(name="ООО «Тень»", inn="7709999999"))
    crm.companies.update(company, {"kpp": "770201001"})
    [found] = crm.companies.find(inn="7701234567")
    assert (found.ref, found.inn, found.kpp) == (company, "7701234567", "770201001")


def test_rows_of_a_deal_come_back_as_items(crm: Crm) -> None:
    """The amount is then what the portal counts from them."""
    items = (LineItem(name="Окно", quantity=Decimal(2), price=Money(Decimal(7000), "RUB")),)
    deal = crm.deals.get(crm.deals.create(Deal(title="Окна", items=items)))
    assert [(item.name, item.quantity, item.price) for item in deal.items] == [
        ("Окно", Decimal(2), Money(Decimal(7000), "RUB"))
    ]
    assert deal.amount == Money(Decimal(14000), "RUB")


def test_a_task_of_the_tasks_module_is_asked_for(side: Bitrix24Side, crm: Crm) -> None:
    """It has an address of its own, by which it is read, changed, done and found after a lost answer."""
    deal = crm.deals.create(Deal(title="Окна"))
    draft = Task(text="Смета\nна балкон", about=deal, due=NOON + timedelta(days=1))
    write = Write(Verb.CREATE, Kind.TASK, record=draft, extra={"as": "task"}, marker="run-1")
    connection = crm._connection
    task = connection.write(write)
    assert task is not None
    crm.tasks.update(task, {"text": "Смета новая"})
    crm.tasks.complete(task)
    found = crm.tasks.get(task)
    assert (found.text.partition("\n")[0], found.about, found.is_done) == ("Смета новая", deal, True)
    assert task.id.startswith("task.")
    assert connection.recover(write, since=NOON, known=()) == task
    crm.tasks.delete(task)
    assert list(crm.tasks.get_many([task])) == []
    assert side.portal.tasks == {}


def test_a_to_do_keeps_its_result_whatever_changes(crm: Crm) -> None:
    """Text and deadline change, what came of it stays; a second result takes the place of the first."""
    deal = crm.deals.create(Deal(title="Окна"))
    task = crm.tasks.create(Task(text="Перезвонить", about=deal, due=NOON))
    crm.tasks.complete(task, "Не взял трубку")
    crm.tasks.update(task, {"text": "Перезвонить\nвечером", "due": NOON + timedelta(hours=8), "is_done": False})
    changed = crm.tasks.get(task)
    crm.tasks.complete(task, "Договорились")
    assert (changed.text, changed.due, changed.is_done) == (
        "Перезвонить\nвечером",
        NOON + timedelta(hours=8),
        False,
    )
    assert changed.result == "Не взял трубку"
    assert (crm.tasks.get(task).text, crm.tasks.get(task).result) == ("Перезвонить\nвечером", "Договорились")


@pytest.mark.parametrize(
    ("draft", "field"),
    [(Task(text="Раз", due=NOON), "about"), (Task(text="Раз", about=ref(Kind.DEAL, "1")), "due")],
)
def test_a_to_do_needs_a_card_and_a_deadline(crm: Crm, draft: Task, field: str) -> None:
    """What the portal would refuse is refused by our field's name."""
    with pytest.raises(Rejected) as refused:
        crm.tasks.create(draft)
    assert list(refused.value.fields) == [field]


def test_a_note_is_changed_and_thrown_away(crm: Crm) -> None:
    """By its own address; a walk over all notes is refused with a way out."""
    deal = crm.deals.create(Deal(title="Окна"))
    note = crm.notes.create(Note(about=deal, text="Раз"))
    crm.notes.update(note, {"text": "Два"})
    changed = crm.notes.get(note).text
    crm.notes.delete(note)
    assert (changed, list(crm.notes.find(about=deal))) == ("Два", [])
    with pytest.raises(Unsupported):
        list(crm.notes.iterate())


def test_leads_are_gone_in_the_simple_mode(side: Bitrix24Side, crm: Crm) -> None:
    """In the classic mode they are written, moved and found by phone; later the capability is absent."""
    lead = crm.leads.create(Lead(title="Заявка", phones=(Phone(raw="+79123456789"),)))
    crm.leads.update(lead, {"status": "IN_PROCESS"})
    level = crm.supports(Capability.LEADS)
    assert (crm.leads.get(lead).status, level) == ("IN_PROCESS", Level.NATIVE)
    side.portal.simple_mode = True
    side.turn(601)
    assert crm.supports(Capability.LEADS) is Level.ABSENT


def test_a_webhook_can_do_less(guest: Crm, side: Bitrix24Side) -> None:
    """It neither binds events nor logs calls; the errors say what a person does."""
    call = Call(phone=Phone(raw="+79123456789"), direction=Direction.OUT, status=CallStatus.ANSWERED)
    assert [guest.supports(one) for one in (Capability.WEBHOOKS, Capability.LOG_CALLS)] == [Level.ABSENT] * 2
    with pytest.raises(Unsupported) as hooks:
        guest._connection.ensure_hooks("https://service.example/hooks/x")
    with pytest.raises(Unsupported):
        guest.calls.log(call)
    assert "outgoing webhook" in str(hooks.value)
    assert side.requests() == 0


def test_a_logged_call_is_found_again_by_its_key(crm: Crm) -> None:
    """Logged on the client's card with its recording; a lost answer is looked up in the statistics."""
    person = crm.contacts.create(Contact(name="Иван", phones=(Phone(raw="+79123456789"),)))
    call = Call(
        phone=Phone(raw="+79123456789", e164="+79123456789"),
        direction=Direction.IN,
        status=CallStatus.MISSED,
        started_at=NOON,
        owner_id="2",
    )
    write = Write(Verb.CREATE, Kind.CALL, record=call, marker="call-1")
    connection = crm._connection
    logged = connection.write(write)
    assert logged is not None
    found = crm.calls.get(logged)
    assert (found.contact, found.missed, found.owner_id) == (person, True, "2")
    assert connection.recover(write, since=NOON, known=()) == logged


def test_new_user_fields_are_seen_at_once(side: Bitrix24Side, crm: Crm) -> None:
    """A field that a person made after we read the definitions has its title and type."""
    crm.deals.create(Deal(title="Окна"))
    list(crm.deals.iterate())
    row = {"FIELD_NAME": "UF_CRM_FLOOR", "USER_TYPE_ID": "integer", "LABEL": "Этаж"}
    crm.call("POST", "crm.deal.userfield.add", body={"fields": row})
    deal = side.portal.add_deal(title="Двери", custom_fields={"Этаж": 7})
    found = crm.deals.get(crm.ref(Kind.DEAL, deal))
    assert found[CustomField(Deal, int, "Этаж")] == 7


def test_stale_addresses_of_the_same_service_are_unbound(side: Bitrix24Side, crm: Crm) -> None:
    """A new secret takes the place of the old one; other services are left alone."""
    connection = crm._connection
    old, new, other = (f"https://{name}" for name in ("s.example/hooks/b/o/1", "s.example/hooks/b/o/2", "x.example/"))
    connection.ensure_hooks(old)
    crm.call("POST", "event.bind", body={"event": "ONCRMDEALADD", "handler": other})
    actions = [connection.ensure_hooks(new).action for _ in range(2)]
    assert actions == ["created", "kept"]
    assert {handler["handler"] for handler in side.portal.handlers} == {new, other}


def test_a_foreign_cursor_is_refused(crm: Crm) -> None:
    """The feed does not guess."""
    with pytest.raises(BadPayload):
        crm._connection.feed("12345")


def test_calls_that_are_closed_to_us_do_not_stop_the_feed(side: Bitrix24Side, guest: Crm) -> None:
    """Without the right to telephony the other changes come, and calls are said to be absent."""
    side.portal.oauth.webhook_scopes = ("crm", "user")
    connection = guest._connection
    cursor = connection.feed(None).cursor
    side.turn(10)
    deal = side.portal.add_deal(title="Окна")
    assert guest.ref(Kind.DEAL, deal) in {hint.ref for hint in connection.feed(cursor).hints}
    assert guest.supports(Capability.CALLS) is Level.ABSENT


@pytest.mark.parametrize("answer", [None, True, [], {"item": []}, {"item": {}}])
def test_a_creation_without_an_id_is_in_doubt(mocked: tuple[Bitrix24Connection, Still], answer: Any) -> None:
    """The portal answered, but not with what it promises: it is looked for, not sent again."""
    connection, _ = mocked
    responses.post(f"{REST}/crm.item.add", json={"result": answer})
    with pytest.raises(VendorDown) as lost:
        connection.write(Write(Verb.CREATE, Kind.DEAL, record=Deal(title="Окна")))
    assert (lost.value.maybe_applied, len(responses.calls)) == (True, 1)


def test_the_feed_goes_by_the_portals_clock(mocked: tuple[Bitrix24Connection, Still]) -> None:
    """A clock of ours that is ten minutes ahead loses nothing: windows begin at the portal's time."""
    connection, _ = mocked
    portal = "2026-03-02T11:50:00+03:00"
    responses.post(f"{REST}/batch", json=batch({"c0": portal, "c1": {"items": []}, "c2": []}))
    nothing: dict[str, Any] = {f"c{place}": [] for place in range(1, 8)}
    responses.post(f"{REST}/batch", json=batch({"c0": "2026-03-02T11:51:00+03:00", **nothing}))
    responses.post(f"{REST}/batch", json=batch({"c0": "2026-03-02T11:52:00+03:00", **nothing}))
    cursor = connection.feed(None).cursor
    for _ in range(2):
        cursor = connection.feed(cursor).cursor
    windows = [dict(parse_qsl(sent(number)["cmd"]["c1"].partition("?")[2])) for number in (1, 2)]
    assert [window["filter[>=DATE_MODIFY]"] for window in windows] == [
        "2026-03-02T08:49:55+00:00",
        "2026-03-02T08:50:55+00:00",
    ]


def test_a_closed_list_does_not_stop_the_feed(mocked: tuple[Bitrix24Connection, Still]) -> None:
    """Leads and the stage history are refused: deals are told, and what is missing is said to be absent."""
    connection, _ = mocked
    denied = {"error": "ACCESS_DENIED", "error_description": "Access denied!"}
    deal = {"ID": "7", "DATE_CREATE": "2026-03-01T10:00:00+03:00", "DATE_MODIFY": "2026-03-02T12:00:00+03:00"}
    found: dict[str, Any] = {"c0": NOON.isoformat(), "c1": [deal], "c2": [], "c3": [], "c5": [], "c7": []}
    responses.post(f"{REST}/batch", json=batch(found, {"c4": denied, "c6": denied}))
    cursor = '{"since":1772442000.0,"until":1772442000.0,"open":null,"history":5,"calls":0}'
    page = connection.feed(cursor)
    assert [hint.ref for hint in page.hints] == [ref(Kind.DEAL, "7")]
    assert connection.supports(Capability.STAGE_HISTORY) is Level.ABSENT
    assert json.loads(page.cursor)["history"] == 5


def test_an_account_that_tells_little_is_still_an_account(mocked: tuple[Bitrix24Connection, Still]) -> None:
    """Without a profile and a currency the defaults hold."""
    connection, _ = mocked
    unknown = {"error": "ERROR_METHOD_NOT_FOUND", "error_description": "Method not found!"}
    responses.post(f"{REST}/batch", json=batch([], {"c0": unknown, "c1": unknown}))
    account = connection.account()
    assert (account.id, account.currency, account.timezone, account.user_id) == (
        "okna.bitrix24.ru",
        "RUB",
        "Europe/Moscow",
        None,
    )
