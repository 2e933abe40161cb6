"""Writes as plain data: stored, read back, compared."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit import (
    Call,
    CallStatus,
    Company,
    Contact,
    CustomField,
    Deal,
    Direction,
    Email,
    File,
    Kind,
    Lead,
    LineItem,
    Money,
    Note,
    Phone,
    Ref,
    StageRef,
    Task,
)
from crmkit.models import CustomValue, FieldType
from crmkit.write import Verb, Write

texts = st.text(max_size=20)
numbers = st.decimals(allow_nan=False, allow_infinity=False, places=2)
moments = st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2090, 1, 1), timezones=st.just(UTC))
money = st.builds(Money, numbers, st.sampled_from(["RUB", "USD"]))
phones = st.lists(st.builds(Phone, raw=texts, e164=st.none() | texts), max_size=2)
emails = st.lists(st.builds(Email, value=texts, kind=st.none() | texts), max_size=2)
tags = st.lists(texts, max_size=3)


def refs(kind: Kind) -> st.SearchStrategy[Ref]:
    """Addresses of one kind; ids have whatever signs a vendor likes."""
    return st.builds(Ref, st.just("acme"), st.just(kind), st.text(min_size=1, max_size=8))


FIELDS: list[tuple[type[Any], st.SearchStrategy[Any]]] = [
    (str, texts),
    (int, st.integers()),
    (Decimal, numbers),
    (bool, st.booleans()),
    (date, st.dates()),
    (datetime, moments),
    (Money, money),
    (tuple, tags.map(tuple)),
]


def changes_of_fields(record: type[Any]) -> st.SearchStrategy[Any]:
    """Custom fields of every type, with a value or cleared, named in every way."""
    each = [
        st.builds(
            lambda type_, title, code, pin, value: CustomField(record, type_, title, code=code, amocrm=pin).to(value),
            st.just(type_),
            texts,
            st.none() | texts,
            st.none() | st.text(min_size=1, max_size=5),
            values | st.none(),
        )
        for type_, values in FIELDS
    ]
    return st.lists(st.one_of(each), max_size=3)


def some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Any choice among the fields."""
    return st.fixed_dictionaries({}, optional=fields)


STAGE = st.builds(StageRef, pipeline_id=texts, stage_id=texts)
DRAFTS: dict[type[Any], st.SearchStrategy[dict[str, Any]]] = {
    Contact: some(
        name=texts,
        phones=phones.map(tuple),
        emails=emails.map(tuple),
        company=st.none() | refs(Kind.COMPANY),
        birthday=st.none() | st.dates(),
        tags=tags.map(tuple),
        custom=changes_of_fields(Contact).map(tuple),
    ),
    Company: some(name=texts, inn=texts, contacts=st.lists(refs(Kind.CONTACT), max_size=2).map(tuple)),
    Deal: some(
        title=texts,
        amount=st.none() | money,
        stage=st.none() | STAGE,
        closed_at=moments,
        contacts=st.lists(refs(Kind.CONTACT), max_size=2).map(tuple),
        items=st.lists(st.builds(LineItem, name=texts, quantity=numbers, price=st.none() | money), max_size=2).map(
            tuple
        ),
        custom=changes_of_fields(Deal).map(tuple),
    ),
    Lead: some(title=texts, phones=phones.map(tuple), deal=st.none() | refs(Kind.DEAL)),
    Task: some(text=texts, due=st.none() | moments, about=st.none() | refs(Kind.DEAL), is_done=st.booleans()),
    Note: some(text=texts, about=refs(Kind.CONTACT), note_type=texts),
    File: some(name=texts, content=st.binary(max_size=50), cards=st.lists(refs(Kind.DEAL), max_size=2).map(tuple)),
    Call: some(
        direction=st.sampled_from(Direction),
        status=st.sampled_from(CallStatus),
        phone=st.builds(Phone, raw=texts),
        talk_s=st.integers(0, 10_000),
        tracking=st.dictionaries(texts, texts, max_size=2),
    ),
}
CHANGES: dict[type[Any], st.SearchStrategy[dict[str, Any]]] = {
    Contact: some(
        name=texts,
        phones=phones,
        emails=emails,
        company=st.none() | refs(Kind.COMPANY),
        birthday=st.none() | st.dates(),
        add_tags=tags,
        custom=changes_of_fields(Contact),
    ),
    Company: some(name=texts, site=st.none() | texts, inn=st.none() | texts, custom=changes_of_fields(Company)),
    Deal: some(
        title=texts,
        amount=st.none() | money,
        stage=STAGE,
        loss_reason=st.none() | texts,
        remove_tags=tags,
        custom=changes_of_fields(Deal),
    ),
    Lead: some(title=texts, status=texts, custom=changes_of_fields(Lead)),
    Task: some(text=texts, due=moments, about=st.none() | refs(Kind.DEAL), is_done=st.booleans(), result=texts),
    Note: some(text=texts),
    File: some(name=texts, cards=st.lists(refs(Kind.DEAL), max_size=2)),
}
EXTRA = st.dictionaries(texts, st.none() | st.booleans() | st.integers() | texts, max_size=2)
MARKER = st.none() | texts


def through_json(write: Write) -> Write:
    """The write as the database gives it back."""
    return Write.from_json(json.loads(json.dumps(write.to_json())))


@pytest.mark.parametrize("record", DRAFTS)
@given(data=st.data())
def test_a_draft_reads_back_equal(record: type[Any], data: st.DataObject) -> None:
    """A create of any kind, with custom fields of any type, is the same after storage: what is sent, and no more."""
    draft = record(**data.draw(DRAFTS[record]))
    write = Write(Verb.CREATE, record.kind, record=draft, extra=data.draw(EXTRA), marker=data.draw(MARKER))
    back = through_json(write)
    assert back == write
    assert back.values() == write.values()
    assert back.digest() == write.digest()


@pytest.mark.parametrize("record", CHANGES)
@given(data=st.data())
def test_changes_read_back_equal(record: type[Any], data: st.DataObject) -> None:
    """An update of any kind is the same after storage; an absent key stays absent, None stays None."""
    ref = data.draw(refs(record.kind))
    write = Write(Verb.UPDATE, record.kind, ref=ref, changes=data.draw(CHANGES[record]), marker=data.draw(MARKER))
    back = through_json(write)
    assert back == write
    assert back.digest() == write.digest()


@pytest.mark.parametrize("verb", [Verb.DELETE, Verb.LINK, Verb.UNLINK, Verb.MERGE])
def test_the_other_verbs_read_back_equal(verb: Verb) -> None:
    """Addresses of both sides and the vendor's own words are kept."""
    others = () if verb is Verb.DELETE else (Ref("acme", Kind.CONTACT, "2"), Ref("acme", Kind.CONTACT, "3"))
    write = Write(verb, Kind.CONTACT, ref=Ref("acme", Kind.CONTACT, "1"), others=others, extra={"is_main": True})
    assert through_json(write) == write


def test_a_tuple_of_changes_comes_back_as_a_list_of_the_same() -> None:
    """JSON has one kind of sequence; the content, and so the identity of the write, is the same."""
    write = Write(Verb.UPDATE, Kind.DEAL, ref=Ref("acme", Kind.DEAL, "1"), changes={"add_tags": ("a", "b")})
    back = through_json(write)
    assert (back.changes, back.digest()) == ({"add_tags": ["a", "b"]}, write.digest())


def test_the_digest_is_of_the_content_alone() -> None:
    """Another marker is the same write; another value, record, verb, side or vendor's word is another one."""
    ref = Ref("acme", Kind.DEAL, "1")
    write = Write(Verb.UPDATE, Kind.DEAL, ref=ref, changes={"title": "Окна"}, marker="a")
    same = Write(Verb.UPDATE, Kind.DEAL, ref=ref, changes={"title": "Окна"}, marker="b")
    others = [
        Write(Verb.UPDATE, Kind.DEAL, ref=ref, changes={"title": "Двери"}),
        Write(Verb.UPDATE, Kind.DEAL, ref=Ref("beta", Kind.DEAL, "1"), changes={"title": "Окна"}),
        Write(Verb.DELETE, Kind.DEAL, ref=ref),
        Write(Verb.LINK, Kind.DEAL, ref=ref, others=(Ref("acme", Kind.CONTACT, "1"),)),
        Write(Verb.UPDATE, Kind.DEAL, ref=ref, changes={"title": "Окна"}, extra={"price": 1}),
    ]
    assert write.digest() == same.digest()
    assert len({write.digest(), *(other.digest() for other in others)}) == 6


def test_the_digest_is_the_same_in_every_release() -> None:
    """Effects are stored under it: a change of it would repeat what was done before an upgrade."""
    write = Write(
        Verb.CREATE,
        Kind.TASK,
        record=Task(text="Перезвонить", due=datetime(2026, 3, 2, 9, tzinfo=UTC), about=Ref("acme", Kind.DEAL, "1")),
    )
    assert write.digest() == "8e44aaaa2ee5a86f9b0c87dcccbfc2cf"


def test_only_what_was_set_is_sent() -> None:
    """Defaults, the address and the vendor's body are no part of a draft."""
    draft = Deal(ref=Ref("acme", Kind.DEAL, "9"), title="Окна", raw={"id": 9})
    assert dict(Write(Verb.CREATE, Kind.DEAL, record=draft).values()) == {"title": "Окна"}


def test_a_draft_copied_from_a_record_keeps_its_custom_values() -> None:
    """Values that were read, dates and amounts among them, can be written into another record."""
    day = CustomValue(id="7", title="Дата", type=FieldType.DATE, value=date(2026, 3, 2))
    paid = CustomValue(id="8", title="Аванс", type=FieldType.MONEY, value=Money(Decimal("1.50"), "RUB"))
    write = Write(Verb.CREATE, Kind.DEAL, record=Deal(title="Копия", custom=(day, paid)))
    assert through_json(write) == write


def test_the_target_is_named_for_people() -> None:
    """Messages say which record, or that it is a new one."""
    ref = Ref("acme", Kind.DEAL, "1")
    assert Write(Verb.UPDATE, Kind.DEAL, ref=ref).target == "acme/deal:1"
    assert Write(Verb.CREATE, Kind.TASK, record=Task()).target == "a new task"


@pytest.mark.parametrize("value", [{1, 2}, frozenset({"a"}), object(), 1 + 2j])
def test_what_cannot_be_sent_is_refused_by_its_type(value: object) -> None:
    """A set has no order, so it would be another write in each process; an object is nobody's value."""
    write = Write(Verb.UPDATE, Kind.DEAL, ref=Ref("acme", Kind.DEAL, "1"), changes={"title": value})
    with pytest.raises(TypeError, match=f"a {type(value).__name__} cannot be a field's value"):
        write.to_json()
