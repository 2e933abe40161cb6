"""Merging where the API has no merge: all goes over to the survivor, the loser stays marked, twice is once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import requests

from crmkit import Capability, Company, Contact, Crm, Deal, Email, Level, Note, NotFound, Phone, Ref, Task, connect
from crmkit.values import Kind
from crmkit_sandbox import Sandbox

DUE = datetime(2030, 1, 1, 9, 0, tzinfo=UTC)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(vendors=("amocrm",)) as sandbox:
        sandbox.amocrm.limits.enabled = False
        yield sandbox


@pytest.fixture
def crm(sandbox: Sandbox) -> Crm:
    return connect("amocrm", base_url=sandbox.amocrm.base_url, token=sandbox.amocrm.token)


def texts(crm: Crm, ref: Ref) -> list[str]:
    """The first words of the remarks on a card, oldest first."""
    return [note.text.splitlines()[0].partition(",")[0] for note in crm.notes.find(about=ref)]


def test_a_person_goes_over_with_all_that_is_theirs(sandbox: Sandbox, crm: Crm) -> None:
    """Values, tags, deals with the main person, company, tasks; remarks and calls as copies; done twice it is once."""
    one, other = (str(user["id"]) for user in sandbox.amocrm.users[:2])
    firm = crm.companies.create(Company(name="ООО Ромашка"))
    kept = crm.contacts.create(Contact(name="Иван", phones=(Phone(raw="8 912 345-67-89"),), owner_id=one))
    lost = crm.contacts.create(
        Contact(
            name="Ваня",
            phones=(Phone(raw="+79123456789"), Phone(raw="+79990001122", kind="mob")),
            emails=(Email(value="ivan@example.com"),),
            company=firm,
            tags=("опт",),
            owner_id=other,
        )
    )
    friend = crm.contacts.create(Contact(name="Друг"))
    main, second = (
        crm.deals.create(Deal(title="Окна", contacts=people)) for people in ((lost, friend), (friend, lost))
    )
    task = crm.tasks.create(Task(text="позвонить", about=lost, due=DUE))
    crm.notes.create(Note(about=lost, text="просит скидку"))
    sandbox.amocrm.add_call_note("contacts", int(lost.id), direction="in", phone="+79123456789", duration=61)
    for _ in range(2):
        crm.contacts.merge(kept, [lost])
        card, left = crm.contacts.get(kept), crm.contacts.get(lost)
        assert [(phone.raw, phone.kind) for phone in card.phones] == [
            ("8 912 345-67-89", "work"),
            ("+79990001122", "mob"),
        ]
        assert ([email.value for email in card.emails], card.tags) == (["ivan@example.com"], ("опт",))
        assert (card.company, crm.deals.get(main).contacts, crm.deals.get(second).contacts) == (
            firm,
            (kept, friend),
            (friend, kept),
        )
        assert crm.tasks.get(task).about == kept
        assert texts(crm, kept) == [
            f"Из дубля #{lost.id}",
            f"Из дубля #{lost.id}",
            "Объединение: сюда перенесён дубль #" + lost.id,
        ]
        assert texts(crm, lost) == ["просит скидку", "Объединение: это дубль"]
        assert (left.tags, left.owner_id, left.company) == (("опт", "дубль"), one, None)
        assert crm.deals.find(contact=lost) == []


def test_of_two_companies_the_survivors_stays(crm: Crm) -> None:
    """A person has one: the loser keeps its own, so nothing is lost."""
    mine, theirs = (crm.companies.create(Company(name=name)) for name in ("Моя", "Чужая"))
    kept, lost = (crm.contacts.create(Contact(name="Иван", company=firm)) for firm in (mine, theirs))
    crm.contacts.merge(kept, [lost])
    assert (crm.contacts.get(kept).company, crm.contacts.get(lost).company) == (mine, theirs)


def test_a_firm_goes_over_with_its_people(crm: Crm) -> None:
    """People and deals name the survivor; several losers at once."""
    kept, *lost = (crm.companies.create(Company(name=f"Фирма {number}")) for number in range(3))
    people = [crm.contacts.create(Contact(name="Иван", company=firm)) for firm in lost]
    deals = [crm.deals.create(Deal(title="Окна", company=firm)) for firm in lost]
    crm.companies.merge(kept, lost)
    assert {crm.contacts.get(person).company for person in people} == {kept}
    assert {crm.deals.get(deal).company for deal in deals} == {kept}
    assert set(crm.companies.get(kept).contacts) == set(people)
    assert [crm.companies.get(one).tags for one in lost] == [("дубль",), ("дубль",)]


def test_an_element_of_a_list_hangs_on_both(sandbox: Sandbox, crm: Crm) -> None:
    """The survivor gets the link with its quantity, the loser keeps it."""
    api = f"{sandbox.amocrm.base_url}/api/v4"
    headers = {"Authorization": f"Bearer {sandbox.amocrm.token}"}

    def made(path: str, name: str) -> int:
        answer = requests.post(f"{api}/{path}", json=[{"name": "Товары"}], headers=headers, timeout=5)
        return int(answer.json()["_embedded"][name][0]["id"])

    catalog = made("catalogs", "catalogs")
    element = made(f"catalogs/{catalog}/elements", "elements")
    kept, lost = (crm.contacts.create(Contact(name="Иван")) for _ in range(2))
    crm.contacts.link(lost, Ref(lost.account, Kind.PRODUCT, f"{catalog}.{element}"), extra={"quantity": 3})
    crm.contacts.merge(kept, [lost])
    for ref in (kept, lost):
        card = requests.get(f"{api}/contacts/{ref.id}?with=catalog_elements", headers=headers, timeout=5).json()
        [found] = card["_embedded"]["catalog_elements"]
        assert (found["id"], found["metadata"]["quantity"]) == (element, 3)


def test_what_is_gone_is_no_part_of_a_merge(sandbox: Sandbox, crm: Crm) -> None:
    """Losers in the bin are left out; a survivor there is refused."""
    kept, lost = (crm.contacts.create(Contact(name="Иван")) for _ in range(2))
    sandbox.amocrm.delete_contact(int(lost.id))
    crm.contacts.merge(kept, [lost])
    assert texts(crm, kept) == []
    with pytest.raises(NotFound, match=str(lost)):
        crm.contacts.merge(lost, [kept])


def test_the_merge_is_said_to_be_emulated(crm: Crm) -> None:
    """Whoever asks learns that the losers stay."""
    assert crm.supports(Capability.MERGE) is Level.EMULATED
