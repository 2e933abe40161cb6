"""A process that dies in the middle: the same words again end in the same state, with nothing there twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from tests.extensions.dedup.merging.office import merger, pictured, told

from crmkit import Company, Conflict, Contact, Deal, Email, Note, Phone, Ref, Task
from crmkit_runtime import effects
from crmkit_testing.bench import Bench, bench

LONG = timedelta(minutes=5)


class Killed(BaseException):
    """The process is gone: nothing after this line is done."""


class Reaper:
    """Kills at the n-th place where the runtime may die; 0 never."""

    def __init__(self) -> None:
        self.left = 0

    def __call__(self, name: str) -> None:
        if self.left:
            self.left -= 1
            if not self.left:
                raise Killed(name)


@pytest.fixture
def reaper(monkeypatch: pytest.MonkeyPatch) -> Reaper:
    """What stands at every place where a process may die between a call and what is kept of it."""
    made = Reaper()
    monkeypatch.setattr(effects, "crashpoint", made)
    return made


@pytest.fixture
def office() -> Iterator[Bench]:
    """A service beside the CRM in a dict."""
    with bench(merger(), "memory") as b:
        assert b.service.accounts
        yield b


def pair(b: Bench, number: int) -> tuple[Ref, Ref]:
    """Two records of one person with all that a merge moves."""
    crm, tail = b.crm, f"{number:04d}"
    firm = crm.companies.create(Company(name=f"Фирма {number}"))
    kept = crm.contacts.create(Contact(name="Иван Петров", phones=(Phone(raw=f"8912000{tail}"),)))
    lost = crm.contacts.create(
        Contact(
            name="Петров Иван Сергеевич",
            phones=(Phone(raw=f"+7912000{tail}"), Phone(raw=f"+7999000{tail}")),
            emails=(Email(value=f"i{number}@example.com"),),
            company=firm,
            tags=("опт",),
            owner_id="2",
        )
    )
    crm.deals.create(Deal(title=f"Двери {number}", contacts=(lost,)))
    crm.tasks.create(Task(text=f"перезвонить {number}", about=lost, due=b.now + timedelta(days=1)))
    crm.notes.create(Note(about=lost, text=f"просит скидку {number}"))
    return kept, lost


def shape(b: Bench, kept: Ref, lost: Ref) -> dict[str, Any]:
    """The two cards as they are, without what differs from pair to pair."""
    found = b.crm.contacts.get_many([kept, lost])
    cards = pictured(b.crm, list(found.values()), {kept: "kept", lost: "lost"})
    for card in cards.values():
        for name in ("phones", "emails", "notes", "tasks", "company"):
            card[name] = bool(card[name]) if name == "company" else len(card[name])
    return cards


def killed(reaper: Reaper, place: int, act: Any) -> bool:
    """Do it and die at that place; False when it ended before."""
    reaper.left = place
    try:
        act()
    except Killed:
        return True
    finally:
        reaper.left = 0
    return False


def test_wherever_a_merge_dies_it_ends_the_same(office: Bench, reaper: Reaper) -> None:
    """Every place at which the process may die, one after the other, each with a pair of its own."""
    b = office
    whole = pair(b, 0)
    told(b, "merge", whole[0].id, whole[1].id, "--survivor", whole[0].id, "--apply")
    wanted, place = shape(b, *whole), 0
    while True:
        place += 1
        kept, lost = pair(b, place)
        words = (kept.id, lost.id, "--survivor", kept.id, "--apply")
        if not killed(reaper, place, lambda words=words: told(b, "merge", *words)):
            break
        b.advance(LONG)
        told(b, "merge", *words)
        assert shape(b, kept, lost) == wanted
    assert place > 10


def test_wherever_an_undo_dies_it_ends_the_same(office: Bench, reaper: Reaper) -> None:
    """The loser is made anew once, at whichever second place the process dies."""
    b, place = office, -1
    while True:
        place += 2
        kept, lost = pair(b, place)
        before = shape(b, kept, lost)
        told(b, "merge", kept.id, lost.id, "--survivor", kept.id, "--apply")
        known = {contact.ref for contact in b.crm.contacts.iterate()}
        name = f"contact-{kept.id}-1"
        is_over = not killed(reaper, place, lambda name=name: told(b, "undo", name))
        b.advance(LONG)
        told(b, "undo", name)
        made = [contact.ref for contact in b.crm.contacts.iterate() if contact.ref not in known]
        assert len(made) == 1
        assert shape(b, kept, made[0]) == before
        if is_over:
            break
    assert place > 10


def test_two_who_merge_the_same_at_one_moment_merge_it_once(office: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second is sent away while the first is at it, and changes nothing; afterwards it finds the merge done."""
    kept, lost = pair(office, 1)
    words = (kept.id, lost.id, "--survivor", kept.id, "--apply")
    refused: list[str] = []

    def meet(name: str) -> None:
        """While the first has begun its merge and not sent it, a second comes."""
        if name == "after_intent" and not refused:
            refused.append("")
            with pytest.raises(Conflict, match="just doing") as sent_away:
                told(office, "merge", *words)
            refused[0] = sent_away.value.message

    monkeypatch.setattr(effects, "crashpoint", meet)
    told(office, "merge", *words)
    assert refused[0].startswith("another run is just doing once:update:contact:merge:")
    assert [line.split("  ")[2] for line in told(office, "journal")] == ["выполнено"]
    assert len(office.crm.contacts.get(kept).phones) == 2
