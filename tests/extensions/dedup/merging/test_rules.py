"""Who lives on, whose value wins, and what is said of it; one record after the other, and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.extensions.dedup.merging.office import merger

from crmkit import Contact, Context, CustomField, Deal, Phone, Ref
from crmkit.models import User
from crmkit.testing import MemoryCrm, context
from crmkit.values import Kind
from crmkit_dedup.journal import Journal, State
from crmkit_dedup.merging.merge import merge, resume
from crmkit_dedup.preview import preview
from crmkit_dedup.settings import DedupSettings
from crmkit_dedup.survivor import Candidate, MergeRules, Rule, choose
from crmkit_dedup.undo import undo

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
RULES = MergeRules(rivals=True)
CONSENT = CustomField(Contact, bool, "Согласие")


def ref(number: int) -> Ref:
    """The address of a contact."""
    return Ref("acme", Kind.CONTACT, str(number))


def ctx(memory: MemoryCrm, language: str = "ru") -> Context[DedupSettings]:
    """A run of the extension on the CRM in a dict."""
    return context(merger(), memory, language=language)


@pytest.mark.parametrize(
    ("better", "rule"),
    [
        ({"stage": 3}, Rule.STAGE),
        ({"deals": 1}, Rule.DEALS),
        ({"has_external_id": True}, Rule.EXTERNAL_ID),
        ({"filled": 5}, Rule.COMPLETE),
        ({"created_at": MONDAY - timedelta(days=9)}, Rule.OLDEST),
        ({"active_at": MONDAY}, Rule.ACTIVE),
    ],
)
def test_each_rule_decides_where_those_before_it_are_equal(better: dict[str, Any], rule: Rule) -> None:
    """The second record, with the higher number, wins by one thing only."""
    plain: dict[str, Any] = {"filled": 2, "created_at": MONDAY, "active_at": MONDAY - timedelta(days=1)}
    choice = choose([Candidate(ref(1), **plain), Candidate(ref(2), **{**plain, **better})], RULES)
    assert (choice.survivor, choice.losers, choice.rule) == (ref(2), (ref(1),), rule)


def test_an_owner_who_works_here_decides_last_and_one_who_left_is_said() -> None:
    """Of two equal records the one with an active owner; of two with absent owners the lower number, and it is said."""
    gone = Candidate(ref(1), owner_is_active=False)
    assert choose([gone, Candidate(ref(2))], RULES)[:1] == (ref(2),)
    both = choose([Candidate(ref(2), owner_is_active=False), gone], RULES)
    assert (both.survivor, both.rule, both.is_owner_gone) == (ref(1), None, True)


def test_the_order_of_rules_is_the_operators() -> None:
    """With the oldest first more deals do not help."""
    rules = MergeRules(survivor=(Rule.OLDEST, Rule.DEALS))
    old = Candidate(ref(2), created_at=MONDAY - timedelta(days=1))
    busy = Candidate(ref(1), deals=5, created_at=MONDAY)
    assert choose([old, busy], rules).survivor == ref(2)
    assert choose([old, busy], rules, survivor=ref(1)).survivor == ref(1)


@pytest.mark.parametrize(
    ("own", "other", "becomes"),
    [
        ("Иван", "Петров Иван Сергеевич", "Петров Иван Сергеевич"),
        ("Петров И.", "Иван Петров", "Иван Петров"),
        ("Иван Петров", "Ваня", "Иван Петров"),
        ("клиент", "Иван Петров", "Иван Петров"),
        ("Иван Петров", "Пётр Сидоров Иванович", "Иван Петров"),
        ("", "Иван", "Иван"),
    ],
)
def test_the_fullest_name_that_agrees_wins(own: str, other: str, becomes: str) -> None:
    """A name that contradicts the survivor's never takes its place; it goes into a remark."""
    memory = MemoryCrm()
    kept, lost = memory.seed(Contact(name=own), Contact(name=other))
    merge(ctx(memory), [kept, lost], RULES, survivor=kept)
    assert memory.crm.contacts.get(kept).name == becomes
    said = "\n".join(note.text for note in memory.crm.notes.find(about=kept))
    assert ("Сидоров" in said) is ("Сидоров" in other)


@pytest.mark.parametrize(
    ("values", "rules", "becomes"),
    [
        ((True, False), {"no_is_stricter": ("Согласие",)}, False),
        ((True, None), {"no_is_stricter": ("Согласие",)}, None),
        ((None, True), {"no_is_stricter": ("Согласие",)}, None),
        ((True, True), {"no_is_stricter": ("Согласие",)}, True),
        ((False, True), {"yes_is_stricter": ("Согласие",)}, True),
        ((True, False), {"yes_is_stricter": ("Согласие",)}, True),
        ((False, True), {}, False),
        ((None, True), {}, True),
    ],
)
def test_the_stricter_consent_holds(values: tuple[Any, Any], rules: dict[str, Any], becomes: bool | None) -> None:
    """A consent holds where all have given it, a refusal where anybody has; taken back each has their own."""
    memory = MemoryCrm()
    drafts = [Contact(name="Иван", custom=(CONSENT.to(value),) if value is not None else ()) for value in values]
    kept, lost = memory.seed(*drafts)
    done = merge(ctx(memory), [kept, lost], MergeRules(rivals=True, **rules), survivor=kept)
    assert memory.crm.contacts.get(kept)[CONSENT] == becomes
    assert done.entry is not None
    back = undo(ctx(memory), done.entry.id)
    assert [memory.crm.contacts.get(one)[CONSENT] for one in (kept, back.anew[lost])] == list(values)


def test_a_client_of_somebody_who_left_goes_to_who_is_here() -> None:
    """The survivor takes the owner of a loser; the preview says so."""
    memory = MemoryCrm()
    kept, lost = memory.seed(Contact(name="Иван", owner_id="1"), Contact(name="Иван", owner_id="2"))
    state = memory.world.account(memory.key)
    user = state.get(User, Ref(memory.key, Kind.USER, "1"))
    assert user is not None
    state.put(user.model_copy(update={"is_active": False}))
    lines = preview(memory.crm, [kept, lost], RULES, survivor=kept).lines("en")
    merge(ctx(memory), [kept, lost], RULES, survivor=kept)
    assert memory.crm.contacts.get(kept).owner_id == "2"
    assert [line for line in lines if line.startswith("Owner:") and "is replaced" in line] != []


def test_the_preview_names_each_value_and_its_record() -> None:
    """Field by field, with the record that a value comes from, and what moves; nothing is changed by it."""
    memory = MemoryCrm()
    kept, lost = memory.seed(
        Contact(name="Иван", phones=(Phone(raw="89123456789"),)),
        Contact(name="Иван Петров", phones=(Phone(raw="+79990001122"),), tags=("опт",)),
    )
    memory.seed(Deal(title="Окна", contacts=(lost,)))
    before = list(memory.crm.contacts.iterate())
    lines = preview(memory.crm, [kept, lost], RULES, survivor=kept).lines("en")
    assert lines == [
        "1 “Иван” lives on: it was chosen",
        "2 “Иван Петров” goes into it",
        "Name: “Иван” → “Иван Петров” (is replaced; of 2)",
        "Phones: “89123456789” → “89123456789, +79990001122” (is joined; of 2)",
        "Tags: “” → “опт” (is joined; of 2)",
        "These move: deals 1",
    ]
    assert list(memory.crm.contacts.iterate()) == before


def test_a_merge_of_a_merge_is_taken_back_in_turn() -> None:
    """First the outer, then the inner one, whose survivor has another number by then; all three are as they were."""
    memory = MemoryCrm()
    one, two, three = memory.seed(
        *(Contact(name="Иван Петров", phones=(Phone(raw=f"+7912345678{n}"),)) for n in range(3))
    )
    for who in (one, two, three):
        memory.seed(Deal(title=f"сделка {who.id}", contacts=(who,)))
    inner = merge(ctx(memory), [two, three], RULES, survivor=two)
    outer = merge(ctx(memory), [one, two], RULES, survivor=one)
    assert inner.entry is not None
    assert outer.entry is not None
    early = undo(ctx(memory), inner.entry.id)
    assert (early.is_done, early.lines) == (False, (f"2 влита дальше: сначала отмените {outer.entry.id}",))
    second = undo(ctx(memory), outer.entry.id).anew[two]
    third = undo(ctx(memory), inner.entry.id).anew[three]
    found = memory.crm.contacts
    assert [[phone.raw for phone in found.get(who).phones] for who in (one, second, third)] == [
        ["+79123456780"],
        ["+79123456781"],
        ["+79123456782"],
    ]
    deals = {deal.title: deal.contacts for deal in memory.crm.deals.iterate()}
    assert deals == {"сделка 1": (one,), "сделка 2": (second,), "сделка 3": (third,)}


def test_a_record_takes_part_in_one_merge_at_a_time() -> None:
    """While a merge is under way another one of its records is refused; who goes on with it ends it."""
    memory = MemoryCrm()
    one, two, three = memory.seed(*(Contact(name="Иван") for _ in range(3)))
    seen = preview(memory.crm, [one, two], RULES, survivor=one)
    journal = Journal(ctx(memory).store)
    entry = journal.begin(seen.survivor, seen.losers, MONDAY)
    refused = merge(ctx(memory), [two, three], RULES)
    assert refused.lines == (f"Нельзя: 2 сейчас участвует в объединении {entry.id}",)
    assert [done.is_done for done in resume(ctx(memory), RULES)] == [True]
    ended = journal.get(entry.id)
    assert ended is not None
    assert ended.state is State.DONE
    assert merge(ctx(memory), [one, three], RULES, survivor=one).is_done


def test_a_survivor_that_is_deleted_in_the_middle_holds_nobody() -> None:
    """The merge ends as refused, the loser is as it was and may be merged into another one."""
    memory = MemoryCrm()
    one, two, three = memory.seed(*(Contact(name="Иван") for _ in range(3)))
    seen = preview(memory.crm, [one, two], RULES, survivor=one)
    entry = Journal(ctx(memory).store).begin(seen.survivor, seen.losers, MONDAY)
    memory.person.delete(one)
    [ended] = resume(ctx(memory, "en"), RULES)
    assert ended.lines == (
        f"Merge {entry.id} is not ended: 1 was deleted. If 2 are gone too, an undo brings them back",
    )
    assert ended.entry is not None
    assert ended.entry.state is State.REFUSED
    assert merge(ctx(memory), [two, three], RULES, survivor=two).is_done


def test_a_loser_comes_back_though_its_survivor_is_gone() -> None:
    """Taken back after somebody has deleted the survivor: the loser is made anew with its fields."""
    memory = MemoryCrm()
    kept, lost = memory.seed(Contact(name="Иван"), Contact(name="Иван", phones=(Phone(raw="+79123456789"),)))
    done = merge(ctx(memory), [kept, lost], RULES, survivor=kept)
    memory.person.delete(kept)
    assert done.entry is not None
    back = undo(ctx(memory), done.entry.id)
    assert [phone.raw for phone in memory.crm.contacts.get(back.anew[lost]).phones] == ["+79123456789"]
