"""Hooks of amoCRM in their old format, with all its vices, as hints."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit.errors import BadPayload, WebhookRejected
from crmkit.values import Kind, Ref
from crmkit.webhook import Action, Delivery, Hint, WebhookRequest
from crmkit_amocrm import AmoCrmSettings
from crmkit_amocrm.webhooks import parse

SAMPLES = Path(__file__).parents[2] / "samples" / "amocrm"
MADE, CHANGED = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)


def settings(base_url: str = "https://okna.amocrm.ru", **values: Any) -> AmoCrmSettings:
    return AmoCrmSettings(key="acme", vendor="amocrm", base_url=base_url, **values)


def request(body: bytes, content_type: str = "application/x-www-form-urlencoded") -> WebhookRequest:
    return WebhookRequest("POST", "/hooks", "", {"content-type": content_type}, body, MADE)


def parsed(name: str) -> Delivery:
    return parse(request((SAMPLES / f"{name}.form").read_bytes()), settings())


def ref(kind: Kind, id_: str) -> Ref:
    return Ref("acme", kind, id_)


def test_a_stage_move_is_a_change_with_its_times_and_its_author() -> None:
    """Bare dates and radio buttons without an index do not hinder; the account's id is handed on."""
    hint = Hint(ref(Kind.DEAL, "710001"), Action.CHANGED, CHANGED, "8001", None, MADE)
    assert parsed("lead_status") == Delivery((hint,), (), (), "31500100")


def test_companies_are_told_from_contacts() -> None:
    """Both come under one name; the type tells."""
    assert parsed("company_among_contacts").hints == (
        Hint(ref(Kind.COMPANY, "6200"), Action.ADDED, MADE, "8001", None, MADE),
        Hint(ref(Kind.CONTACT, "6201"), Action.ADDED),
    )


def test_several_entities_and_actions_in_one_body_all_count() -> None:
    """Sparse indexes and an index too many included."""
    assert parsed("several_at_once").hints == (
        Hint(ref(Kind.DEAL, "1")),
        Hint(ref(Kind.DEAL, "2")),
        Hint(ref(Kind.DEAL, "3"), Action.DELETED),
        Hint(ref(Kind.TASK, "4")),
    )


def test_an_index_may_be_a_name() -> None:
    """Items under names count as those under numbers; a field of an item without an id is no item."""
    body = (
        b"leads[update][abc][id]=1&leads[update][22060555][id]=2&task[update][0][text]=x&task[update][0][result][id]=7"
    )
    read = parse(request(body), settings())
    assert read.hints == (Hint(ref(Kind.DEAL, "1")), Hint(ref(Kind.DEAL, "2")))
    assert read.refusals == ("task.update: no items",)


def test_a_senseless_id_is_refused() -> None:
    """A number of hundreds of digits never reaches the request that loads a batch."""
    read = parse(request(b"leads[add][0][id]=" + b"9" * 400 + b"&leads[add][1][id]=5"), settings())
    assert read.hints == (Hint(ref(Kind.DEAL, "5"), Action.ADDED),)
    assert read.refusals == ("leads.add: an item without a usable id or card",)


def test_a_deletion_may_be_a_bare_id() -> None:
    """The oldest form."""
    assert parsed("delete_scalar").hints == (Hint(ref(Kind.DEAL, "710001"), Action.DELETED),)


def test_only_unix_times_are_read() -> None:
    """The date texts of a task are in a zone of their own."""
    hint = Hint(ref(Kind.TASK, "5100"), Action.CHANGED, CHANGED, "8001", None, MADE)
    assert parsed("task_done").hints == (hint,)


@pytest.mark.parametrize(
    ("name", "kind", "id_"),
    [
        ("lead_note_call", Kind.CALL, "leads.9001"),
        ("company_note_text", Kind.NOTE, "companies.9002"),
    ],
)
def test_a_note_is_a_note_or_a_call_with_its_card_in_the_address(name: str, kind: Kind, id_: str) -> None:
    """Call notes are 10 and 11; the card's list is where alone a note can be read again."""
    assert parsed(name).hints == (Hint(ref(kind, id_), Action.ADDED, MADE, "8001", None, MADE),)


def test_a_name_that_is_scalar_and_parent_loses_nothing_else() -> None:
    """Such a body was captured."""
    assert parsed("note_type_is_scalar_and_parent").hints == (Hint(ref(Kind.NOTE, "contacts.9003"), Action.ADDED),)


def test_an_incoming_lead_names_what_exists_for_it() -> None:
    """Its deal and its people; the values of a deal that is not made yet are no ids."""
    assert parsed("unsorted_add_form").hints == (
        Hint(ref(Kind.LEAD, "c0ffee01"), Action.ADDED, MADE, None, None, MADE),
        Hint(ref(Kind.DEAL, "710002"), Action.CHANGED, MADE),
        Hint(ref(Kind.CONTACT, "6201"), Action.CHANGED, MADE),
    )


def test_an_accepted_lead_is_gone_and_its_deal_changed() -> None:
    """Acceptance comes as a deletion."""
    assert parsed("unsorted_accepted").hints == (
        Hint(ref(Kind.LEAD, "c0ffee01"), Action.DELETED, None, "8001"),
        Hint(ref(Kind.DEAL, "710002"), Action.CHANGED, None, "8001"),
    )


def test_a_pipeline_hook_is_a_change_of_its_deal() -> None:
    """Five keys are enough."""
    assert parsed("pipeline_call_in").hints == (Hint(ref(Kind.DEAL, "710001")),)


def test_what_has_no_kind_is_named() -> None:
    """No silence: each part says why it brings no hint."""
    delivery = parsed("message_and_list_element")
    assert delivery.hints == ()
    assert delivery.refusals == (
        "message.add: messages belong to the chats API",
        "catalogs.add: elements of lists are no records of crmkit",
        "talk.update: talks belong to the chats API",
        "customers.note: customers are no records of crmkit",
    )


def test_a_note_on_a_customer_is_named() -> None:
    """Whatever name it comes under."""
    assert parsed("note_of_customer").refusals == (
        "customers.note: customers are no records of crmkit",
        "leads.note: an item without a usable id or card",
    )


class TestAccount:
    BODY = b"leads[update][0][id]=1&account[subdomain]=other&account[id]=99"

    def test_a_foreign_subdomain_is_rejected(self) -> None:
        """The body names another account than the address does."""
        with pytest.raises(WebhookRejected, match=r"other.*99"):
            parse(request(self.BODY), settings())

    def test_a_foreign_id_is_rejected(self) -> None:
        """The settings name the account."""
        with pytest.raises(WebhookRejected):
            parse(request(self.BODY), settings(account_id="31500100"))

    def test_a_renamed_account_is_known_by_its_id(self) -> None:
        """The subdomain may change, the id never does."""
        assert parse(request(self.BODY), settings(account_id="99")).account_id == "99"

    def test_an_address_that_is_not_the_vendors_says_nothing_of_the_subdomain(self) -> None:
        """Behind a proxy, or at the emulator."""
        assert parse(request(self.BODY), settings("http://127.0.0.1:5000/amocrm")).hints == (Hint(ref(Kind.DEAL, "1")),)


@pytest.mark.parametrize("body", [b"", b"&&", b'{"leads": 1}', b"[1]"])
def test_what_is_no_hook_form_is_a_bad_payload(body: bytes) -> None:
    """Nothing, and JSON."""
    with pytest.raises(BadPayload):
        parse(request(body), settings())


def test_an_unknown_action_is_named() -> None:
    """A hook that the vendor adds tomorrow is not lost in silence."""
    delivery = parse(request(b"leads[teleport][0][id]=1&robots[add][0][id]=2"), settings())
    assert delivery.refusals == (
        "leads.teleport: crmkit does not know this hook",
        "robots.add: crmkit does not know this hook",
    )


KEYS = st.lists(
    st.sampled_from(["leads", "contacts", "task", "unsorted", "note", "add", "0", "5", "id", "uid", "data", ""]),
    min_size=1,
    max_size=8,
)
PAIRS = st.lists(st.tuples(KEYS, st.sampled_from(["1", "x", "", "-1", "9" * 400, "٣"])), max_size=12)


@given(PAIRS)
def test_no_form_breaks_the_reader(pairs: list[tuple[list[str], str]]) -> None:
    """Any nesting gives hints with numeric ids, refusals, or BadPayload; never another error."""
    body = "&".join(keys[0] + "".join(f"[{key}]" for key in keys[1:]) + "=" + value for keys, value in pairs)
    try:
        delivery = parse(request(body.encode()), settings())
    except BadPayload:
        return
    assert all(hint.ref.account == "acme" and hint.ref.id for hint in delivery.hints)
    assert delivery.hints or delivery.refusals
