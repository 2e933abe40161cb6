"""Companies and open deals become one and two again on three CRMs; plans do nothing until they are applied."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.extensions.dedup.merging.office import heard, merger, picture, told, witness
from tests.extensions.dedup.merging.test_three_crms import differing

from crmkit import Company, Contact, Deal, Email, Note, Phone, Ref, Task
from crmkit_runtime.plan import apply_plan
from crmkit_testing.bench import Bench
from crmkit_testing.plugin import OpenBench

MINUTES = timedelta(minutes=10)
INN = "7707083893"


class Firms:
    """Two records of one firm, a person and a deal of each.

    Args:
        b: the bench.
    """

    def __init__(self, b: Bench) -> None:
        self.bench, crm, vendor = b, b.crm, b.side.vendor
        first, second = b.side.user_ids()[:2]
        self.people = [crm.contacts.create(Contact(name=name)) for name in ("Пётр Первый", "Анна Вторая")]
        kept: dict[str, Any] = {"name": "ООО Ромашка", "owner_id": first}
        lost: dict[str, Any] = {"name": "Ромашка", "owner_id": second}
        if vendor != "retailcrm":
            kept["phones"] = (Phone(raw="8 495 123-45-67"),)
            lost["phones"] = (Phone(raw="+74951234567"), Phone(raw="+74957654321"))
            lost["emails"] = (Email(value="office@example.com"),)
        if vendor == "bitrix24":
            lost |= {"inn": INN, "site": "romashka.example"}
        self.kept, self.lost = (crm.companies.create(Company.model_validate(one)) for one in (kept, lost))
        for person, firm in zip(self.people, (self.kept, self.lost), strict=True):
            crm.contacts.link(person, firm)
            crm.deals.create(Deal(title=f"сделка {firm.id}", company=firm, contacts=(person,)))
        crm.tasks.create(Task(text="перезвонить", about=self.lost, due=b.now + timedelta(days=1)))
        crm.notes.create(Note(about=self.lost, text="просит скидку"))
        self.names = {self.kept: "kept", self.lost: "lost"}
        b.advance(MINUTES)

    def merge(self) -> list[str]:
        """Merge the second into the first."""
        refs = (f"company:{self.kept.id}", f"company:{self.lost.id}", "--survivor", f"company:{self.kept.id}")
        lines = told(self.bench, "merge", *refs, "--apply", "--force")
        self.bench.advance(MINUTES)
        return lines

    def undo(self) -> list[str]:
        """Take the merge back."""
        lines = told(self.bench, "undo", f"company-{self.kept.id}-1")
        self.bench.advance(MINUTES)
        for company in self.bench.crm.companies.iterate():
            self.names.setdefault(company.ref, "lost")
        return lines

    def picture(self) -> dict[str, Any]:
        """All that is there now."""
        return picture(self.bench.crm, self.names)


def test_a_firm_has_all_that_both_had(crm_bench: OpenBench) -> None:
    """People, deals, tasks, remarks, phones and the tax number; its own name stays, the other one is in a remark."""
    firms = Firms(crm_bench([merger(), witness()]))
    before = firms.picture()
    firms.merge()
    after = firms.picture()
    kept = after["kept"]
    assert kept["name"] == "ООО Ромашка"
    assert kept["people"] == {str(ref) for ref in firms.people}
    assert kept["tasks"] == ["перезвонить"]
    assert any(text.endswith("просит скидку") for text in kept["notes"])
    assert any("Имя: Ромашка" in text for text in kept["notes"])
    assert [raw for raw, _ in kept["phones"]] == ["8 495 123-45-67", "+74957654321"][: 2 * bool(kept["phones"])]
    assert kept["emails"] == before["lost"]["emails"]
    assert (kept["inn"], kept["site"]) == (before["lost"]["inn"], before["lost"]["site"])
    assert {card["company"] for card in after.values() if "main" in card} == {"kept"}
    assert f"firm {firms.lost.id} into {firms.kept.id}" in heard(firms.bench)
    assert [line for line in heard(firms.bench) if line.startswith("firm deleted")] == []


def test_a_firm_taken_back_is_as_it_was(crm_bench: OpenBench) -> None:
    """All but amoCRM's remarks."""
    firms = Firms(crm_bench([merger(), witness()]))
    before = firms.picture()
    firms.merge()
    firms.undo()
    changed = differing(before, firms.picture())
    assert changed.keys() == ({"kept.notes", "lost.notes"} if firms.bench.side.vendor == "amocrm" else set())


def test_open_deals_become_one(crm_bench: OpenBench) -> None:
    """The one further on lives on with its sum; task and remark of the other come to it, its sum is in a remark."""
    b = crm_bench([merger(), witness()])
    crm, stages = b.crm, list(b.side.stages().values())
    person = crm.contacts.create(Contact(name="Иван Петров"))
    lost = crm.deals.create(Deal(title="Окна в дом", stage=stages[0], contacts=(person,)))
    kept = crm.deals.create(Deal(title="Окна", stage=stages[1], contacts=(person,)))
    crm.tasks.create(Task(text="замерить", about=lost, due=b.now + timedelta(days=1)))
    crm.notes.create(Note(about=lost, text="три окна"))
    b.advance(MINUTES)
    told(b, "merge", f"deal:{lost.id}", f"deal:{kept.id}", "--apply")
    b.advance(MINUTES)
    names = {kept: "kept", lost: "lost", person: "person"}
    after = picture(crm, names)
    assert (after["kept"]["title"], after["kept"]["stage"]) == ("Окна", stages[1])
    assert (after["kept"]["tasks"], after["kept"]["people"]) == (["замерить"], {"person"})
    assert any("три окна" in text for text in after["kept"]["notes"])
    assert any("Название: Окна в дом" in text for text in after["kept"]["notes"])
    told(b, "undo", f"deal-{kept.id}-1")
    b.advance(MINUTES)
    for deal in crm.deals.iterate():
        names.setdefault(deal.ref, "lost")
    again = picture(crm, names)
    assert (again["lost"]["title"], again["lost"]["stage"]) == ("Окна в дом", stages[0])
    assert (again["lost"]["people"], again["lost"]["tasks"]) == ({"person"}, ["замерить"])
    assert any("три окна" in text for text in again["lost"]["notes"])
    assert again["kept"]["tasks"] == []


def test_a_plan_changes_nothing_until_it_is_applied(crm_bench: OpenBench) -> None:
    """Planned twice it is planned once; applied, the records are one, and it can be taken back from the journal."""
    b = crm_bench([merger(), witness()], mode="plan")
    crm = b.crm
    kept, lost = (crm.contacts.create(Contact(name="Иван Петров", phones=(Phone(raw=raw),))) for raw in PHONES)
    deal = crm.deals.create(Deal(title="Окна", contacts=(lost,)))
    names = {kept: "kept", lost: "lost", deal: "deal"}
    b.advance(MINUTES)
    before = picture(crm, names)
    for _ in range(2):
        lines = told(b, "merge", kept.id, lost.id, "--survivor", kept.id, "--apply")
        b.advance(MINUTES)
    assert lines == [f"Объединение contact-{kept.id}-1 запланировано: {lost.id} → {kept.id}"]
    assert differing(before, picture(crm, names)) == {}
    wanted = [(item.write.verb.value, item.write.ref) for item in b.plan]
    assert wanted == [("update", kept), ("merge", kept)]
    applied = apply_plan(b.service, [item.id for item in b.plan])
    b.advance(MINUTES)
    assert [(one.state, one.reason) for one in applied] == [("applied", ""), ("applied", "")]
    assert [phone.raw for phone in crm.contacts.get(kept).phones] == list(PHONES)
    assert [line for line in heard(b) if line.startswith("merged")] == [f"merged {lost.id} into {kept.id}"]
    undone = told(b, "undo", f"contact-{kept.id}-1")
    assert undone[0] == f"Отмена объединения contact-{kept.id}-1 запланирована"
    assert [phone.raw for phone in crm.contacts.get(kept).phones] == list(PHONES)
    later = [item.id for item in b.plan if item.state == "planned"]
    assert {(one.state, one.reason) for one in apply_plan(b.service, later)} == {("applied", "")}
    b.advance(MINUTES)
    people = {contact.ref: [phone.raw for phone in contact.phones] for contact in crm.contacts.iterate()}
    deals = {deal.title: people[deal.contacts[0]] for deal in crm.deals.iterate()}
    assert people[kept] == [PHONES[0]]
    assert sorted(people.values()) == [[raw] for raw in PHONES]
    assert deals == {"Окна": [PHONES[1]]}


PHONES = ("+79123456789", "+79990001122")


@pytest.mark.parametrize("protected", ["tag", "rivals", "too many"])
def test_what_is_protected_is_left_to_people(bench: OpenBench, protected: str) -> None:
    """A tag, two managers' open deals, too many records: nothing is done, and why is said."""
    b = bench([merger()])
    owners = b.side.user_ids()[:2]
    count = 6 if protected == "too many" else 2
    people: list[Ref] = []
    for number in range(count):
        tags = ("не объединять",) if protected == "tag" and number else ()
        draft: dict[str, Any] = {"name": "Иван Петров", **({"tags": tags} if tags else {})}
        people.append(b.crm.contacts.create(Contact.model_validate(draft)))
        if protected == "rivals":
            b.crm.deals.create(Deal(title="Окна", contacts=(people[-1],), owner_id=owners[number]))
    b.advance(MINUTES)
    lines = told(b, "merge", *(ref.id for ref in people), "--apply")
    said = {
        "tag": f"Нельзя: {people[1].id} защищена тегом «не объединять»",
        "rivals": f"Нельзя: открытые сделки разных ответственных: {', '.join(sorted(owners))}",
        "too many": "Нельзя: записей 6, а не больше 5",
    }
    assert lines[-1] == said[protected]
    assert len(b.contacts) == count
