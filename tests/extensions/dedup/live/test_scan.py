"""A scan of everything: what is found, what is settled, how much one run does, and what it leaves alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

import pytest
from tests.extensions.dedup.live.conftest import Desk, Office

from crmkit.errors import ConfigError
from crmkit.models import Company, Deal, Phone
from crmkit.values import Kind, Ref

CRMS = ("amocrm", "bitrix24", "retailcrm", "memory")


def pairs(desk: Desk, count: int) -> list[set[str]]:
    """So many people with two cards each, made while nobody looked."""
    names = ("Прохор Тлехугов", "Ефросинья Шаповаленко", "Ратибор Кукушкин", "Снежана Дзагоева")
    return [
        {desk.person.add_contact(name, phone=f"+7916{place}835104").id for _ in range(2)}
        for place, name in enumerate(names[:count], 1)
    ]


@pytest.mark.parametrize("vendor", CRMS)
def test_the_scan_finds_what_was_there_before(office: Office, vendor: str) -> None:
    """Contacts and firms; the report counts them, a second scan finds nothing new."""
    desk = office(vendor, live=False)
    people = pairs(desk, 2)
    firms = {
        desk.person.add(Company(name=name, phones=(Phone(raw="+74957305518"),))).id
        for name in ("ООО «Тлехугов и сыновья»", "Тлехугов и сыновья, ООО")
    }
    first, second = desk.command("scan"), desk.command("scan")

    assert sorted((ids for _, ids in desk.groups), key=sorted) == sorted([*people, firms], key=sorted)
    assert "контакты: записей 4, лишних 2; групп 2, точно 4, проверить 0; мусор 0" in first
    assert "  новых 2, было известно 0, закрыто 0, исключено 0" in first
    assert "  новых 0, было известно 2, закрыто 0, исключено 0" in second


def test_the_nightly_scan_does_the_same(office: Office) -> None:
    """At the hour of the settings; its report is kept with the run."""
    desk = office(live=False, scan="30 4 * * *", auto="task")
    [ids] = pairs(desk, 1)
    for _ in range(25):
        desk.bench.advance(timedelta(hours=1))

    assert desk.groups == [("auto", ids)]
    [run] = [run for run in desk.bench.runs if run.handler == "scan_everything"]
    assert run.decisions[0] == "контакты: записей 2, лишних 1; групп 1, точно 2, проверить 0; мусор 0"
    assert len(desk.bench.tasks) == 1


def test_a_finding_that_is_none_any_more_is_settled(office: Office) -> None:
    """Another person's name and number on one of the cards: the next scan takes it from the queue."""
    desk = office(live=False)
    [ids] = pairs(desk, 1)
    desk.command("scan")
    before = desk.groups
    desk.bench.advance(timedelta(minutes=5))
    changed = Ref("acme", Kind.CONTACT, min(ids))
    desk.person.change(changed, {"name": "Снежана Дзагоева", "phones": (Phone(raw="+79035550011"),)})
    lines = desk.command("scan")

    assert (before, desk.groups) == ([("auto", ids)], [])
    assert "  новых 0, было известно 0, закрыто 1, исключено 0" in lines


def test_one_run_does_so_much_and_the_next_goes_on(office: Office) -> None:
    """The surest first; the queue has all of them at once."""
    desk = office(live=False, auto="task", per_run=2)
    pairs(desk, 3)
    lines = desk.command("scan")
    after_one = len(desk.bench.tasks)
    desk.command("scan")

    assert "за один проход разбирается не больше 2, остальные ждут" in lines
    assert (len(desk.findings), after_one, len(desk.bench.tasks)) == (3, 2, 3)


@pytest.mark.parametrize("vendor", CRMS)
def test_the_scan_merges_by_policy_and_never_looks_at_its_own_work(office: Office, vendor: str) -> None:
    """Two cards become one with both numbers; a second scan has nothing to do."""
    desk = office(vendor, live=False, auto="merge")
    desk.person.add_contact("Прохор Тлехугов", phone="+79161230001")
    desk.person.add_contact("Тлехугов Прохор", phone=("+79161230001", "+79035557788"))
    lines = desk.command("scan")
    again = desk.command("scan")

    assert any("Объединение contact-" in line for line in lines)
    assert not any("Объединение" in line for line in again)
    assert desk.findings == []
    [kept] = [contact for contact in desk.bench.contacts if "дубль" not in contact.tags]
    assert {phone.e164 for phone in kept.phones} == {"+79161230001", "+79035557788"}


def test_open_deals_of_one_client_are_one(office: Office) -> None:
    """The client has two cards; a deal on each, made on one day, is one deal. Deals are never merged unasked."""
    desk = office(live=False, auto="merge")
    cards = [desk.person.add_contact("Прохор Тлехугов", phone="+79161230001") for _ in range(2)]
    deals = {desk.person.add(Deal(title="Пластиковые окна", contacts=(card,))).id for card in cards}
    desk.command("scan")

    assert {found.kind.value: set(found.ids) for found in desk.findings} == {"deal": deals}
    assert (len(desk.bench.contacts), len(desk.bench.deals)) == (1, 2)


def test_the_client_of_two_deals_is_told_by_name(office: Office) -> None:
    """Not by a number that nobody knows."""
    desk = office(live=False)
    client = desk.person.add_contact("Прохор Тлехугов", phone="+79161230001")
    firm = desk.person.add(Company(name="Тлехугов и сыновья"))
    for _ in range(2):
        desk.person.add(Deal(title="Пластиковые окна", contacts=(client,)))
        desk.person.add(Deal(title="Двери", company=firm))
    desk.command("scan")
    told = {reason.detail for found in desk.findings for reason in found.reasons if reason.code.startswith("client")}

    assert told == {f"Прохор Тлехугов ({client.id})", f"Тлехугов и сыновья ({firm.id})"}


@pytest.mark.parametrize("doubt", ["review", "excluded"])
def test_deals_of_doubtful_clients_are_two(office: Office, doubt: str) -> None:
    """Of cards that may be one person, or that somebody has called two people, each has its own deals."""
    desk = office(live=False)
    cards = [desk.person.add_contact(name, phone="+74957305518") for name in _NAMES[doubt]]
    for card in cards:
        desk.person.add(Deal(title="Пластиковые окна", contacts=(card,)))
    if doubt == "excluded":
        desk.command("exclude", *(card.id for card in cards))
    desk.command("scan")

    waiting = [("review", {card.id for card in cards})] if doubt == "review" else []
    assert desk.groups == waiting


_NAMES = {"review": ("Прохор Тлехугов", "Прохор"), "excluded": ("Прохор Тлехугов", "Прохор Тлехугов")}


def test_what_a_person_keeps_apart_stays_apart_until_it_changes(office: Office) -> None:
    """Neither the scan nor the live check proposes it again; a new mailbox in common is a new question."""
    desk = office()
    one = desk.person.add_contact("Прохор Тлехугов", phone="+79161230001")
    other = desk.person.add_contact("Тлехугов Прохор", phone="+79161230001")
    said = desk.command("exclude", one.id, other.id)
    desk.person.change(one, {"phones": (Phone(raw="8 916 123-00-01"),)})
    desk.command("scan")
    apart = desk.groups
    listed = desk.command("exclude", "--list")
    for card in (one, other):
        desk.person.change(card, {"phones": (Phone(raw="+79161230001"), Phone(raw="+79035557788"))})

    assert said == [f"больше не предлагаются вместе: {one.id}, {other.id}"]
    assert (apart, [line.split("  ")[:2] for line in listed]) == ([], [[f"contact:{one.id}", other.id]])
    assert desk.groups == [("auto", {one.id, other.id})]


def test_what_was_kept_apart_may_be_compared_again(office: Office) -> None:
    """By the same command; the next scan finds it."""
    desk = office()
    ids = [desk.person.add_contact("Прохор Тлехугов", phone="+79161230001").id for _ in range(2)]
    desk.command("exclude", *ids)
    said = [desk.command("exclude", *ids, "--undo"), desk.command("exclude", *ids, "--undo")]
    desk.command("scan")

    assert said == [[f"снова сравниваются: {', '.join(ids)}"], [f"не были исключены: {', '.join(ids)}"]]
    assert desk.groups == [("auto", set(ids))]


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("scan", ["all"]),
        ("queue", ["contacts"]),
        ("exclude", []),
        ("exclude", ["1"]),
        ("exclude", ["1", "company:2"]),
        ("exclude", ["1", "2", "3", "--undo"]),
        ("exclude", ["person:1", "person:2"]),
        ("exclude", ["1", "--no-such"]),
    ],
)
def test_words_that_mean_nothing_are_refused(office: Office, command: str, words: list[str]) -> None:
    """With what may be written instead, and before anything is done."""
    with pytest.raises(ConfigError):
        office().command(command, *words)


@pytest.mark.parametrize(
    ("language", "message", "remedy"),
    [
        ("ru", "exclude: непонятно «1»", "Напишите exclude 12 15"),
        ("en", "exclude cannot do “1”", "Write exclude 12 15"),
    ],
)
def test_a_refusal_speaks_the_language_of_the_service(
    office: Office, language: Literal["ru", "en"], message: str, remedy: str
) -> None:
    """What was wrong, and what may be written instead."""
    with pytest.raises(ConfigError) as refusal:
        office(language=language).command("exclude", "1")

    assert refusal.value.message == message
    assert (refusal.value.remedy or "").startswith(remedy)


def test_the_queue_is_printed(office: Office) -> None:
    """Name, sureness, reasons, day and what was done, and the sum."""
    desk = office()
    ids = [desk.person.add_contact("Прохор Тлехугов", phone="+79161230001").id for _ in range(2)]
    [line, total] = desk.command("queue")

    assert line.startswith(f"contact:{ids[0]}  Прохор Тлехугов ({ids[0]}) + Прохор Тлехугов ({ids[1]})  точно, ")
    assert "один мобильный телефон: +79161230001" in line
    assert total == "В очереди: 1, из них точно: 1"


def test_a_card_that_nobody_knows_cannot_be_kept_apart(office: Office) -> None:
    """The error names it."""
    desk = office()
    known = desk.person.add_contact("Прохор Тлехугов", phone="+79161230001")
    with pytest.raises(Exception, match="acme/contact:999 сервис никогда не видел"):
        desk.command("exclude", known.id, "999")
    assert Ref("acme", known.kind, "999").id not in {id_ for found in desk.findings for id_ in found.ids}
