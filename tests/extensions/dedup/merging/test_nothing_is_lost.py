"""Random records of one person: whatever any of them had, the survivor has; taken back, each has its own again."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.extensions.dedup.merging.office import merger, picture

from crmkit import Company, Contact, CustomField, Deal, Email, Note, Phone, Ref, Task
from crmkit.testing import MemoryCrm, changes, context
from crmkit_dedup.merging.joining import email_key, phone_keys
from crmkit_dedup.merging.merge import merge
from crmkit_dedup.survivor import MergeRules
from crmkit_dedup.undo import undo

CHANNEL = CustomField(Contact, str, "Канал")
INTERESTS: CustomField[Contact, Any] = CustomField(Contact, tuple, "Интересы")
SEATS = CustomField(Contact, int, "Число мест")
RULES = MergeRules(largest=50, rivals=True)

PHONES = ("89123456789", "+7 912 345-67-89", "+7 495 123-45-67 доб. 12", "+74951234567", "9260001122", "нет")
EMAILS = ("ivan@example.com", "IVAN@example.com", "petrov@mail.ru", "i.petrov@gmail.com")
NAMES = ("Иван Петров", "Петров Иван Сергеевич", "Ваня", "ИВАН", "Пётр Сидоров", "клиент", "")


def some(values: tuple[str, ...]) -> st.SearchStrategy[list[str]]:
    """A few of them, each once."""
    return st.lists(st.sampled_from(values), unique=True, max_size=3)


PEOPLE = st.fixed_dictionaries(
    {
        "name": st.sampled_from(NAMES),
        "phones": some(PHONES),
        "emails": some(EMAILS),
        "tags": some(("опт", "важный", "vip")),
        "birthday": st.sampled_from([None, date(1990, 1, 1), date(1991, 2, 3)]),
        "channel": st.sampled_from([None, "сайт", "звонок"]),
        "interests": some(("Дорого", "Долго")),
        "seats": st.sampled_from([None, 1, 2]),
        "owner": st.sampled_from(["1", "2"]),
        "firm": st.sampled_from([None, 0, 1]),
        "deals": st.integers(0, 2),
        "tasks": st.integers(0, 2),
        "notes": st.integers(0, 2),
    }
)
CROWDS = st.lists(PEOPLE, min_size=2, max_size=4)
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def seeded(crowd: list[dict[str, Any]], shared: bool) -> tuple[MemoryCrm, list[Ref]]:
    """An account with these people, and a deal that all of them share."""
    memory = MemoryCrm()
    firms = memory.seed(Company(name="ООО Ромашка"), Company(name="ООО Вектор"))
    people: list[Ref] = []
    for number, one in enumerate(crowd):
        custom: list[Any] = [CHANNEL.to(one["channel"])] if one["channel"] else []
        custom += [INTERESTS.to(tuple(one["interests"]))] if one["interests"] else []
        custom += [SEATS.to(one["seats"])] if one["seats"] else []
        draft: dict[str, Any] = {
            "name": one["name"],
            "phones": tuple(Phone(raw=raw) for raw in one["phones"]),
            "emails": tuple(Email(value=value) for value in one["emails"]),
            "tags": tuple(one["tags"]),
            "birthday": one["birthday"],
            "owner_id": one["owner"],
            "company": firms[one["firm"]] if one["firm"] is not None else None,
        }
        given_values = {name: value for name, value in draft.items() if value not in (None, ())}
        [ref] = memory.seed(Contact.model_validate({**given_values, "custom": tuple(custom)}))
        people.append(ref)
        memory.seed(*(Deal(title=f"сделка {number}.{deal}", contacts=(ref,)) for deal in range(one["deals"])))
        due = memory.world.clock.now() + timedelta(days=1)
        memory.seed(*(Task(text=f"дело {number}.{task}", about=ref, due=due) for task in range(one["tasks"])))
        memory.seed(*(Note(text=f"слова {number}.{note}", about=ref) for note in range(one["notes"])))
    if shared:
        memory.seed(Deal(title="общая", contacts=tuple(reversed(people))))
    return memory, people


def riches(memory: MemoryCrm, people: list[Ref]) -> dict[str, Any]:
    """All that these people have together."""
    found = [contact for ref, contact in memory.crm.contacts.get_many(people).items()]
    crm = memory.crm
    return {
        "phones": {key for one in found for phone in one.phones for key in phone_keys(phone, "RU")},
        "emails": {email_key(email) for one in found for email in one.emails},
        "tags": {tag for one in found for tag in one.tags},
        "deals": {deal.title for ref in people for deal in crm.deals.find(contact=ref)},
        "tasks": {task.text for ref in people for task in crm.tasks.find(about=ref)},
        "interests": {label for one in found for label in one[INTERESTS] or ()},
    }


def remarks(memory: MemoryCrm, ref: Ref) -> str:
    """All remarks on a card."""
    return "\n".join(note.text for note in memory.crm.notes.find(about=ref))


@QUICK
@given(CROWDS, st.booleans())
def test_the_survivor_has_all(crowd: list[dict[str, Any]], shared: bool) -> None:
    """Lists are united; of single values each stands in its field, or in a remark on the survivor."""
    memory, people = seeded(crowd, shared)
    before = riches(memory, people)
    done = merge(context(merger(), memory), people, RULES)
    assert done.entry is not None
    survivor = done.entry.survivor
    assert [ref for ref in people if ref in memory.crm.contacts.get_many(people)] == [survivor]
    assert riches(memory, [survivor]) == before
    contact, said = memory.crm.contacts.get(survivor), remarks(memory, survivor)
    for number, one in enumerate(crowd):
        for note in range(one["notes"]):
            assert f"слова {number}.{note}" in said
        for value, held in ((one["channel"], contact[CHANNEL]), (one["seats"], contact[SEATS])):
            assert value in (None, held) or str(value) in said
        assert one["birthday"] in (None, contact.birthday) or str(one["birthday"]) in said


@QUICK
@given(CROWDS, st.booleans())
def test_taken_back_everybody_has_their_own(crowd: list[dict[str, Any]], shared: bool) -> None:
    """Each card, deal, task and remark is as it was, under the new addresses."""
    memory, people = seeded(crowd, shared)
    names = {ref: f"person {number}" for number, ref in enumerate(people)}
    before = picture(memory.crm, names)
    done = merge(context(merger(), memory), people, RULES)
    assert done.entry is not None
    back = undo(context(merger(), memory), done.entry.id)
    anew = {new: names[old] for old, new in back.anew.items()}
    assert picture(memory.crm, {**names, **anew}) == before


@QUICK
@given(CROWDS, st.booleans())
def test_a_crm_that_moves_nothing_loses_nothing(crowd: list[dict[str, Any]], shared: bool) -> None:
    """Where a merge only deletes the losers, all that they had is brought from the journal."""
    memory, people = seeded(crowd, shared)
    before = riches(memory, people)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(changes, "_readdress", lambda state, loser, survivor: ())
        done = merge(context(merger(), memory), people, RULES)
    assert done.entry is not None
    survivor = done.entry.survivor
    assert riches(memory, [survivor]) == before
    said = remarks(memory, survivor)
    assert [
        note for number, one in enumerate(crowd) for note in range(one["notes"]) if f"слова {number}.{note}" not in said
    ] == []
