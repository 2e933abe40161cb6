"""Requests to amoCRM: what is asked, how batches are split and mended, how walks and the feed stay complete."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import responses
from pydantic import SecretStr

from crmkit import Capability, Crm, Level
from crmkit.adapter import Doors, Query
from crmkit.clock import SystemClock
from crmkit.errors import (
    AccountBlocked,
    AuthError,
    CrmKitError,
    NotFound,
    RateLimited,
    Rejected,
    Unsupported,
    VendorDown,
)
from crmkit.http import RateLimit, Urgency
from crmkit.models import Call, Contact, Deal, Lead, Note, Phone, Task
from crmkit.tokens import StaticTokens
from crmkit.values import Kind, Ref
from crmkit.webhook import Action
from crmkit.write import Verb, Write
from crmkit_amocrm import AmoCrmAdapter, AmoCrmSettings
from crmkit_amocrm.adapter import AmoCrmConnection
from crmkit_amocrm.client.subscription import SETTINGS
from crmkit_sandbox import Sandbox

HOST = "https://okna.amocrm.ru"
API = f"{HOST}/api/v4"
ACCOUNT = {
    "id": 31,
    "name": "Окна",
    "currency": "RUB",
    "current_user_id": 7,
    "_embedded": {"datetime_settings": {"timezone": "Europe/Moscow"}},
}


class Free:
    """A limiter that holds nobody back."""

    def wait(self, limits: Sequence[RateLimit], urgency: Urgency) -> None:
        """Go on."""

    def push(self, limit: RateLimit, seconds: float) -> None:
        """Forget it."""


class Hasty(SystemClock):
    """The machine's clock, without the waiting."""

    def wait(self, seconds: float, wake: Any = None) -> None:
        """Go on."""


def opened(base_url: str, token: str = "t0ken") -> AmoCrmConnection:
    settings = AmoCrmSettings(key="acme", vendor="amocrm", base_url=base_url, token=SecretStr(token))
    return AmoCrmAdapter().open(settings, Doors(tokens=StaticTokens(token), limiter=Free(), clock=Hasty()))


def ref(kind: Kind, id_: str) -> Ref:
    return Ref("acme", kind, id_)


@pytest.fixture
def mock() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as found:
        found.add(responses.GET, f"{API}/account", json=ACCOUNT)
        yield found


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(vendors=("amocrm",)) as found:
        found.amocrm.seed()
        found.amocrm.limits.enabled = False
        yield found


def asked(mock: responses.RequestsMock) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Method, path below the API and query of every request but the account's."""
    parts = [(call.request.method or "", urlsplit(call.request.url or "")) for call in mock.calls]
    return [
        (method, one.path.removeprefix("/api/v4"), parse_qsl(one.query))
        for method, one in parts
        if one.path != "/api/v4/account"
    ]


def sent(mock: responses.RequestsMock) -> list[Any]:
    """The bodies of the writes."""
    return [json.loads(call.request.body) for call in mock.calls if call.request.body]


class TestReading:
    def test_many_records_are_loaded_with_one_request_a_list(self, mock: responses.RequestsMock) -> None:
        """By id, with what the record embeds; what does not come is left out, and so is what was not asked for."""
        mock.add(responses.GET, f"{API}/leads", json={"_embedded": {"leads": [{"id": 1}, {"id": 99}]}})
        mock.add(responses.GET, f"{API}/contacts/notes", status=204)
        refs = [ref(Kind.DEAL, "1"), ref(Kind.DEAL, "2"), ref(Kind.NOTE, "contacts.5"), ref(Kind.NOTE, "odd")]
        assert [record.ref for record in opened(HOST).load(refs)] == [ref(Kind.DEAL, "1")]
        embeds = ("with", "contacts,loss_reason,catalog_elements,source,source_id")
        assert asked(mock) == [
            ("GET", "/leads", [embeds, ("filter[id][]", "1"), ("filter[id][]", "2"), ("limit", "250")]),
            ("GET", "/contacts/notes", [("filter[id][]", "5"), ("limit", "250")]),
        ]

    def test_a_phone_is_searched_by_its_last_digits(self, mock: responses.RequestsMock) -> None:
        """Phones are stored as typed, so that the country's prefix must not be a part of the search."""
        card = {"field_code": "PHONE", "field_type": "multitext", "values": [{"value": "8 912 345 67 89"}]}
        near = {"field_code": "PHONE", "field_type": "multitext", "values": [{"value": "+380 912 345 67 89"}]}
        body = {
            "_embedded": {
                "contacts": [{"id": 1, "custom_fields_values": [card]}, {"id": 2, "custom_fields_values": [near]}]
            }
        }
        mock.add(responses.GET, f"{API}/contacts", json=body)
        assert [one.ref.id for one in Crm(opened(HOST)).contacts.find(phone="+7 (912) 345-67-89")] == ["1"]
        assert asked(mock)[0][2] == [("query", "9123456789"), ("limit", "250"), ("page", "1")]

    def test_what_cannot_be_looked_for_is_unsupported(self) -> None:
        """Instead of an answer that ignores half of the question."""
        with pytest.raises(Unsupported, match="by phone"):
            opened(HOST).find(Kind.DEAL, Query(phone="+79123456789"))

    def test_a_whole_read_costs_no_more_than_its_pages(self, sandbox: Sandbox) -> None:
        """One request a page, one ahead at the end, one look for deletions."""
        sandbox.amocrm.bulk_leads(2000 - len(sandbox.amocrm.leads))
        connection = opened(sandbox.amocrm.base_url, sandbox.amocrm.token)
        connection.account()
        sandbox.amocrm.reset_requests()
        found = [record.ref.id for page in connection.pages(Kind.DEAL) for record in page.records]
        assert sorted(found, key=int) == found
        assert len(set(found)) == 2000
        assert len(list(sandbox.amocrm.requests)) <= 8 + 2

    def test_deletions_during_a_walk_hide_nothing(self, sandbox: Sandbox) -> None:
        """Behind, before and on the edge of pages that were read; restored ones come as well."""
        sandbox.amocrm.bulk_leads(1600)
        ids = sorted(sandbox.amocrm.leads)
        sandbox.amocrm.delete_lead(ids[3])
        connection = opened(sandbox.amocrm.base_url, sandbox.amocrm.token)
        gone: set[int] = {ids[3]}
        seen: set[int] = set()
        for number, page in enumerate(connection.pages(Kind.DEAL)):
            seen |= {int(record.ref.id) for record in page.records}
            if number < 5:
                doomed = [ids[number * 10 + 20], ids[number * 250 + 249], ids[number * 250 + 251]]
                for one in doomed:
                    if one not in gone:
                        sandbox.amocrm.delete_lead(one)
                gone |= set(doomed)
        assert set(ids) - gone - seen == set()

    def test_deletions_that_never_stop_hide_nothing_either(self, sandbox: Sandbox) -> None:
        """Torn pages are read from the end backwards, so that a walk under steady deletion ends, and is whole."""
        sandbox.amocrm.bulk_leads(1600)
        ids = sorted(sandbox.amocrm.leads)
        connection = opened(sandbox.amocrm.base_url, sandbox.amocrm.token)
        sandbox.amocrm.reset_requests()
        gone, seen = set[int](), set[int]()
        for page in connection.pages(Kind.DEAL):
            seen |= {int(record.ref.id) for record in page.records}
            for doomed in [one for one in ids if one not in gone][10:40:3]:
                sandbox.amocrm.delete_lead(doomed)
                gone.add(doomed)
        asked_for = [(entry.path, entry.query) for entry in sandbox.amocrm.requests]
        assert set(ids) - gone - seen == set()
        assert len(asked_for) < 3 * 7
        # Source: amoCRM API v4, page "Events": at most 100 at once.
        assert all("limit=100" in query for path, query in asked_for if path.endswith("/events"))

    def test_thousands_of_one_second_are_all_read(self, sandbox: Sandbox) -> None:
        """An import gives one time to more records than a page holds."""
        sandbox.clock.freeze()
        for one in [*sandbox.amocrm.bulk_leads(700)]:
            sandbox.amocrm.update_lead(one, name="Из выгрузки")
        at = datetime.fromtimestamp(sandbox.clock.now(), UTC)
        connection = opened(sandbox.amocrm.base_url, sandbox.amocrm.token)
        pages = connection.pages(Kind.DEAL, updated_since=at)
        found = [record.ref.id for page in pages for record in page.records if record.raw["name"] == "Из выгрузки"]
        assert len(set(found)) == 700


class TestWriting:
    def test_a_bad_item_is_taken_out_and_the_rest_sent_again(self, mock: responses.RequestsMock) -> None:
        """The refusal names its item by `request_id`; the others are created."""
        fault = {"code": "NotSupportedChoice", "path": "responsible_user_id", "detail": "No such user."}
        mock.add(
            responses.POST,
            f"{API}/leads",
            status=400,
            json={"validation-errors": [{"request_id": "1", "errors": [fault]}], "status": 400},
        )
        made = [{"id": 11, "request_id": "0"}, {"id": 13, "request_id": "1"}]
        mock.add(responses.POST, f"{API}/leads", json={"_embedded": {"leads": made}})
        result = Crm(opened(HOST)).deals.create_many([Deal(title=name) for name in ("a", "b", "c")])
        assert result.done == {0: ref(Kind.DEAL, "11"), 2: ref(Kind.DEAL, "13")}
        (failure,) = result.failed
        assert isinstance(failure.error, Rejected)
        assert failure.index == 1
        assert failure.error.fields == {"responsible_user_id": "No such user. (NotSupportedChoice)"}
        assert [[item["name"] for item in body] for body in sent(mock)] == [["a", "b", "c"], ["a", "c"]]

    def test_a_refusal_without_items_is_halved_down(self, mock: responses.RequestsMock) -> None:
        """Until the one that spoils the batch is alone."""

        def answer(request: Any) -> tuple[int, dict[str, str], str]:
            items = json.loads(request.body)
            if any(item["name"] == "bad" for item in items):
                return 400, {}, json.dumps({"title": "Bad Request", "detail": "no", "status": 400})
            found = [{"id": int(item["name"]), "request_id": item["request_id"]} for item in items]
            return 200, {}, json.dumps({"_embedded": {"leads": found}})

        mock.add_callback(responses.POST, f"{API}/leads", answer)
        names = ["1", "2", "bad", "4"]
        result = Crm(opened(HOST)).deals.create_many([Deal(title=name) for name in names])
        assert {place: made.id for place, made in result.done.items()} == {0: "1", 1: "2", 3: "4"}
        assert [failure.index for failure in result.failed] == [2]

    def test_batches_hold_fifty(self, mock: responses.RequestsMock) -> None:
        """As the vendor recommends."""

        def answer(request: Any) -> tuple[int, dict[str, str], str]:
            found = [{"id": index + 1, "request_id": str(index)} for index, _ in enumerate(json.loads(request.body))]
            return 200, {}, json.dumps({"_embedded": {"contacts": found}})

        mock.add_callback(responses.POST, f"{API}/contacts", answer)
        Crm(opened(HOST)).contacts.create_many([Contact(name=str(number)) for number in range(120)])
        assert [len(body) for body in sent(mock)] == [50, 50, 20]

    def test_a_batch_too_large_for_the_gateway_is_split(self, mock: responses.RequestsMock) -> None:
        """504 on an update: halves are sent."""

        def answer(request: Any) -> tuple[int, dict[str, str], str]:
            items = json.loads(request.body)
            if len(items) > 5:
                return 504, {}, "<html>504</html>"
            return 200, {}, json.dumps({"_embedded": {"leads": [{"id": item["id"]} for item in items]}})

        mock.add_callback(responses.PATCH, f"{API}/leads", answer)
        result = Crm(opened(HOST)).deals.update_many(
            {ref(Kind.DEAL, str(number)): {"title": "x"} for number in range(1, 11)}
        )
        assert (sorted(result.done), result.failed) == (list(range(10)), ())

    def test_a_lost_batch_is_looked_up_before_anything_is_said(self, sandbox: Sandbox) -> None:
        """All were made: the answer is found, nothing is made twice."""
        before = len(sandbox.amocrm.contacts)
        sandbox.faults.add(vendor="amocrm", method="POST", path="/api/v4/contacts", body="applied_then_502", status=502)
        crm = Crm(opened(sandbox.amocrm.base_url, sandbox.amocrm.token))
        result = crm.contacts.create_many([Contact(name=f"Новый {number}") for number in range(3)])
        names = [sandbox.amocrm.contacts[int(result.done[place].id)]["name"] for place in range(3)]
        assert (names, result.failed) == (["Новый 0", "Новый 1", "Новый 2"], ())
        assert len(sandbox.amocrm.contacts) == before + 3

    def test_only_changed_fields_are_sent(self, mock: responses.RequestsMock) -> None:
        """Never the whole record: a person may have changed the rest."""
        mock.add(responses.PATCH, f"{API}/leads", json={"_embedded": {"leads": [{"id": 1, "updated_at": 5}]}})
        Crm(opened(HOST)).deals.update(ref(Kind.DEAL, "1"), {"title": "Двери"}, extra={"score": 3})
        assert sent(mock) == [[{"id": 1, "name": "Двери", "score": 3, "request_id": "0"}]]

    def test_a_call_nobody_can_be_found_for_is_none(self, mock: responses.RequestsMock) -> None:
        """The vendor answers 400 with the item's error; that is no fault of the call."""
        errors = [{"request_id": "0", "title": "Entity not found", "status": 263}]
        mock.add(responses.POST, f"{API}/calls", status=400, json={"errors": errors, "_embedded": {"calls": []}})
        call = Call(ref=ref(Kind.CALL, "mango-1"), phone=Phone(raw="+79123456789"), talk_s=5)
        assert Crm(opened(HOST)).calls.log(call) is None
        assert sent(mock)[0][0]["uniq"] == "mango-1"

    def test_a_logged_call_has_the_address_of_its_note(self, mock: responses.RequestsMock) -> None:
        """The same that hooks and feed use."""
        made = [{"id": 77, "entity_id": 5, "entity_type": "contact", "request_id": "0"}]
        mock.add(responses.POST, f"{API}/calls", json={"errors": [], "_embedded": {"calls": made}})
        call = Call(phone=Phone(raw="+79123456789"), talk_s=5)
        assert Crm(opened(HOST)).calls.log(call) == ref(Kind.CALL, "contacts.77")

    def test_an_incoming_lead_lives_and_is_declined(self, sandbox: Sandbox) -> None:
        """Made as a form, read as a Lead, declined by deleting."""
        crm = Crm(opened(sandbox.amocrm.base_url, sandbox.amocrm.token))
        made = crm.leads.create(Lead(title="Заявка с сайта", phones=(Phone(raw="+79123456780"),)))
        lead = crm.leads.get(made)
        assert (lead.title, lead.status, lead.contact is not None) == ("Заявка с сайта", "unsorted", True)
        crm.leads.delete(made)
        assert list(crm.leads.iterate()) == []

    @pytest.mark.parametrize("write", [(Verb.DELETE, Kind.DEAL), (Verb.MERGE, Kind.TASK)])
    def test_what_the_api_lacks_is_unsupported_with_a_remedy(
        self, mock: responses.RequestsMock, write: tuple[Verb, Kind]
    ) -> None:
        """Nothing is asked of the vendor but its name."""
        verb, kind = write
        with pytest.raises(Unsupported) as refused:
            opened(HOST).write(Write(verb, kind, ref=ref(kind, "1"), others=(ref(kind, "2"),)))
        assert refused.value.remedy
        assert asked(mock) == []


class TestRecovery:
    def test_a_lost_task_is_found_and_an_older_twin_is_not(self, sandbox: Sandbox) -> None:
        """By card, text and term, among what is newer than the call; records of others are left alone."""
        connection = opened(sandbox.amocrm.base_url, sandbox.amocrm.token)
        card = ref(Kind.DEAL, str(min(sandbox.amocrm.leads)))
        due = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
        write = Write(Verb.CREATE, Kind.TASK, record=Task(text="Перезвонить", about=card, due=due))
        first = connection.write(write)
        since = datetime.now(UTC)
        second = connection.write(write)
        assert first is not None
        assert connection.recover(write, since=since, known={first}) == second
        assert connection.recover(write, since=since + timedelta(minutes=5), known=()) is None

    @pytest.mark.parametrize(
        "record",
        [
            Note(about=Ref("acme", Kind.DEAL, "20000001"), text="Единственная"),
            Call(ref=Ref("acme", Kind.CALL, "u-1"), phone=Phone(raw="+79161234501"), talk_s=3),
            Lead(title="Заявка"),
        ],
        ids=["note", "call", "lead"],
    )
    def test_other_lost_creations_are_found(self, sandbox: Sandbox, record: Any) -> None:
        """A note by its text, a call by its uniq, an incoming lead by its source's id."""
        sandbox.amocrm.add_contact(name="Звонивший", phones=["+7 916 123-45-01"])
        connection = opened(sandbox.amocrm.base_url, sandbox.amocrm.token)
        since = datetime.now(UTC)
        write = Write(Verb.CREATE, record.kind, record=record, marker="m1")
        assert connection.recover(write, since=since, known=()) is None
        made = connection.write(write)
        assert made is not None
        assert connection.recover(write, since=since, known=()) == made


class TestFeed:
    def test_an_account_with_closed_events_is_read_by_time(
        self, sandbox: Sandbox, mock: responses.RequestsMock
    ) -> None:
        """Changes, notes and deletions come all the same; the account says that it has no stage history."""
        connection = opened(sandbox.amocrm.base_url, sandbox.amocrm.token)
        mock.add_passthru(sandbox.url)
        mock.add(responses.GET, f"{sandbox.amocrm.base_url}/api/v4/events", json={"status": 403}, status=403)
        doomed, kept, *_ = sorted(sandbox.amocrm.leads)
        start = connection.feed(None).cursor
        sandbox.amocrm.update_lead(kept, name="Изменена")
        note = sandbox.amocrm.add_call_note("leads", kept, phone="+79161234501", duration=0)
        sandbox.amocrm.delete_lead(doomed)
        page = connection.feed(start)
        told = {(hint.ref, hint.action) for hint in page.hints}
        refs = {one for one, _ in told}
        assert page.is_last
        assert (ref(Kind.DEAL, str(doomed)), Action.DELETED) in told
        assert ref(Kind.DEAL, str(kept)) in refs
        assert [one for one in refs if one.kind is Kind.CALL] == [ref(Kind.CALL, f"leads.{_note_id(note)}")]
        assert connection.supports(Capability.STAGE_HISTORY) is Level.ABSENT
        assert connection.feed(page.cursor).hints == ()

    def test_moves_of_one_second_keep_the_order_of_the_list(self, mock: responses.RequestsMock) -> None:
        """Events come newest first with whole seconds; their ids say nothing of the order."""
        connection = opened(HOST)
        start = connection.feed(None).cursor
        at = int(datetime.now(UTC).timestamp())
        stages = [1, 2, 3, 2, 1]
        events = [
            {
                "id": name,
                "type": "lead_status_changed",
                "entity_id": 7,
                "entity_type": "lead",
                "created_at": at,
                "value_before": [{"lead_status": {"id": before, "pipeline_id": 9}}],
                "value_after": [{"lead_status": {"id": after, "pipeline_id": 9}}],
            }
            for name, before, after in zip("dbca", stages, stages[1:], strict=False)
        ]
        mock.add(responses.GET, f"{API}/events", json={"_embedded": {"events": events[::-1]}})
        mock.add(responses.GET, re.compile(f"{API}/(tasks|leads|contacts|companies).*"), status=204)
        moves = [hint.move for hint in connection.feed(start).hints if hint.move is not None]
        assert [(move.from_stage, move.to_stage) for move in moves] == [
            (("9", str(before)), ("9", str(after))) for before, after in itertools.pairwise(stages)
        ]

    def test_a_quiet_reading_costs_three_requests(self, sandbox: Sandbox) -> None:
        """Events, tasks, incoming leads."""
        connection = opened(sandbox.amocrm.base_url, sandbox.amocrm.token)
        cursor = connection.feed(None).cursor
        sandbox.amocrm.reset_requests()
        connection.feed(cursor)
        paths = [call.path.rpartition("/api/v4")[2] for call in sandbox.amocrm.requests]
        assert paths == ["/events", "/tasks", "/leads/unsorted"]

    def test_a_long_outage_is_read_in_slices_oldest_first(self, sandbox: Sandbox) -> None:
        """Three thousand events: every one is told, in rising time, in pages of bounded size."""
        connection = opened(sandbox.amocrm.base_url, sandbox.amocrm.token)
        cursor = connection.feed(None).cursor
        sandbox.amocrm.deliver_hooks = False
        lead = min(sandbox.amocrm.leads)
        sandbox.clock.freeze()
        for number in range(1500):
            sandbox.amocrm.update_lead(lead, name=f"Имя {number}", price=number + 1)
            sandbox.clock.advance(1)
        connection = _at(sandbox)
        moments: list[datetime] = []
        for _ in range(20):
            page = connection.feed(cursor)
            moments += [hint.at for hint in page.hints if hint.ref.id == str(lead) and hint.at]
            cursor = page.cursor
            if page.is_last:
                break
        assert moments[:-1] == sorted(moments[:-1])
        assert len(set(moments)) == 1500


class TestHooks:
    URL = "https://us.example/hooks/amocrm/acme/s3cret"

    def test_a_subscription_is_made_kept_and_mended(self, sandbox: Sandbox) -> None:
        """Others' are left alone, older addresses of ours are removed."""
        connection = opened(sandbox.amocrm.base_url, sandbox.amocrm.token)
        for url in ("https://us.example/hooks/amocrm/acme/old", "https://them.example/x"):
            connection.call("POST", "/api/v4/webhooks", body={"destination": url, "settings": ["add_lead"]})
        actions = [connection.ensure_hooks(self.URL).action, connection.ensure_hooks(self.URL).action]
        connection.call("POST", "/api/v4/webhooks", body={"destination": self.URL, "settings": ["add_lead"]})
        actions.append(connection.ensure_hooks(self.URL).action)
        found = {hook["destination"]: set(hook["settings"]) for hook in sandbox.amocrm.webhooks}
        assert actions == ["created", "kept", "changed"]
        assert found == {self.URL: set(SETTINGS), "https://them.example/x": {"add_lead"}}

    def test_a_disabled_subscription_is_revived(self, mock: responses.RequestsMock) -> None:
        """The vendor switches hooks off after a hundred bad answers."""
        hook = {"destination": self.URL, "settings": list(SETTINGS), "disabled": True}
        mock.add(responses.GET, f"{API}/webhooks", json={"_embedded": {"webhooks": [hook]}})
        mock.add(responses.POST, f"{API}/webhooks", json={**hook, "disabled": False}, status=201)
        assert opened(HOST).ensure_hooks(self.URL).action == "revived"

    def test_who_is_no_administrator_is_told_so(self, mock: responses.RequestsMock) -> None:
        """The error names the right."""
        mock.add(responses.GET, f"{API}/webhooks", json={"title": "Forbidden", "status": 403}, status=403)
        with pytest.raises(AuthError, match="administrators"):
            opened(HOST).ensure_hooks(self.URL)


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, '{"title": "Bad Request", "detail": "Request data can not be empty", "status": 400}', Rejected),
        (401, '{"title": "Unauthorized", "status": 401}', AuthError),
        (402, '{"title": "Payment Required", "status": 402}', AccountBlocked),
        (403, "403 Forbidden", AccountBlocked),
        (403, "<html>403</html>", AccountBlocked),
        (403, '{"title": "Forbidden", "status": 403}', Rejected),
        (404, '{"title": "Not Found", "status": 404}', NotFound),
        (405, '{"title": "Method Not Allowed", "status": 405}', Unsupported),
        (422, '{"detail": "Limit 250 per page"}', Rejected),
        (429, '{"title": "Too Many Requests", "retry_after": 300}', RateLimited),
        (429, "slow down", RateLimited),
        (500, '{"title": "ErrInternalServer", "status": 500}', VendorDown),
        (502, "<html>502</html>", VendorDown),
        (301, "", VendorDown),
        (200, "<html>hello</html>", VendorDown),
        (200, '{"_embedded": {"lea', VendorDown),
        (200, "", VendorDown),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_every_refusal_has_its_error(
    mock: responses.RequestsMock, method: str, status: int, body: str, error: type[CrmKitError]
) -> None:
    """Named by account and vendor, with a remedy and without the token; a write in doubt says so."""
    mock.add(method, re.compile(f"{API}/leads.*"), body=body, status=status, headers={"X-Request-Id": "r-1"})
    connection = opened(HOST)
    with pytest.raises(CrmKitError) as raised:
        connection._line.send(method, "/api/v4/leads", body=[{}] if method == "POST" else None)
    assert isinstance(raised.value, error)
    assert (raised.value.account, raised.value.vendor) == ("acme", "amocrm")
    assert raised.value.request_id == "r-1"
    assert raised.value.remedy
    assert "t0ken" not in f"{raised.value} {raised.value.__dict__}"
    if isinstance(raised.value, VendorDown):
        assert raised.value.maybe_applied is (method == "POST")
    if isinstance(raised.value, RateLimited):
        assert raised.value.retry_after_s == (300.0 if "300" in body else None)


def _note_id(note: Any) -> int:
    return int(note["id"]) if isinstance(note, dict) else int(note)


def _at(sandbox: Sandbox) -> AmoCrmConnection:
    """A connection whose clock is the sandbox's."""

    class Same(Hasty):
        def now(self) -> datetime:
            return datetime.fromtimestamp(sandbox.clock.now(), UTC)

    settings = AmoCrmSettings(
        key="acme", vendor="amocrm", base_url=sandbox.amocrm.base_url, token=SecretStr(sandbox.amocrm.token)
    )
    doors = Doors(tokens=StaticTokens(sandbox.amocrm.token), limiter=Free(), clock=Same())
    return AmoCrmAdapter().open(settings, doors)
