"""Requests to retailCRM: what is asked, how uploads are split, how walks, feed and merges stay whole."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import responses
from pydantic import SecretStr

from crmkit import Crm
from crmkit.adapter import Doors, EffectClass, Query
from crmkit.errors import (
    BadPayload,
    ConfigError,
    CrmKitError,
    NotFound,
    Rejected,
    Unsupported,
    VendorDown,
)
from crmkit.http import RateLimit, Urgency
from crmkit.models import Call, Company, Contact, CustomField, Deal, Email, LineItem, Note, Phone, Task
from crmkit.settings import AccountSettings
from crmkit.tokens import StaticTokens
from crmkit.values import Json, Kind, Money, Ref
from crmkit.webhook import Action
from crmkit.write import Verb, Write
from crmkit_retailcrm import RetailCrmAdapter, RetailCrmSettings
from crmkit_retailcrm.adapter import RetailCrmConnection
from crmkit_sandbox import Sandbox

HOST = "https://okna.retailcrm.ru"
API = f"{HOST}/api/v5"
KEY = "s3cret-key"
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class Free:
    """A limiter that holds nobody back, and writes down who was asked for."""

    def __init__(self) -> None:
        self.asked: list[RateLimit] = []

    def wait(self, limits: Sequence[RateLimit], urgency: Urgency) -> None:
        """Go on."""
        self.asked += limits

    def push(self, limit: RateLimit, seconds: float) -> None:
        """Forget it."""


class Stopped:
    """A clock that stands, and counts what others would have waited."""

    def __init__(self) -> None:
        self.waited_s = 0.0

    def now(self) -> datetime:
        """Noon."""
        return NOW

    def wait(self, seconds: float, wake: Any = None) -> None:
        """Go on."""
        self.waited_s += seconds


def settings(**more: Any) -> RetailCrmSettings:
    values = {"key": "okna", "vendor": "retailcrm", "base_url": HOST, "api_key": SecretStr(KEY), "site": "main"}
    return RetailCrmSettings.model_validate({**values, **more})


def opened(limiter: Free | None = None, **more: Any) -> RetailCrmConnection:
    doors = Doors(tokens=StaticTokens(""), limiter=limiter or Free(), clock=Stopped())
    return RetailCrmAdapter().open(settings(**more), doors)


def ref(kind: Kind, record_id: str | int) -> Ref:
    return Ref("okna", kind, str(record_id))


@pytest.fixture
def mock() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as found:
        zone = {"timezone": {"value": "Europe/Moscow"}, "default_currency": {"value": "RUB"}}
        found.get(f"{API}/settings", json={"success": True, "settings": zone})
        found.get(f"{API}/custom-fields", json={"success": True, "customFields": [], "pagination": {}})
        groups = {"new": {"code": "new", "ordering": 1}, "complete": {"code": "complete", "ordering": 2}}
        found.get(f"{API}/reference/status-groups", json={"success": True, "statusGroups": groups})
        statuses = {code: {"code": code, "group": code, "name": code} for code in groups}
        found.get(f"{API}/reference/statuses", json={"success": True, "statuses": statuses})
        found.get(f"{API}/reference/order-types", json={"success": True, "orderTypes": []})
        users = [{"id": 3, "active": False}, {"id": 5, "active": True}, {"id": 9, "active": True, "isManager": True}]
        found.get(f"{API}/users", json={"success": True, "users": users, "pagination": {"totalPageCount": 1}})
        yield found


def asked(mock: responses.RequestsMock, path: str) -> list[list[tuple[str, str]]]:
    """The queries of the requests to a path, in their order."""
    found = [urlsplit(call.request.url or "") for call in mock.calls]
    return [parse_qsl(url.query) for url in found if url.path == f"/api/v5/{path}"]


def sent(mock: responses.RequestsMock, path: str) -> list[dict[str, Any]]:
    """The forms of the writes to a path; what is JSON is decoded."""
    calls = [call.request for call in mock.calls if urlsplit(call.request.url or "").path == f"/api/v5/{path}"]
    forms = [dict(parse_qsl(str(request.body or ""))) for request in calls]
    return [{name: json.loads(text) if text[:1] in "[{" else text for name, text in form.items()} for form in forms]


def good(**body: Any) -> dict[str, Any]:
    return {"success": True, **body}


class TestReading:
    """load, find, pages."""

    def test_many_records_are_loaded_with_one_request_per_hundred(self, mock: responses.RequestsMock) -> None:
        """By ids, a hundred at once; the key goes in a header and never in an address."""
        mock.get(f"{API}/customers", json=good(customers=[{"id": 1, "firstName": "Иван"}]))
        connection = opened()
        found = connection.load([ref(Kind.CONTACT, number) for number in range(1, 151)] + [ref(Kind.CONTACT, "x")])
        queries = asked(mock, "customers")
        assert {record.ref for record in found} == {ref(Kind.CONTACT, 1)}
        assert [len([1 for name, _ in query if name == "filter[ids][]"]) for query in queries] == [100, 50]
        assert {call.request.headers["X-API-KEY"] for call in mock.calls} == {KEY}
        assert [call.request.url for call in mock.calls if KEY in str(call.request.url)] == []

    def test_a_phone_is_asked_for_in_several_spellings(self, mock: responses.RequestsMock) -> None:
        """The list looks for parts of what was typed; each candidate is compared by E.164."""
        people = [
            {"id": 1, "phones": [{"number": "8 (912) 345-67-89"}]},
            {"id": 2, "phones": [{"number": "8 (812) 345-67-89"}]},
        ]
        mock.get(f"{API}/customers", json=good(customers=people, pagination={"totalPageCount": 1}))
        found = opened().find(Kind.CONTACT, Query(phone="+7 912 345-67-89"))
        names = [dict(query)["filter[name]"] for query in asked(mock, "customers")]
        assert [record.ref for record in found] == [ref(Kind.CONTACT, 1)]
        assert names == ["9123456789", "345-67-89", "345 67 89", "345 67-89"]

    @pytest.mark.parametrize(
        ("kind", "query"),
        [
            (Kind.CONTACT, Query(inn="1")),
            (Kind.TASK, Query(phone="1")),
            (Kind.CALL, Query(about=Ref("okna", Kind.CONTACT, "1"))),
            (Kind.CONTACT, Query()),
            (Kind.NOTE, Query(about=Ref("okna", Kind.TASK, "1"))),
        ],
    )
    def test_what_cannot_be_looked_for_is_unsupported(self, kind: Kind, query: Query) -> None:
        """Before anything is asked."""
        with pytest.raises(Unsupported):
            opened().find(kind, query)

    def test_a_kind_without_a_list_cannot_be_walked(self) -> None:
        """Calls and leads."""
        for kind in (Kind.CALL, Kind.LEAD):
            with pytest.raises(Unsupported):
                list(opened().pages(kind))

    def test_a_contacts_company_is_read_for_contacts_of_companies_only(self, mock: responses.RequestsMock) -> None:
        """One request for all of a page; its parts only where the list names a main one."""
        people = [{"id": 1, "isContact": True}, {"id": 2, "isContact": False}]
        firm = {"id": 60, "mainCustomerContact": {"id": 7, "customer": {"id": 1}}}
        mock.get(f"{API}/customers", json=good(customers=people))
        mock.get(f"{API}/customers-corporate", json=good(customersCorporate=[firm], pagination={"totalPageCount": 1}))
        mock.get(f"{API}/customers-corporate/60/contacts", json=good(contacts=[{"id": 7, "customer": {"id": 1}}]))
        found = {record.ref.id: record for record in opened().load([ref(Kind.CONTACT, 1), ref(Kind.CONTACT, 2)])}
        contacts = {key: record.company for key, record in found.items() if isinstance(record, Contact)}
        assert contacts == {"1": ref(Kind.COMPANY, 60), "2": None}
        assert asked(mock, "customers-corporate")[0][0] == ("filter[contactIds][]", "1")
        assert asked(mock, "customers-corporate/60/companies") == []


class TestWriting:
    """create, update, uploads, notes, calls."""

    def test_a_creation_is_a_form_with_json_in_it(self, mock: responses.RequestsMock) -> None:
        """Site beside the entity, the effect's key as externalId."""
        mock.post(f"{API}/customers/create", json=good(id=7), status=201)
        write = Write(Verb.CREATE, Kind.CONTACT, record=Contact(name="Иван"), marker="m1")
        assert opened().write(write) == ref(Kind.CONTACT, 7)
        assert sent(mock, "customers/create") == [
            {"site": "main", "customer": {"firstName": "Иван", "externalId": "crmkit-m1"}}
        ]

    def test_a_repeat_adopts_what_the_first_one_made(self, mock: responses.RequestsMock) -> None:
        """Refused for its externalId, the record is looked up by it."""
        refusal = {"success": False, "errorMsg": "Customer is not loaded", "errors": {"externalId": "already exists"}}
        mock.post(f"{API}/customers/create", json=refusal, status=400)
        mock.get(f"{API}/customers", json=good(customers=[{"id": 7}]))
        write = Write(Verb.CREATE, Kind.CONTACT, record=Contact(name="Иван"), marker="m1")
        assert opened().write(write) == ref(Kind.CONTACT, 7)
        assert asked(mock, "customers")[0][0] == ("filter[externalIds][]", "crmkit-m1")

    def test_another_refusal_is_told(self, mock: responses.RequestsMock) -> None:
        """By the vendor's field, and nothing is looked up."""
        refusal = {"success": False, "errorMsg": "Customer is not loaded", "errors": {"email": "wrong"}}
        mock.post(f"{API}/customers/create", json=refusal, status=400)
        with pytest.raises(Rejected) as refused:
            opened().write(Write(Verb.CREATE, Kind.CONTACT, record=Contact(name="Иван"), marker="m1"))
        assert refused.value.fields == {"email": "wrong"}
        assert asked(mock, "customers") == []

    def test_an_update_names_the_record_by_id_and_only_what_changes(self, mock: responses.RequestsMock) -> None:
        """`by=id` always; null clears."""
        mock.post(f"{API}/customers/5/edit", json=good(id=5))
        connection = opened()
        connection.write(Write(Verb.UPDATE, Kind.CONTACT, ref=ref(Kind.CONTACT, 5), changes={"birthday": None}))
        assert sent(mock, "customers/5/edit") == [{"by": "id", "customer": {"birthday": None}}]

    def test_an_update_of_a_merged_record_reaches_the_survivor(self, mock: responses.RequestsMock) -> None:
        """404 with combinedTo is followed once."""
        moved = {"success": False, "errorMsg": "Not found", "combinedTo": {"id": 6}}
        mock.post(f"{API}/customers/5/edit", json=moved, status=404)
        mock.post(f"{API}/customers/6/edit", json=good(id=6))
        write = Write(Verb.UPDATE, Kind.CONTACT, ref=ref(Kind.CONTACT, 5), changes={"first_name": "Иван"})
        assert opened().write(write) == ref(Kind.CONTACT, 6)

    def test_a_partial_upload_is_told_item_by_item(self, mock: responses.RequestsMock) -> None:
        """460 names the stored and the failed; each write has its own result, at its place."""

        def answer(request: Any) -> tuple[int, dict[str, str], str]:
            items = json.loads(dict(parse_qsl(request.body))["customers"])
            keys = [item["externalId"] for item in items]
            body = {
                "success": False,
                "errorMsg": "Customers are loaded with errors",
                "uploadedCustomers": [{"id": 1, "externalId": keys[0]}, {"id": 3, "externalId": keys[2]}],
                "failedCustomers": [{"externalId": keys[1]}],
                "errors": {"1": "email: This value is not valid."},
            }
            return 460, {}, json.dumps(body)

        mock.add_callback(responses.POST, f"{API}/customers/upload", answer)
        writes = [Write(Verb.CREATE, Kind.CONTACT, record=Contact(name=name)) for name in ("Раз", "Два", "Три")]
        one, two, three = opened().write_many(writes)
        assert (one, three) == (ref(Kind.CONTACT, 1), ref(Kind.CONTACT, 3))
        assert isinstance(two, Rejected)
        assert two.fields == {"email": "This value is not valid."}

    def test_uploads_hold_fifty(self, mock: responses.RequestsMock) -> None:
        """A hundred and twenty creations are three uploads."""

        def answer(request: Any) -> tuple[int, dict[str, str], str]:
            items = json.loads(dict(parse_qsl(request.body))["orders"])
            made = [{"id": index + 1, "externalId": item["externalId"]} for index, item in enumerate(items)]
            return 201, {}, json.dumps(good(uploadedOrders=made))

        mock.add_callback(responses.POST, f"{API}/orders/upload", answer)
        writes = [Write(Verb.CREATE, Kind.DEAL, record=Deal(title=str(number))) for number in range(120)]
        results = opened().write_many(writes)
        assert [len(form["orders"]) for form in sent(mock, "orders/upload")] == [50, 50, 20]
        assert all(isinstance(result, Ref) for result in results)

    def test_a_lost_upload_is_looked_up_by_key(self, mock: responses.RequestsMock) -> None:
        """What is there is adopted; of the rest nobody knows."""
        mock.post(f"{API}/customers/upload", body="<html>", status=502)

        def found(request: Any) -> tuple[int, dict[str, str], str]:
            is_first = "crmkit-m1" in request.url
            return 200, {}, json.dumps(good(customers=[{"id": 1}] if is_first else []))

        mock.add_callback(responses.GET, f"{API}/customers", found)
        writes = [Write(Verb.CREATE, Kind.CONTACT, record=Contact(name=key), marker=key) for key in ("m1", "m2")]
        one, two = opened().write_many(writes)
        assert one == ref(Kind.CONTACT, 1)
        assert isinstance(two, VendorDown)
        assert two.maybe_applied

    def test_a_task_that_names_nobody_is_the_first_active_managers(self, mock: responses.RequestsMock) -> None:
        """Else the setting's; the vendor takes no task without a performer."""
        mock.post(f"{API}/tasks/create", json=good(id=31), status=201)
        write = Write(Verb.CREATE, Kind.TASK, record=Task(text="Перезвонить", result="Сделано"))
        opened().write(write)
        opened(default_owner_id="5").write(write)
        performers = [form["task"]["performerId"] for form in sent(mock, "tasks/create")]
        assert performers == [9, 5]
        assert sent(mock, "tasks/create")[0]["task"]["commentary"] == "Результат: Сделано"

    def test_a_note_on_an_order_is_added_to_its_comment(self, mock: responses.RequestsMock) -> None:
        """What stands there stays."""
        mock.get(f"{API}/orders", json=good(orders=[{"id": 70, "managerComment": "Звонил"}]))
        mock.post(f"{API}/orders/70/edit", json=good(id=70))
        note = Note(about=ref(Kind.DEAL, 70), text="Скидка")
        made = opened().write(Write(Verb.CREATE, Kind.NOTE, record=note))
        assert sent(mock, "orders/70/edit") == [{"by": "id", "order": {"managerComment": "Звонил\n\nСкидка"}}]
        assert made is not None
        assert made.id.startswith("orders.70.")

    @pytest.mark.parametrize(
        ("write", "error"),
        [
            (Write(Verb.DELETE, Kind.DEAL, ref=Ref("okna", Kind.DEAL, "1")), Unsupported),
            (
                Write(Verb.UPDATE, Kind.NOTE, ref=Ref("okna", Kind.NOTE, "customers.1"), changes={"text": "x"}),
                Unsupported,
            ),
            (Write(Verb.UPDATE, Kind.USER, ref=Ref("okna", Kind.USER, "1")), Unsupported),
            (Write(Verb.CREATE, Kind.LEAD, record=None), Unsupported),
            (Write(Verb.CREATE, Kind.NOTE, record=Note(text="x")), Rejected),
            (Write(Verb.CREATE, Kind.NOTE, record=Note(about=Ref("okna", Kind.DEAL, "1"), text=" ")), Rejected),
            (
                Write(Verb.UNLINK, Kind.TASK, ref=Ref("okna", Kind.TASK, "1"), others=(Ref("okna", Kind.DEAL, "2"),)),
                Unsupported,
            ),
            (
                Write(Verb.LINK, Kind.TASK, ref=Ref("okna", Kind.TASK, "1"), others=(Ref("okna", Kind.DEAL, "2"),)),
                Unsupported,
            ),
            (Write(Verb.MERGE, Kind.TASK, ref=Ref("okna", Kind.TASK, "1"), others=()), Unsupported),
            (Write(Verb.UPDATE, Kind.CALL, ref=Ref("okna", Kind.CALL, "1")), Unsupported),
        ],
    )
    def test_what_the_api_lacks_is_refused_with_a_remedy(
        self, mock: responses.RequestsMock, write: Write, error: type[Unsupported]
    ) -> None:
        """Nothing is sent."""
        with pytest.raises(error) as refused:
            opened().write(write)
        assert refused.value.remedy
        assert [call for call in mock.calls if call.request.method != "GET"] == []

    @pytest.mark.parametrize(
        "write",
        [
            Write(Verb.UPDATE, Kind.DEAL, ref=Ref("okna", Kind.DEAL, "1/../../users"), changes={"loss_reason": "x"}),
            Write(Verb.CREATE, Kind.DEAL, record=Deal(contacts=(Ref("okna", Kind.CONTACT, "abc"),))),
            Write(Verb.CREATE, Kind.TASK, record=Task(text="x", about=Ref("okna", Kind.DEAL, "²"))),
            Write(Verb.DELETE, Kind.NOTE, ref=Ref("okna", Kind.NOTE, "users.1")),
            Write(Verb.LINK, Kind.DEAL, ref=Ref("okna", Kind.DEAL, "1"), others=(Ref("okna", Kind.CONTACT, ""),)),
        ],
    )
    def test_an_address_that_no_record_can_have_is_not_found(self, mock: responses.RequestsMock, write: Write) -> None:
        """Nothing is sent: ids go into paths."""
        with pytest.raises(NotFound):
            opened().write(write)
        assert len(mock.calls) == 0

    def test_a_product_that_is_no_offer_is_rejected(self, mock: responses.RequestsMock) -> None:
        """By field."""
        deal = Deal(items=(LineItem(product_id="7.42", name="Окно"),))
        with pytest.raises(Rejected) as refused:
            opened().write(Write(Verb.CREATE, Kind.DEAL, record=deal))
        assert list(refused.value.fields) == ["items"]

    def test_calls_have_a_budget_of_their_own(self, mock: responses.RequestsMock) -> None:
        """Methods of the telephony count against forty a second, all others against ten."""
        mock.post(f"{API}/telephony/calls/upload", json=good(processedCallsCount=1))
        limiter = Free()
        call = Call(phone=Phone(raw="+79123456789", e164="+79123456789"), started_at=NOW)
        connection = opened(limiter)
        connection.write(Write(Verb.CREATE, Kind.CALL, record=call, marker="c1"))
        assert [limit.permits for limit in limiter.asked] == [10, 40]
        assert {limit.key for limit in RetailCrmAdapter().limits(settings())} == {limit.key for limit in limiter.asked}
        assert KEY not in str(limiter.asked)

    def test_the_native_door_sends_forms(self, mock: responses.RequestsMock) -> None:
        """Texts as they are, all else as JSON; a refusal is an error."""
        mock.post(f"{API}/orders/payments/create", json=good(id=3), status=201)
        mock.get(f"{API}/costs/9", json={"success": False, "errorMsg": "Not found"}, status=404)
        crm = Crm(opened())
        body: dict[str, Json] = {"site": "main", "payment": {"order": {"id": 70}, "amount": 5}}
        assert crm.call("post", "api/v5/orders/payments/create", body=body) == good(id=3)
        assert sent(mock, "orders/payments/create") == [body]
        with pytest.raises(NotFound):
            crm.call("GET", "/api/v5/costs/9")

    def test_the_native_door_gives_the_bytes_of_a_file(self, mock: responses.RequestsMock) -> None:
        """As base64, since they are no JSON."""
        mock.get(f"{API}/files/25/download", body=b"\x00\xff", content_type="application/octet-stream")
        found = Crm(opened()).call("GET", "/api/v5/files/25/download")
        assert found == {"success": True, "content": "AP8="}

    def test_effect_classes(self) -> None:
        """A key of ours where the CRM keeps one, else content; all but creations may be done twice."""
        of = RetailCrmAdapter().effect_class
        contact, task = (Write(Verb.CREATE, kind, marker="m") for kind in (Kind.CONTACT, Kind.TASK))
        assert of(contact) is EffectClass.NATIVE_KEY
        assert of(Write(Verb.CREATE, Kind.CONTACT)) is EffectClass.LOOKUP
        assert of(task) is EffectClass.LOOKUP
        assert of(Write(Verb.UPDATE, Kind.DEAL)) is EffectClass.IDEMPOTENT

    def test_only_what_stands_under_its_key_is_recovered(self, mock: responses.RequestsMock) -> None:
        """Without a key, and for changes, nothing is; a call may simply be entered again."""
        mock.get(f"{API}/customers", json=good(customers=[{"id": 1}]))
        connection = opened()
        person = Contact(name="Иван")
        keyed, bare = (Write(Verb.CREATE, Kind.CONTACT, record=person, marker=mark) for mark in ("m1", None))
        call = Write(Verb.CREATE, Kind.CALL, record=Call(), marker="c1")
        assert connection.recover(keyed, since=NOW, known=()) == ref(Kind.CONTACT, 1)
        assert connection.recover(keyed, since=NOW, known={ref(Kind.CONTACT, 1)}) is None
        assert connection.recover(bare, since=NOW, known=()) is None
        assert connection.recover(call, since=NOW, known=()) == ref(Kind.CALL, "crmkit-c1")
        assert connection.recover(Write(Verb.UPDATE, Kind.DEAL), since=NOW, known=()) is None


def history(*rows: Mapping[str, Any]) -> dict[str, Any]:
    return good(history=list(rows), pagination={"limit": 100, "totalPageCount": 1})


class TestFeed:
    """The four histories."""

    @pytest.fixture
    def quiet(self, mock: responses.RequestsMock) -> responses.RequestsMock:
        for path in ("customers", "customers-corporate", "tasks"):
            mock.get(f"{API}/{path}/history", json=history())
        return mock

    def test_the_first_reading_finds_its_place_and_asks_for_no_page(self, quiet: responses.RequestsMock) -> None:
        """By the account's own time, two minutes back; where nothing was to see the moment is kept."""
        quiet.get(f"{API}/orders/history", json=history({"id": 9, "field": "status", "order": {"id": 70}}))
        page = opened().feed(None)
        assert (page.hints, page.is_last) == ((), True)
        assert json.loads(page.cursor) == {
            "contact": "from:2026-03-02 14:58:00",
            "company": "from:2026-03-02 14:58:00",
            "deal": "id:9",
            "task": "from:2026-03-02 14:58:00",
        }
        names = {name for path in ("orders", "tasks") for query in asked(quiet, f"{path}/history") for name, _ in query}
        assert names == {"filter[startDate]", "limit"}

    def test_rows_become_hints(self, quiet: responses.RequestsMock) -> None:
        """One for a record's plain changes, one for each move; creations and merges say what they are."""
        stub = {"id": 70, "status": "complete"}
        rows = (
            {"id": 1, "createdAt": "2026-03-02 14:00:00", "created": True, "field": "status", "order": {"id": 71}},
            {"id": 2, "createdAt": "2026-03-02 14:01:00", "field": "manager", "user": {"id": 19}, "order": stub},
            {
                "id": 3,
                "createdAt": "2026-03-02 14:02:00",
                "field": "custom_nps",
                "apiKey": {"current": True},
                "order": stub,
            },
            {
                "id": 4,
                "createdAt": "2026-03-02 14:03:00",
                "field": "status",
                "oldValue": {"code": "new"},
                "newValue": {"code": "complete"},
                "user": {"id": 19},
                "order": stub,
            },
            {"id": 5, "createdAt": "2026-03-02 14:04:00", "deleted": True, "field": "id", "order": {"id": 72}},
        )
        quiet.get(f"{API}/orders/history", json=history(*rows))
        quiet.get(f"{API}/orders", json=good(orders=[{"id": 70, "orderType": "legal"}]))
        page = opened().feed(json.dumps(dict.fromkeys(("contact", "company", "deal", "task"), "id:0")))
        at = datetime(2026, 3, 2, 11, 0, tzinfo=UTC)
        told = [(hint.ref.id, hint.action, hint.at, hint.actor_id, hint.created_at) for hint in page.hints]
        assert told == [
            ("71", Action.ADDED, at, None, at),
            ("70", Action.CHANGED, at + timedelta(minutes=2), None, None),
            ("70", Action.CHANGED, at + timedelta(minutes=3), "19", None),
            ("72", Action.DELETED, at + timedelta(minutes=4), None, None),
        ]
        moves = [hint.move for hint in page.hints if hint.move is not None]
        assert [(move.key, move.from_stage, move.to_stage) for move in moves] == [
            ("order:4", ("legal", "new"), ("legal", "complete"))
        ]
        assert json.loads(page.cursor)["deal"] == "id:5"
        assert asked(quiet, "orders/history") == [[("filter[sinceId]", "0"), ("limit", "100")]]

    def test_a_merge_names_its_survivor(self, mock: responses.RequestsMock) -> None:
        """The loser is deleted into it, and it has changed."""
        row = {
            "id": 2,
            "createdAt": "2026-03-02 14:10:01",
            "deleted": True,
            "field": "id",
            "customer": {"id": 4772},
            "combinedTo": {"id": 4771},
        }
        mock.get(f"{API}/customers/history", json=history(row))
        for path in ("customers-corporate", "orders", "tasks"):
            mock.get(f"{API}/{path}/history", json=history())
        page = opened().feed(json.dumps({"contact": "id:1", "company": "id:1", "deal": "id:1", "task": "id:1"}))
        assert [(hint.ref.id, hint.action, hint.merged_into) for hint in page.hints] == [
            ("4772", Action.DELETED, ref(Kind.CONTACT, 4771)),
            ("4771", Action.CHANGED, None),
        ]

    def test_a_history_that_is_closed_to_the_key_stops_no_other(self, mock: responses.RequestsMock) -> None:
        """Without the right to tasks, orders are still told."""
        denied = {"success": False, "errorMsg": "Access denied."}
        mock.get(f"{API}/tasks/history", json=denied, status=403)
        for path in ("customers", "customers-corporate"):
            mock.get(f"{API}/{path}/history", json=history())
        row = {"id": 9, "createdAt": "2026-03-02 14:00:00", "field": "manager", "order": {"id": 70}}
        mock.get(f"{API}/orders/history", json=history(row))
        connection = opened()
        cursor = json.loads(connection.feed(None).cursor)
        page = connection.feed(json.dumps({**cursor, "deal": "id:1"}))
        assert cursor["task"] == ""
        assert [hint.ref for hint in page.hints] == [ref(Kind.DEAL, 70)]
        assert page.is_last

    def test_nonsense_is_no_cursor(self) -> None:
        """BadPayload says to start anew."""
        for cursor in ("[]", "nonsense"):
            with pytest.raises(BadPayload):
                opened().feed(cursor)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(("retailcrm",)) as found:
        found.retailcrm.limits.enabled = False
        yield found


def at(sandbox: Sandbox, **more: Any) -> RetailCrmConnection:
    retail = sandbox.retailcrm

    class Turning(Stopped):
        """The sandbox's clock; who waits turns it on."""

        def now(self) -> datetime:
            return datetime.fromtimestamp(sandbox.clock.now(), UTC)

        def wait(self, seconds: float, wake: Any = None) -> None:
            self.waited_s += seconds
            sandbox.clock.advance(seconds)

    own = settings(base_url=retail.base_url, api_key=SecretStr(retail.api_key), **more)
    return RetailCrmAdapter().open(own, Doors(tokens=StaticTokens(""), limiter=Free(), clock=Turning()))


class TestAgainstTheEmulator:
    """What takes several requests to see."""

    def test_a_whole_read_costs_two_requests_more_than_its_pages(self, sandbox: Sandbox) -> None:
        """The place in the history before, and what happened meanwhile after."""
        sandbox.retailcrm.bulk_customers(1000)
        connection = at(sandbox)
        connection.account()
        sandbox.retailcrm.reset_requests()
        seen = [record.ref for page in connection.pages(Kind.CONTACT) for record in page.records]
        assert (len(seen), len(set(seen))) == (1000, 1000)
        assert len(sandbox.retailcrm.requests) == 12

    def test_what_is_added_and_deleted_during_a_walk_hides_nothing(self, sandbox: Sandbox) -> None:
        """Eighteen orders go and eighteen come between the pages: what is there at the end was seen."""
        retail = sandbox.retailcrm
        sandbox.clock.freeze(NOW.timestamp())
        bulk = list(retail.bulk_orders(900))
        seen: set[int] = set()
        doomed, added = iter(bulk[::-50]), 0
        for page in at(sandbox).pages(Kind.DEAL):
            seen |= {int(record.ref.id) for record in page.records}
            if added < 18:
                for _ in range(3):
                    retail.delete_order(next(doomed))
                    retail.add_order()
                    added += 1
                sandbox.clock.advance(1)
        assert added == 18
        assert set(retail.orders) - seen == set()

    def test_a_broken_walk_with_deletions_begins_anew(self, sandbox: Sandbox) -> None:
        """Which pages were torn before the break is not known any more."""
        retail = sandbox.retailcrm
        bulk = list(retail.bulk_orders(300))
        first = next(iter(at(sandbox).pages(Kind.DEAL)))
        retail.delete_order(bulk[-1])
        rest = [record.ref for page in at(sandbox).pages(Kind.DEAL, cursor=first.cursor) for record in page.records]
        assert {int(one.id) for one in rest} == set(bulk[:-1])

    def test_a_merge_that_does_not_come_is_told(self, sandbox: Sandbox) -> None:
        """After two minutes; whether it will be done nobody knows."""
        sandbox.retailcrm.switches.combine_delay_s = 10_000
        kept, lost = (sandbox.retailcrm.add_customer(firstName=name) for name in ("Иван", "Пётр"))
        with pytest.raises(VendorDown) as down:
            Crm(at(sandbox)).contacts.merge(ref(Kind.CONTACT, kept), [ref(Kind.CONTACT, lost)])
        assert down.value.maybe_applied
        assert str(lost) in str(down.value)

    def test_a_merge_into_nobody_is_not_found(self, sandbox: Sandbox) -> None:
        """Nothing is queued."""
        lost = sandbox.retailcrm.add_customer(firstName="Пётр")
        with pytest.raises(NotFound):
            Crm(at(sandbox)).contacts.merge(ref(Kind.CONTACT, 999_999), [ref(Kind.CONTACT, lost)])
        assert list(sandbox.retailcrm.customers) == [lost]

    def test_a_module_is_registered_kept_and_mended(self, sandbox: Sandbox) -> None:
        """Where the settings name one; the account's key is its client."""
        connection = at(sandbox, module_code="crmkit")
        url = "https://service.example/hooks/retailcrm/okna/secret"
        actions = [connection.ensure_hooks(one).action for one in (url, url, f"{url}2")]
        assert actions == ["created", "kept", "changed"]
        assert [(module["clientId"], module["baseUrl"]) for module in sandbox.retailcrm.modules] == [
            ("okna", f"{url}2")
        ]

    def test_a_long_history_is_read_page_by_page(self, sandbox: Sandbox) -> None:
        """Two hundred and fifty new customers are three pages of the feed, in order, each once."""
        connection = at(sandbox)
        cursor = connection.feed(None).cursor
        made = [sandbox.retailcrm.add_customer(firstName=str(number)) for number in range(250)]
        told: list[str] = []
        pages = 0
        while True:
            page = connection.feed(cursor)
            cursor, pages = page.cursor, pages + 1
            told += [hint.ref.id for hint in page.hints if hint.ref.kind is Kind.CONTACT]
            if page.is_last:
                break
        assert told == [str(one) for one in made]
        assert pages == 3

    def test_records_are_made_in_a_shop_that_the_key_sees(self, sandbox: Sandbox) -> None:
        """The account's default shop, or for a key of another shop alone that one."""
        retail = sandbox.retailcrm
        made = []
        for sites in (("main", "outlet"), ("outlet",)):
            own = settings(
                base_url=retail.base_url, api_key=SecretStr(retail.issue_key(sites=sites)), site=None, key="okna"
            )
            doors = Doors(tokens=StaticTokens(""), limiter=Free(), clock=Stopped())
            made.append(Crm(RetailCrmAdapter().open(own, doors)).contacts.create(Contact(name="Иван")))
        assert [retail.customers[int(one.id)]["site"] for one in made] == ["main", "outlet"]

    def test_a_clock_that_is_ahead_of_the_accounts_loses_nothing(self, sandbox: Sandbox) -> None:
        """The feed begins by the account's own time."""
        sandbox.clock.freeze((NOW - timedelta(minutes=30)).timestamp())
        own = settings(base_url=sandbox.retailcrm.base_url, api_key=SecretStr(sandbox.retailcrm.api_key))
        doors = Doors(tokens=StaticTokens(""), limiter=Free(), clock=Stopped())
        connection = RetailCrmAdapter().open(own, doors)
        cursor = connection.feed(None).cursor
        made = sandbox.retailcrm.add_customer(firstName="Иван")
        assert [hint.ref for hint in connection.feed(cursor).hints] == [ref(Kind.CONTACT, made)]

    def test_a_lost_account_is_told_in_words(self, sandbox: Sandbox) -> None:
        """A page of HTML means that the address is wrong."""
        sandbox.retailcrm.exists = False
        with pytest.raises(VendorDown) as down:
            at(sandbox).account()
        assert "the account does not exist" in str(down.value)


class TestCards:
    """Links, notes, companies, calls: against the emulator."""

    def test_a_company_takes_the_persons_place_in_an_order(self, sandbox: Sandbox) -> None:
        """The person becomes the contact, the legal entity is the main one; linked twice is linked once."""
        crm = Crm(at(sandbox))
        person = crm.contacts.create(Contact(name="Иван"))
        firm = crm.companies.create(Company(name="ООО", inn="0770123456"))
        deal = crm.deals.create(Deal(title="Окна", contacts=(person,)))
        for _ in range(2):
            crm.deals.link(deal, firm)
        found = crm.deals.get(deal)
        other = crm.contacts.create(Contact(name="Пётр"))
        crm.contacts.link(other, deal)
        assert (found.company, found.contacts) == (firm, (person,))
        assert found.raw["company"]["contragent"]["INN"] == "0770123456"
        assert crm.deals.get(deal).contacts == (other,)

    def test_an_order_without_a_person_gets_its_company(self, sandbox: Sandbox) -> None:
        """And a company without legal entities leaves the order without one."""
        crm = Crm(at(sandbox))
        firm, deal = crm.companies.create(Company(name="ООО")), crm.deals.create(Deal(title="Окна"))
        crm.companies.link(firm, deal)
        assert (crm.deals.get(deal).company, crm.deals.get(deal).contacts) == (firm, ())

    def test_a_legal_entity_is_made_once_and_then_changed(self, sandbox: Sandbox) -> None:
        """The tax number and then the site are written to the one main legal entity."""
        crm = Crm(at(sandbox))
        people = tuple(crm.contacts.create(Contact(name=name)) for name in ("Иван", "Пётр"))
        firm = crm.companies.create(Company(name="ООО", contacts=people))
        crm.companies.update(firm, {"inn": "0770123456"})
        crm.companies.update(firm, {"site": "https://okna.example", "kpp": "077001001"})
        found = crm.companies.get(firm)
        assert (found.inn, found.kpp, found.site) == ("0770123456", "077001001", "https://okna.example")
        assert found.contacts == people
        assert len(found.raw["companies"]) == 1

    @pytest.mark.parametrize("kind", [Kind.CONTACT, Kind.COMPANY])
    def test_a_link_to_nobody_is_not_found(self, sandbox: Sandbox, kind: Kind) -> None:
        """The error names what is not there."""
        gone = ref(Kind.DEAL if kind is Kind.CONTACT else Kind.COMPANY, 999_999)
        mine = Crm(at(sandbox)).contacts.create(Contact(name="Иван"))
        with pytest.raises(NotFound) as missing:
            Crm(at(sandbox)).contacts.link(mine, gone)
        assert missing.value.ref == str(gone)

    def test_users_pipelines_and_notes_are_loaded_by_address(self, sandbox: Sandbox) -> None:
        """Each of its own list; addresses that are none are nobody's."""
        crm = Crm(at(sandbox))
        user = next(iter(crm.users.iterate()))
        pipeline = next(iter(crm.pipelines.iterate()))
        deal, person = crm.deals.create(Deal(title="Окна")), crm.contacts.create(Contact(name="Иван"))
        notes = [crm.notes.create(Note(about=card, text="Скидка")) for card in (deal, person)]
        assert crm.users.get(user.ref) == user
        assert crm.pipelines.get(pipeline.ref) == pipeline
        assert [crm.notes.get(note).text for note in notes] == ["Скидка", "Скидка"]
        assert crm.notes.get_many([ref(Kind.NOTE, "nonsense"), ref(Kind.NOTE, "orders.x.y.1")]) == {}

    def test_tasks_are_found_on_any_card(self, sandbox: Sandbox) -> None:
        """A customer's, and an order's, whose number other orders may have too."""
        crm = Crm(at(sandbox))
        person = crm.contacts.create(Contact(name="Иван"))
        deals = [crm.deals.create(Deal(title="Окна")) for _ in range(2)]
        tasks = [crm.tasks.create(Task(text="Перезвонить", about=card)) for card in (person, *deals)]
        found = [[task.ref for task in crm.tasks.find(about=card)] for card in (person, *deals)]
        mine = crm.tasks.get(tasks[0]).owner_id
        assert found == [[task] for task in tasks]
        assert {task.ref for task in crm.tasks.find(owner_id=mine, is_open=True)} == set(tasks)

    def test_a_note_is_walked_on_from_its_list(self, sandbox: Sandbox) -> None:
        """A cursor of the companies' notes gives no people's notes again."""
        crm, connection = Crm(at(sandbox)), at(sandbox)
        cards = crm.contacts.create(Contact(name="Иван")), crm.companies.create(Company(name="ООО"))
        notes = [crm.notes.create(Note(about=card, text="Любит чай")) for card in cards]
        pages = list(connection.pages(Kind.NOTE))
        again = [record.ref for page in connection.pages(Kind.NOTE, cursor=pages[1].cursor) for record in page.records]
        assert again == [notes[1]]

    def test_a_merge_carries_what_the_survivor_lacks(self, sandbox: Sandbox) -> None:
        """E-mail, birthday and fields of the loser; each number once, however it is written."""
        crm = Crm(at(sandbox))
        position: CustomField[Contact, str] = CustomField(Contact, str, "Должность")
        kept = crm.contacts.create(Contact(name="Иван", phones=(Phone(raw="+79123456789"),)))
        lost = crm.contacts.create(
            Contact(
                name="Пётр Ким",
                phones=(Phone(raw="8 912 345-67-89"), Phone(raw="+79123456780")),
                emails=(Email(value="p@example.com"),),
                birthday=date(1990, 5, 17),
                custom=(position.to("Директор"),),
            )
        )
        crm.contacts.merge(kept, [lost])
        found = crm.contacts.get(kept)
        assert (found.name, found.birthday, found[position]) == ("Иван", date(1990, 5, 17), "Директор")
        assert [phone.raw for phone in found.phones] == ["+79123456789", "+79123456780"]
        assert [email.value for email in found.emails] == ["p@example.com"]

    def test_more_than_fifty_are_not_merged_at_once(self, sandbox: Sandbox) -> None:
        """Nothing is asked."""
        losers = [ref(Kind.CONTACT, number) for number in range(1, 52)]
        with pytest.raises(Rejected) as refused:
            Crm(at(sandbox)).contacts.merge(ref(Kind.CONTACT, 99), losers)
        assert list(refused.value.fields) == ["losers"]
        assert len(sandbox.retailcrm.requests) == 0

    def test_a_batch_of_calls_tells_item_by_item(self, sandbox: Sandbox) -> None:
        """One without a number is refused, the others are entered; a refusal of all is everybody's."""
        connection = at(sandbox)
        call = Call(phone=Phone(raw="+79123456789", e164="+79123456789"), started_at=NOW)
        records = (call, Call(started_at=NOW), call.model_copy(update={"talk_s": 5}))
        writes = [
            Write(Verb.CREATE, Kind.CALL, record=record, marker=str(place)) for place, record in enumerate(records)
        ]
        one, two, three = connection.write_many(writes)
        sandbox.faults.add(vendor="retailcrm", method="POST", status=403)
        denied = connection.write_many(writes[:1])
        assert (one, three) == (ref(Kind.CALL, "crmkit-0"), ref(Kind.CALL, "crmkit-2"))
        assert isinstance(two, Rejected)
        assert isinstance(denied[0], CrmKitError)
        assert len(sandbox.retailcrm.calls) == 2

    def test_an_amount_of_another_currency_is_refused(self, sandbox: Sandbox) -> None:
        """Unless the order itself is counted in it."""
        crm = Crm(at(sandbox))
        with pytest.raises(Rejected) as refused:
            crm.deals.create(Deal(title="Окна", amount=Money(Decimal(5), "USD")))
        plain = crm.deals.create(Deal(title="Двери"))
        crm.deals.update(plain, {"amount": Money(Decimal(70), "RUB")})
        assert list(refused.value.fields) == ["amount"]
        assert crm.deals.get(plain).amount == Money(Decimal(70), "RUB")

    def test_a_follow_up_that_fails_is_the_items_own_error(self, sandbox: Sandbox) -> None:
        """The record is there; the same effect done again finds it and goes on."""
        connection = at(sandbox)
        person = Contact(name="Иван", company=ref(Kind.COMPANY, 999_999))
        writes = [
            Write(Verb.CREATE, Kind.CONTACT, record=record, marker=f"m{place}")
            for place, record in enumerate((person, Contact(name="Пётр")))
        ]
        first, second = connection.write_many(writes)
        again, _ = connection.write_many(writes)
        assert isinstance(first, NotFound)
        assert isinstance(second, Ref)
        assert isinstance(again, NotFound)
        assert len(sandbox.retailcrm.customers) == 2


@pytest.mark.parametrize(
    "more",
    [
        {"base_url": "http://okna.retailcrm.ru"},
        {"base_url": "okna.retailcrm.ru"},
        {"base_url": "https://user@okna.retailcrm.ru"},
        {"api_key": None},
        {"api_key": SecretStr(" ")},
    ],
)
def test_settings_that_cannot_work_are_refused_at_once(more: Mapping[str, Any]) -> None:
    """An address that is not the account's own over https, or no key; the error says what to set."""
    with pytest.raises(ConfigError) as refused:
        opened(**more)
    assert refused.value.account == "okna"
    assert refused.value.remedy


def test_another_vendors_settings_are_refused() -> None:
    """The connection is for retailCRM only."""
    with pytest.raises(ConfigError):
        RetailCrmAdapter().limits(AccountSettings(key="okna", vendor="amocrm", base_url=HOST))
