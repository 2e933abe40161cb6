"""Two people become one and two again, on three CRMs: every field and link is compared before and after."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import date, timedelta
from typing import Any

import pytest
from tests.extensions.dedup.merging.office import heard, merger, picture, told, witness

from crmkit import Company, Contact, CrmKitError, Deal, Email, Note, Phone, Ref, Task
from crmkit.values import Json
from crmkit_testing.bench import Bench
from crmkit_testing.plugin import OpenBench

MINUTES = timedelta(minutes=10)
OWN: Mapping[str, Mapping[str, Json]] = {
    "amocrm": {"custom_fields_values": [{"field_id": 700021, "values": [{"value": "директор"}]}]},
    "bitrix24": {
        "POST": "директор",
        "COMMENTS": "важный",
        "IM": [{"VALUE": "@ivan", "VALUE_TYPE": "TELEGRAM"}],
        "UTM_SOURCE": "yandex",
        "UF_CRM_CITY": "Москва",
        "UF_CRM_VIP": "1",
    },
    "retailcrm": {
        "vip": True,
        "sex": "male",
        "address": {"city": "Москва", "text": "Тверская 1"},
        "customFields": {"nps": 9, "channel": "site"},
        "discountCardNumber": "0042",
    },
}
"""What only this vendor's words tell of the second person."""


class Pair:
    """Two records of one person, and what hangs on each.

    Args:
        b: the bench.
        company: the second person's company.
    """

    def __init__(self, b: Bench, company: bool = True) -> None:
        vendor, crm = b.side.vendor, b.crm
        self.bench = b
        first, second = b.side.user_ids()[:2]
        self.firm = crm.companies.create(Company(name="ООО Ромашка"))
        self.kept = crm.contacts.create(
            Contact(first_name="Иван", last_name="Петров", phones=(Phone(raw="8 912 345-67-89"),), owner_id=first)
        )
        draft: dict[str, Any] = {
            "first_name": "Иван",
            "last_name": "Петров",
            "phones": (Phone(raw="+79123456789"), Phone(raw="+79990001122")),
            "emails": (Email(value="ivan@example.com"),),
            "birthday": date(1990, 1, 1),
            "owner_id": second,
        }
        draft |= {"middle_name": "Сергеевич"} if vendor != "amocrm" else {}
        draft |= {"tags": ("опт",)} if vendor != "bitrix24" else {}
        draft |= {"company": self.firm} if company else {}
        self.lost = crm.contacts.create(Contact.model_validate(draft), extra=OWN[vendor])
        deals: list[tuple[str, tuple[Ref, ...]]] = [
            ("Окна", (self.kept,)),
            ("Двери", (self.lost,)),
            ("Полы", (self.lost,)),
        ]
        # An order of retailCRM has one person.
        deals += (
            [] if vendor == "retailcrm" else [("Общая", (self.lost, self.kept)), ("Вместе", (self.kept, self.lost))]
        )
        self.deals = [crm.deals.create(Deal(title=title, contacts=people)) for title, people in deals]
        due = b.now + timedelta(days=1)
        self.task = crm.tasks.create(Task(text="перезвонить", about=self.lost, due=due))
        self.note = crm.notes.create(Note(about=self.lost, text="просит скидку"))
        self.names = {self.kept: "kept", self.lost: "lost", self.firm: "firm"}
        self.names |= {deal: f"deal {number}" for number, deal in enumerate(self.deals)}
        b.advance(MINUTES)

    def merge(self, *words: str) -> list[str]:
        """Merge the second into the first."""
        lines = told(self.bench, "merge", self.kept.id, self.lost.id, "--survivor", self.kept.id, "--apply", *words)
        self.bench.advance(MINUTES)
        return lines

    def undo(self, *words: str) -> list[str]:
        """Take the merge back, and call the person that was made anew by the name of the old one."""
        lines = told(self.bench, "undo", f"contact-{self.kept.id}-1", *words)
        self.bench.advance(MINUTES)
        for contact in self.bench.crm.contacts.iterate():
            if contact.ref not in self.names:
                self.names[contact.ref] = "lost"
        return lines

    def picture(self) -> dict[str, Any]:
        """All that is there now."""
        return picture(self.bench.crm, self.names)


def differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """What is not as it was: card and field to both values."""
    assert before.keys() == after.keys()
    return {
        f"{card}.{name}": (fields[name], after[card][name])
        for card, fields in before.items()
        for name in fields
        if fields[name] != after[card][name]
    }


def test_the_survivor_has_all_that_both_had(crm_bench: OpenBench) -> None:
    """Phones once each, e-mails, tags, the fuller name, the vendor's own fields, deals, tasks, remarks, the company."""
    pair = Pair(crm_bench([merger(), witness()]))
    before = pair.picture()
    pair.merge()
    after = pair.picture()
    kept, was = after["kept"], before["lost"]
    assert kept["phones"][0][0] == "8 912 345-67-89"
    assert [raw for raw, _ in kept["phones"]] == ["8 912 345-67-89", "+79990001122"]
    assert [value for value, _ in kept["emails"]] == ["ivan@example.com"]
    assert (kept["name"], kept["birthday"]) == (was["name"], was["birthday"])
    assert kept["natives"] == was["natives"]
    assert kept["tags"] == was["tags"]
    assert kept["company"] == "firm"
    assert kept["tasks"] == ["перезвонить"]
    assert any(text.endswith("просит скидку") for text in kept["notes"])
    deals = [(card["main"], card["people"]) for name, card in after.items() if name.startswith("deal")]
    assert deals == [("kept", {"kept"})] * len(pair.deals)
    assert kept["owner"] == before["kept"]["owner"]


def test_taken_back_all_is_as_it_was(crm_bench: OpenBench) -> None:
    """Fields, tags, owners, links, tasks and remarks of both; what a vendor cannot undo is exactly what was named."""
    pair = Pair(crm_bench([merger(), witness()]))
    before = pair.picture()
    pair.merge()
    lines = pair.undo()
    changed = differing(before, pair.picture())
    said = "\n".join(lines)
    if pair.bench.side.vendor == "amocrm":
        assert changed.keys() == {"kept.notes", "lost.notes"}
        assert changed["lost.notes"][0] == changed["lost.notes"][1][-1:]
        assert "копии примечаний" in said
    else:
        assert changed == {}
    assert ("создана заново" in said) is (pair.bench.side.vendor != "amocrm")


def test_the_day_of_making_returns_where_the_crm_takes_it(crm_bench: OpenBench) -> None:
    """retailCRM keeps the day that it is given, Bitrix24 its own, which is said; amoCRM's card was never gone."""
    pair = Pair(crm_bench([merger(), witness()]))
    crm, vendor = pair.bench.crm, pair.bench.side.vendor
    was = crm.contacts.get(pair.lost).created_at
    pair.merge()
    pair.bench.advance(timedelta(days=2))
    said = "\n".join(pair.undo())
    [lost] = [ref for ref, name in pair.names.items() if name == "lost" and (ref != pair.lost or vendor == "amocrm")]

    assert (crm.contacts.get(lost).created_at == was) is (vendor != "bitrix24")
    assert (f"дата создания {pair.lost.id}" in said) is (vendor == "bitrix24")


def test_what_came_later_stays(crm_bench: OpenBench) -> None:
    """A deal, a phone and an owner of the days between are people's, and stay; what they moved stays moved."""
    b = crm_bench([merger(), witness()])
    pair, owner = Pair(b, company=False), b.side.user_ids()[1]
    stranger = b.crm.contacts.create(Contact(name="Пётр Другой"))
    pair.names[stranger] = "stranger"
    pair.merge()
    later = b.crm.deals.create(Deal(title="Позже", contacts=(pair.kept,)))
    pair.names[later] = "later"
    phones = (*b.crm.contacts.get(pair.kept).phones, Phone(raw="+79265550011"))
    b.crm.contacts.update(pair.kept, {"phones": phones, "owner_id": owner})
    b.crm.deals.link(pair.deals[2], stranger)
    if b.side.vendor != "retailcrm":
        b.crm.deals.unlink(pair.deals[2], pair.kept)
    lines = "\n".join(pair.undo())
    after = pair.picture()
    assert [raw for raw, _ in after["kept"]["phones"]] == ["8 912 345-67-89", "+79265550011"]
    assert [raw for raw, _ in after["lost"]["phones"]] == ["+79123456789", "+79990001122"]
    assert after["kept"]["owner"] == owner
    assert (after["later"]["people"], after["deal 1"]["people"]) == ({"kept"}, {"lost"})
    assert after["deal 2"]["people"] == {"stranger"}
    assert "Полы" in lines


def test_undoing_is_done_once(crm_bench: OpenBench) -> None:
    """The second time nothing is written; it says that it was done; the pair is kept apart from then on."""
    pair = Pair(crm_bench([merger(), witness()]))
    pair.merge()
    pair.undo()
    once = pair.picture()
    lines = pair.undo()
    assert lines[0] == f"Объединение contact-{pair.kept.id}-1 уже отменено"
    assert differing(once, pair.picture()) == {}
    new = next(ref for ref, name in reversed(pair.names.items()) if name == "lost")
    again = told(pair.bench, "preview", pair.kept.id, new.id)
    assert [line for line in again if "помечены как разные" in line] != []


def test_others_hear_of_one_merge_and_no_deletion(crm_bench: OpenBench) -> None:
    """The loser's end is a merge; its address means the survivor; taken back, it means its own record again."""
    b = crm_bench([merger(), witness()])
    pair = Pair(b)
    pair.merge()
    merged = heard(b)
    assert f"merged {pair.lost.id} into {pair.kept.id}" in merged
    assert [line for line in merged if line.startswith(("merged", "deleted"))] == [
        f"merged {pair.lost.id} into {pair.kept.id}"
    ]
    pair.undo()
    new = next(ref for ref, name in reversed(pair.names.items()) if name == "lost")
    b.crm.contacts.update(new, {"last_name": "Сидоров"})
    b.advance(MINUTES)
    assert [line for line in heard(b) if line.startswith("deleted")] == []
    assert [line for line in heard(b)[len(merged) :] if line.startswith(f"changed {new.id}:") and "name" in line] != []


def test_queued_events_of_both_go_to_the_survivor(crm_bench: OpenBench) -> None:
    """Runs that wait while the merge is made are called with the survivor's address; after the undo with their own."""
    gate = {"shut": False}
    b = crm_bench([merger(), witness(gate)])
    pair = Pair(b)
    told_before = len(heard(b))
    gate["shut"] = True
    b.crm.contacts.update(pair.kept, {"first_name": "Иоанн"})
    b.crm.contacts.update(pair.lost, {"first_name": "Иоанн"})
    b.settle(timedelta(seconds=2))
    told(b, "merge", pair.kept.id, pair.lost.id, "--survivor", pair.kept.id, "--apply")
    gate["shut"] = False
    b.advance(MINUTES)
    lines = heard(b)[told_before:]
    changes = [line.split(":") for line in lines if line.startswith("changed")]
    assert {about for about, _ in changes} == {f"changed {pair.kept.id}"}
    assert [about for about, fields in changes if "first_name" in fields] == [f"changed {pair.kept.id}"] * 2
    assert [line for line in lines if line.startswith("merged")] == [f"merged {pair.lost.id} into {pair.kept.id}"]


@pytest.mark.crms("amocrm")
def test_a_loser_that_lives_on_is_nobodys_news(crm_bench: OpenBench) -> None:
    """What people do to a marked duplicate is no event; nobody finds it beside its survivor; its deletion is none."""
    b = crm_bench([merger(), witness()])
    pair = Pair(b)
    pair.merge()
    said = heard(b)
    assert b.crm.contacts.get(pair.lost).tags == ("опт", "дубль")
    b.person.change(pair.lost, {"name": "Совсем Другой"})
    b.advance(MINUTES)
    b.person.delete(pair.lost)
    b.advance(MINUTES)
    assert heard(b) == said


@pytest.mark.crms("amocrm")
def test_what_people_put_on_a_marked_duplicate_is_fetched(crm_bench: OpenBench) -> None:
    """A phone, a remark and a deal that come to the loser later come to the survivor, once; taken back all is its."""
    b = crm_bench([merger(), witness()])
    pair = Pair(b)
    pair.merge()
    assert told(b, "resume") == []
    phones = (*b.crm.contacts.get(pair.lost).phones, Phone(raw="+79265550011"))
    b.crm.contacts.update(pair.lost, {"phones": phones})
    b.crm.notes.create(Note(about=pair.lost, text="звонил снова"))
    b.advance(timedelta(days=1))
    lines = told(b, "resume")
    assert lines[0] == f"Объединение contact-{pair.kept.id}-1: {pair.lost.id} → {pair.kept.id}"
    deal = b.person.add_deal("Потолки", contact=pair.lost)
    pair.names[deal] = "new"
    b.advance(timedelta(days=1))
    assert len(told(b, "resume")) == len(lines)
    assert told(b, "resume") == []
    after = pair.picture()
    assert [raw for raw, _ in after["kept"]["phones"]] == ["8 912 345-67-89", "+79990001122", "+79265550011"]
    assert [text.splitlines()[-1] for text in after["kept"]["notes"] if text.startswith("Из")] == [
        "просит скидку",
        "звонил снова",
    ]
    assert after["new"]["people"] == {"kept"}
    pair.undo()
    again = pair.picture()
    assert [raw for raw, _ in again["kept"]["phones"]] == ["8 912 345-67-89"]
    assert [raw for raw, _ in again["lost"]["phones"]] == ["+79123456789", "+79990001122", "+79265550011"]


@pytest.mark.crms("bitrix24")
def test_a_merge_that_the_portal_refuses_leaves_all_as_it_was(crm_bench: OpenBench) -> None:
    """Two photos contradict each other and cannot be made equal: both are put back, and a person is sent there."""
    pair = Pair(crm_bench([merger(), witness()]))
    sandbox: Any = pair.bench.side.sandbox  # type: ignore[attr-defined]  # nobody uploads photos by hand here
    table = sandbox.bitrix24.portal.tables["contacts"]
    for ref in (pair.kept, pair.lost):
        table.put({**table.live(int(ref.id)), "PHOTO": ref.id})
    before = pair.picture()
    lines = pair.merge()
    assert differing(before, pair.picture()) == {}
    assert f"/crm/contact/merge/?id={pair.kept.id},{pair.lost.id}" in lines[0]
    assert "Записи возвращены как были" in lines[0]
    assert [line.split("  ")[2] for line in told(pair.bench, "journal")] == ["отказано"]
    assert pair.undo() == [f"Объединение contact-{pair.kept.id}-1 не состоялось"]


@pytest.mark.parametrize("requests", [10, 19])
def test_a_broken_merge_is_gone_on_with(crm_bench: OpenBench, requests: int) -> None:
    """The CRM stops answering after so many requests: the same command ends the merge, and nothing is there twice."""
    pair = Pair(crm_bench([merger(), witness()]))
    sandbox: Any = pair.bench.side.sandbox  # type: ignore[attr-defined]  # the emulators' own switch
    sandbox.faults.add(vendor=pair.bench.side.vendor, status=500, times=40, after=requests)
    with suppress(CrmKitError):
        pair.merge()
    sandbox.faults.clear()
    pair.bench.advance(timedelta(hours=1))
    pair.merge()
    after = pair.picture()
    assert [raw for raw, _ in after["kept"]["phones"]] == ["8 912 345-67-89", "+79990001122"]
    assert sum(text.endswith("просит скидку") for text in after["kept"]["notes"]) == 1
    assert sum("были другие значения" in text for text in after["kept"]["notes"]) == 1
    assert after["kept"]["tasks"] == ["перезвонить"]
    assert {after[f"deal {number}"]["main"] for number in range(3)} == {"kept"}
    assert [line.split("  ")[2] for line in told(pair.bench, "journal")] == ["выполнено"]


@pytest.mark.parametrize("requests", [8, 17])
def test_a_broken_undo_is_gone_on_with(crm_bench: OpenBench, requests: int) -> None:
    """Taking back that was broken off ends as if it had not been."""
    pair = Pair(crm_bench([merger(), witness()]), company=False)
    before = pair.picture()
    pair.merge()
    sandbox: Any = pair.bench.side.sandbox  # type: ignore[attr-defined]  # the emulators' own switch
    sandbox.faults.add(vendor=pair.bench.side.vendor, status=500, times=40, after=requests)
    with suppress(CrmKitError):
        pair.undo()
    sandbox.faults.clear()
    pair.bench.advance(timedelta(hours=1))
    pair.undo()
    changed = differing(before, pair.picture())
    assert changed.keys() <= ({"kept.notes", "lost.notes"} if pair.bench.side.vendor == "amocrm" else set())


@pytest.mark.crms("bitrix24", "retailcrm")
def test_what_the_crm_leaves_behind_is_brought(crm_bench: OpenBench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a merge moves no deal, task or remark of the loser, all of it comes to the survivor from the journal."""
    monkeypatch.setattr("crmkit_sandbox.bitrix24.merging._move", lambda *_: None)
    monkeypatch.setattr("crmkit_sandbox.retailcrm.combine._move", lambda *_: None)
    pair = Pair(crm_bench([merger(), witness()]))
    before = pair.picture()
    lines = pair.merge()
    after = pair.picture()
    assert {card["main"] for name, card in after.items() if name.startswith("deal")} == {"kept"}
    assert after["kept"]["tasks"] == ["перезвонить"]
    assert sum(text.endswith("просит скидку") for text in after["kept"]["notes"]) == 1
    assert (after["kept"]["company"], after["kept"]["natives"]) == ("firm", before["lost"]["natives"])
    assert lines[1].startswith("После объединения дозаписано: ")
    pair.undo()
    assert differing(before, pair.picture()).keys() <= {"deal 3.people", "deal 4.people"}
