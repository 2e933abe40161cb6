"""The parts of the live check by themselves: exclusions, findings, the register of a scan, neighbours, texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit.events import ContactCreated
from crmkit.models import Contact, Phone
from crmkit.testing import MemoryCrm, context, run
from crmkit.values import Kind, Ref
from crmkit_dedup import DedupSettings, dedup
from crmkit_dedup.exclusions import Exclusions, Seen, print_of
from crmkit_dedup.filling import fill as fill_index
from crmkit_dedup.findings import PLACES, Finding, Findings, in_order
from crmkit_dedup.learned import keep, learned
from crmkit_dedup.live import desk_of
from crmkit_dedup.match import Band, Cluster, Member, Reason
from crmkit_dedup.neighbours import MOST, look_around
from crmkit_dedup.policy import Ctx
from crmkit_dedup.rarity import Rarity
from crmkit_dedup.register import Register, Tally
from crmkit_dedup.sights import sight_of
from crmkit_dedup.texts import SHORT, Words

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
WHY = (Reason("phone", 12.0, "+79161230001"),)


def ctx_of(memory: MemoryCrm | None = None) -> Ctx:
    """What a handler is given, over an account in memory."""
    return context(dedup, memory or MemoryCrm())


def card(id_: str) -> Ref:
    """A contact's address."""
    return Ref("acme", Kind.CONTACT, id_)


def cluster(*ids: str, doubtful: Sequence[str] = ()) -> Cluster:
    """Records that are one, some of them to be asked about."""
    members = (Member(one, Band.REVIEW if one in doubtful else Band.AUTO, 12.0, WHY) for one in ids)
    return Cluster(ids[0], tuple(members))


def queue(ctx: Ctx) -> dict[str, tuple[str, ...]]:
    """The findings by their names."""
    return {found.key: found.ids for found in Findings(ctx.store).all()}


def places(ctx: Ctx) -> dict[str, object]:
    """Which finding each record leads to."""
    return {key: document["finding"] for key, document in ctx.store.scan(PLACES)}


def test_an_exclusion_holds_both_ways_until_one_side_changes() -> None:
    """Whoever asks first; an empty print holds whatever changes; dropped, it is gone both ways."""
    exclusions = Exclusions(ctx_of().store)
    one, other, third = Seen(card("1"), "a"), Seen(card("2"), "b"), Seen(card("3"), "")
    exclusions.add(one, other, at=NOW, by="somebody")
    exclusions.add(one, third, at=NOW)

    assert exclusions.holds(other, one)
    assert not exclusions.holds(Seen(card("2"), "changed"), one)
    assert exclusions.holds(one, Seen(card("3"), "whatever"))
    assert not exclusions.holds(other, third)
    assert [pair.other for pair in exclusions.of(card("1"))] == [card("2"), card("3")]
    assert [(pair.one.id, pair.other.id, pair.by) for pair in exclusions.pairs()] == [
        ("1", "2", "somebody"), ("1", "3", ""),
    ]  # fmt: skip
    assert (exclusions.drop(card("2"), card("1")), exclusions.drop(card("2"), card("1"))) == (True, False)
    assert not exclusions.holds(one, other)
    with pytest.raises(ValueError, match="apart from itself"):
        exclusions.add(one, one, at=NOW)


def test_ids_that_begin_alike_are_not_mixed_up() -> None:
    """Contact 1 and contact 12 have their own exclusions."""
    exclusions = Exclusions(ctx_of().store)
    exclusions.add(Seen(card("12"), ""), Seen(card("2"), ""), at=NOW)

    assert exclusions.of(card("1")) == []


@given(st.lists(st.text(max_size=8), max_size=6))
def test_a_print_does_not_depend_on_the_order_of_keys(keys: list[str]) -> None:
    """Nor on repetitions."""
    assert print_of(keys) == print_of([*reversed(keys), *keys])


def test_findings_of_one_event_grow_together() -> None:
    """A record that fits two findings makes one of them; whoever was there and was not seen now is to be asked."""
    ctx = ctx_of()
    findings = Findings(ctx.store)
    findings.meet(Kind.CONTACT, cluster("5", "7"), by="event", now=NOW)
    findings.meet(Kind.CONTACT, cluster("2", "9"), by="event", now=NOW + timedelta(minutes=1))
    joined = findings.meet(Kind.CONTACT, cluster("9", "10", "7"), by="event", now=NOW + timedelta(minutes=2))

    assert queue(ctx) == {"contact:5": ("2", "5", "7", "9", "10")}
    assert joined.sure == ("7", "9", "10")
    assert set(places(ctx).values()) == {"contact:5"}
    assert findings.of(Kind.CONTACT, "2") == joined
    left = findings.without(joined, {"2", "5", "7"})
    assert left is not None
    assert left.ids == ("9", "10")
    assert findings.without(left, {"9"}) is None
    assert (queue(ctx), places(ctx)) == ({}, {})


def test_a_scan_settles_moves_and_keeps() -> None:
    """Known findings keep their name and what was done; others are new or settled; records lead where they are."""
    ctx = ctx_of()
    findings = Findings(ctx.store)
    for ids in (("1", "2"), ("3", "4"), ("5", "6", "7")):
        findings.meet(Kind.CONTACT, cluster(*ids), by="scan", now=NOW)
    findings.save(findings.get("contact:1").model_copy(update={"acted": ("1", "2")}))  # type: ignore[union-attr]
    later = NOW + timedelta(days=1)

    tally = Register(ctx.store, Kind.CONTACT, later).take(
        [cluster("1", "2", "3"), cluster("5", "8"), cluster("6", "7"), cluster("11", "12")]
    )

    assert tally == Tally(new=2, known=2, settled=1)
    assert queue(ctx) == {
        "contact:1": ("1", "2", "3"),
        "contact:11": ("11", "12"),
        "contact:5": ("5", "8"),
        "contact:6": ("6", "7"),
    }
    assert findings.get("contact:1").acted == ("1", "2")  # type: ignore[union-attr]
    assert places(ctx) == {f"contact:{id_}": key for key, ids in queue(ctx).items() for id_ in ids}


def test_what_an_event_finds_during_a_scan_is_left_alone() -> None:
    """The scan has read the base before that."""
    ctx = ctx_of()
    register = Register(ctx.store, Kind.CONTACT, NOW)
    Findings(ctx.store).meet(Kind.CONTACT, cluster("1", "2", "3"), by="event", now=NOW + timedelta(seconds=5))

    register.take([cluster("1", "2")])

    assert queue(ctx) == {"contact:1": ("1", "2", "3")}


def test_what_was_settled_during_a_scan_stays_settled() -> None:
    """A person was quicker, though the cluster looks otherwise than the finding did."""
    ctx = ctx_of()
    findings = Findings(ctx.store)
    finding = findings.meet(Kind.CONTACT, cluster("1", "2"), by="scan", now=NOW)
    register = Register(ctx.store, Kind.CONTACT, NOW + timedelta(days=1))
    findings.drop(finding)

    register.take([cluster("1", "2", doubtful=["1", "2"])])

    assert (queue(ctx), places(ctx)) == ({}, {})


def test_a_night_writes_only_what_people_would_see() -> None:
    """Points move a little as the base grows: that is no news; another band, reason, fact or record is."""
    ctx = ctx_of()
    Register(ctx.store, Kind.CONTACT, NOW).take([cluster("1", "2")])

    def seen(members: Cluster) -> bool:
        later = NOW + timedelta(days=1)
        before = ctx.store.get("findings", "contact:1")
        Register(ctx.store, Kind.CONTACT, later).take([members])
        after = ctx.store.get("findings", "contact:1")
        ctx.store.put("findings", "contact:1", before or {})
        return after != before

    def moved(**change: Any) -> Cluster:
        return Cluster("1", tuple(one._replace(**change) for one in cluster("1", "2").members))

    assert not seen(moved(score=12.3))
    assert not seen(moved(reasons=(Reason("phone", 11.7, "+79161230001"), Reason("base", -9.0, "1001"))))
    assert seen(moved(score=14.0))
    assert seen(moved(band=Band.REVIEW))
    assert seen(moved(reasons=(Reason("phone", 12.0, "+79161230002"),)))
    assert seen(cluster("1", "2", "3"))


def test_kinds_do_not_settle_each_other() -> None:
    """A scan of firms leaves the people's findings."""
    ctx = ctx_of()
    Findings(ctx.store).meet(Kind.CONTACT, cluster("1", "2"), by="scan", now=NOW)

    assert Register(ctx.store, Kind.COMPANY, NOW + timedelta(days=1)).take([]) == Tally()
    assert queue(ctx) == {"contact:1": ("1", "2")}


def test_ids_are_ordered_as_numbers() -> None:
    """What is no number comes last."""
    assert sorted(["10", "9", "x-1", "100"], key=in_order) == ["9", "10", "100", "x-1"]


def test_what_was_learned_is_read_once_a_scan() -> None:
    """Nothing is known before the first scan; the next one takes the place of the last."""
    store = ctx_of().store
    before = learned(store, Kind.CONTACT)
    keep(store, Kind.CONTACT, Rarity(50_000))
    first = learned(store, Kind.CONTACT)
    again = learned(store, Kind.CONTACT)
    keep(store, Kind.CONTACT, Rarity(60_000))

    assert (before.size, first.size, learned(store, Kind.CONTACT).size) == (0, 50_000, 60_000)
    assert first is again


def fill(memory: MemoryCrm, *people: tuple[str, str]) -> tuple[Ctx, list[Ref]]:
    """An account with these people, all of them in the index."""
    refs = memory.seed(*(Contact(name=name, phones=(Phone(raw=phone),)) for name, phone in people))
    ctx, sight = ctx_of(memory), sight_of(Kind.CONTACT, "RU")
    for ref in refs:
        ctx.index.put(ref, sight.keys(sight.profile(ctx.mirror.get(Contact, ref))))
    return ctx, list(refs)


def found_by(ctx: Ctx, ref: Ref) -> tuple[int, set[str]]:
    """How many were compared with a record, and who it is."""
    sight = sight_of(Kind.CONTACT, "RU")
    look = look_around(sight, ref, sight.profile(ctx.mirror.get(Contact, ref)), desk_of(ctx, Kind.CONTACT))
    return look.compared, {one.id for one in look.cluster.members} if look.cluster else set()


def test_the_index_is_filled_from_where_it_broke_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """What an earlier run has put is not worked out again; other rules begin anew; later records are added."""
    monkeypatch.setattr("crmkit_dedup.filling.PAGE", 2)
    memory = MemoryCrm()
    memory.seed(*(Contact(name=f"Тлехугов{letter} Прохор") for letter in "абвгд"))
    ctx = ctx_of(memory)
    steps = fill_index(ctx)
    begun = [next(steps).done, len(ctx.index.missing(Kind.CONTACT))]
    rest = [progress.done for progress in fill_index(ctx)]
    again = list(fill_index(ctx))
    memory.seed(Contact(name="Кукушкина Снежана"))
    added = [progress.done for progress in fill_index(ctx)]
    other = replace(ctx, settings=DedupSettings(own_phones=("+74957305518",)))
    anew = [progress.done for progress in fill_index(other)]

    assert (begun, rest, again, added, anew) == ([2, 3], [2, 3], [], [1], [2, 4, 6])
    assert ctx.index.missing(Kind.CONTACT) == []


def test_news_of_a_card_that_was_merged_meanwhile_finds_nobody() -> None:
    """It comes in the name of the survivor; what the card was looks like it, and is no duplicate."""
    memory = MemoryCrm()
    ctx, [survivor] = fill(memory, ("Прохор Тлехугов", "+79161230001"))
    loser = Contact(ref=card("999"), name="Тлехугов Прохор", phones=(Phone(raw="+79161230001"),))

    outcome = run(dedup, ContactCreated(ref=survivor, occurred_at=NOW, contact=loser), memory)

    assert (outcome.skipped, outcome.reasons) == (True, ("эта карточка уже объединена с другой",))
    assert queue(ctx) == {}


def test_a_number_that_strangers_share_identifies_nobody() -> None:
    """Before any scan has counted its holders: those who are loaded are counted."""
    phone = "+79161230001"
    strangers = ("Прохор Тлехугов", "Снежана Дзагоева", "Ратибор Кукушкин", "Ефросинья Шаповаленко")
    ctx, refs = fill(MemoryCrm(), *((name, phone) for name in strangers), ("", phone))

    assert found_by(ctx, refs[0]) == (4, set())
    assert found_by(ctx, refs[-1])[1] == set()


def test_a_key_of_too_many_is_no_way_to_anybody() -> None:
    """A switchboard's seventy people are not loaded; whoever shares more than its number is found."""
    names = [f"Тлехугов{chr(1072 + place % 30)}{chr(1072 + place // 30)} Прохор" for place in range(70)]
    people = [(name, "+74957305518") for name in names]
    ctx, refs = fill(MemoryCrm(), *people, ("Кукушкина Снежана", "+74957305518, +79161230001"), ("", "+79161230001"))

    compared, found = found_by(ctx, refs[-1])
    assert (compared, found) == (1, {refs[-1].id, refs[-2].id})
    assert found_by(ctx, refs[0])[0] <= MOST


def finding(*ids: str) -> Finding:
    """A finding of an event."""
    return Findings(ctx_of().store).meet(Kind.CONTACT, cluster(*ids), by="event", now=NOW)


@pytest.mark.parametrize("language", ["ru", "en"])
@pytest.mark.parametrize("count", [2, 3, 12])
def test_the_short_text_of_a_task_fits_everywhere(language: str, count: int) -> None:
    """Whatever the names and links; it still says who and why."""
    words = Words(language, "Europe/Moscow")
    ids = [str(number) for number in range(1, count + 1)]
    records = [
        Contact(ref=card(id_), name="Длиннофамильная Александра Константиновна", url=f"https://acme.example/{id_}" * 3)
        for id_ in ids
    ]
    text = words.short_task(finding(*ids), records)

    assert len(text) <= SHORT
    assert "Длиннофамильная" in text
    assert "+79161230001" in words.task(finding(*ids), records)


def test_a_record_without_a_name_is_called_so() -> None:
    """In both languages, with its number."""
    assert [Words(language, "UTC").name(Contact(ref=card("7"))) for language in ("ru", "en")] == [
        "без имени (7)",
        "no name (7)",
    ]


def test_a_task_lists_so_many_cards_and_counts_the_others() -> None:
    """A card that a robot has entered three thousand times still makes a task that can be read."""
    records = [Contact(ref=card(str(number)), name="Прохор Тлехугов") for number in range(1, 3_001)]
    lines = Words("ru", "Europe/Moscow").task(finding(*(one.ref.id for one in records)), records).splitlines()

    assert (lines[1], lines[20:22]) == ("Прохор Тлехугов (1)", ["Прохор Тлехугов (20)", "и ещё 2980"])
    assert len(lines) == 24
