"""The live check beside every CRM: a duplicate is found within the event of its making, and each thing is done once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.extensions.dedup.live.conftest import Office

from crmkit.models import Company, Contact, Deal, Email, Phone, Record
from crmkit_runtime.plan import apply_plan

CRMS = ("amocrm", "bitrix24", "retailcrm", "memory")


@pytest.mark.parametrize("vendor", CRMS)
def test_a_duplicate_made_by_a_person_becomes_one_task(office: Office, vendor: str) -> None:
    """Hooks come three times, the card is changed afterwards: one task, on the first card, with names and reasons."""
    desk = office(vendor, auto="task")
    first = desk.person.add_contact("Прохор Тлехугов", phone="+79161230001")
    desk.person.add_contact("Мария Серова", phone="+79161230002")
    desk.bench.repeat_next_hook(3)
    second = desk.person.add_contact("Тлехугов Прохор", phone="8 (916) 123-00-01")
    desk.bench.settle()
    desk.person.change(second, {"emails": (Email(value="proxor@mail.ru"),)})

    assert desk.groups == [("auto", {first.id, second.id})]
    [task] = desk.bench.tasks
    assert (task.about, task.is_done) == (first, False)
    for told in ("один и тот же человек", f"({first.id})", f"({second.id})", "+79161230001", "одна фамилия"):
        assert told in task.text
    assert [reason for _, reason in desk.decisions()][:2] == ["похожих нет; сравнили: 0", "похожих нет; сравнили: 0"]


@pytest.mark.parametrize("vendor", CRMS)
def test_a_third_card_joins_the_same_finding(office: Office, vendor: str) -> None:
    """The task is brought up to date instead of another one being made."""
    desk = office(vendor, auto="task")
    cards = [
        desk.person.add_contact(name, phone="+79161230001").id
        for name in ("Прохор Тлехугов", "Тлехугов Прохор", "Тлехугов П.")
    ]

    assert [set(found.ids) for found in desk.findings] == [set(cards)]
    [task] = desk.bench.tasks
    assert all(f"({id_})" in task.text for id_ in cards)


def test_a_task_that_somebody_has_done_is_not_written_to(office: Office) -> None:
    """The next card of the same person makes a new task."""
    desk = office(auto="task")
    desk.person.add_contact("Прохор Тлехугов", phone="+79161230001")
    desk.person.add_contact("Тлехугов Прохор", phone="+79161230001")
    desk.person.complete(desk.bench.tasks[0].ref)
    desk.person.add_contact("Прохор Тлехугов", phone="+79161230001", email="proxor@mail.ru")

    assert [task.is_done for task in desk.bench.tasks] == [True, False]


def test_a_task_that_failed_is_made_by_the_next_attempt(office: Office) -> None:
    """The CRM stumbles when the task is made: the finding is known already, and the task is made once."""
    desk = office("amocrm", auto="task")
    desk.person.add_contact("Прохор Тлехугов", phone="+79161230001")
    desk.bench.fail_next(500, 1, method="POST")
    desk.person.add_contact("Тлехугов Прохор", phone="+79161230001")
    desk.bench.advance(timedelta(minutes=10))

    assert (len(desk.findings), len(desk.bench.tasks)) == (1, 1)


def test_it_speaks_the_language_of_the_service(office: Office) -> None:
    """Task, decision and queue."""
    desk = office("amocrm", language="en", auto="task")
    desk.person.add_contact("Прохор Тлехугов", phone="+79161230001")
    desk.person.add_contact("Тлехугов Прохор", phone="+79161230001")

    assert desk.bench.tasks[0].text.startswith("These look like one person:\nПрохор Тлехугов (")
    assert desk.decisions()[-1][1].startswith("a duplicate (sure): ")
    assert desk.command("queue")[-1] == "In the queue: 1, of which sure: 1"


def test_with_the_queue_nothing_is_written(office: Office) -> None:
    """The default shows what was found and leaves the CRM alone."""
    desk = office()
    one = desk.person.add_contact("Прохор Тлехугов", phone="+79161230001")
    other = desk.person.add_contact("Тлехугов Прохор", phone="+79161230001")

    assert desk.groups == [("auto", {one.id, other.id})]
    assert desk.bench.tasks == []
    assert [run.decisions[1:] for run in desk.bench.runs if run.state == "done"] == [("ждёт в очереди",)]


@pytest.mark.parametrize("vendor", ["amocrm", "retailcrm", "memory"])
def test_the_newer_card_is_tagged(office: Office, vendor: str) -> None:
    """Once, and the card that was there first has no tag."""
    desk = office(vendor, auto="tag", tag="проверить дубль")
    desk.person.add_contact("Прохор Тлехугов", phone="+79161230001")
    desk.person.add_contact("Тлехугов Прохор", phone="+79161230001")

    assert [contact.tags for contact in desk.bench.contacts] == [(), ("проверить дубль",)]


def test_where_records_have_no_tags_the_duplicate_waits(office: Office) -> None:
    """Bitrix24 has none: the run says so."""
    desk = office("bitrix24", auto="tag")
    desk.person.add_contact("Прохор Тлехугов", phone="+79161230001")
    desk.person.add_contact("Тлехугов Прохор", phone="+79161230001")

    assert "в этой CRM у таких записей нет тегов, дубль ждёт в очереди" in desk.bench.decisions
    assert len(desk.findings) == 1


def test_only_what_is_compared_is_a_reason_to_look(office: Office) -> None:
    """Another owner is none; a new number is one, and finds whoever has it."""
    desk = office()
    one = desk.person.add_contact("Прохор Тлехугов", phone="+79161230001")
    other = desk.person.add_contact("Прохор", phone="+79035557788")
    before = desk.findings
    desk.person.change(one, {"owner_id": "3"})
    desk.bench.settle()
    looked_again = desk.decisions()[-1]
    desk.person.change(other, {"phones": (Phone(raw="+79035557788"), Phone(raw="+79161230001"))})

    assert looked_again == ("skipped", "то, по чему сравнивают, не изменилось")
    assert (before, [ids for _, ids in desk.groups]) == ([], [{one.id, other.id}])


def test_switched_off_it_looks_at_nobody(office: Office) -> None:
    """`live = false` leaves everything to the scan, `kinds` to the other kinds."""
    desks = [office(live=False, auto="task"), office(kinds=("companies",), auto="task")]
    for desk in desks:
        desk.person.add_contact("Прохор Тлехугов", phone="+79161230001")
        desk.person.add_contact("Тлехугов Прохор", phone="+79161230001")

    assert [(desk.findings, desk.bench.tasks) for desk in desks] == [([], []), ([], [])]


def test_junk_is_nobody(office: Office) -> None:
    """Cards of a stub number are not each other's duplicates."""
    desk = office(auto="task")
    desk.person.add_contact("тест", phone="+7 999 999-99-99")
    desk.person.add_contact("тест тестов", phone="+7 999 999-99-99")

    assert (desk.findings, desk.bench.tasks) == ([], [])
    assert all(reason.startswith("сравнивать не по чему") for _, reason in desk.decisions())


def test_a_card_that_is_gone_leaves_the_queue(office: Office) -> None:
    """Deleted by a person: the finding is settled, and the next card of that number is compared with the other."""
    desk = office()
    one = desk.person.add_contact("Прохор Тлехугов", phone="+79161230001")
    other = desk.person.add_contact("Тлехугов Прохор", phone="+79161230001")
    desk.person.delete(one)
    after = desk.groups
    third = desk.person.add_contact("Тлехугов Прохор", phone="+79161230001")

    assert (after, desk.groups) == ([], [("auto", {other.id, third.id})])


def test_a_card_that_is_somebody_else_now_leaves_the_queue(office: Office) -> None:
    """Another name and number: the finding is settled at once."""
    desk = office()
    one = desk.person.add_contact("Прохор Тлехугов", phone="+79161230001")
    desk.person.add_contact("Тлехугов Прохор", phone="+79161230001")
    before = desk.groups
    desk.person.change(one, {"name": "Снежана Дзагоева", "phones": (Phone(raw="+79035557788"),)})

    assert (len(before), desk.groups) == (1, [])


def test_in_plan_mode_the_task_is_planned(office: Office) -> None:
    """Nothing is written in the CRM; the finding is kept, and asked about once."""
    desk = office(mode="plan", auto="task")
    desk.person.add_contact("Прохор Тлехугов", phone="+79161230001")
    second = desk.person.add_contact("Тлехугов Прохор", phone="+79161230001")
    desk.person.change(second, {"emails": (Email(value="proxor@mail.ru"),)})

    assert len(desk.findings) == 1
    assert [(item.write.verb.value, item.write.kind.value, item.state) for item in desk.bench.plan] == [
        ("create", "task", "planned")
    ]
    assert desk.bench.tasks == []


@pytest.mark.parametrize("vendor", CRMS)
def test_a_planned_merge_is_applied_by_a_person(office: Office, vendor: str) -> None:
    """Planned once, however often it is looked at; applied, the numbers are on one card and the queue is empty."""
    desk = office(vendor, mode="plan", auto="merge")
    desk.person.add_contact("Прохор Тлехугов", phone="+79161230001", email="proxor@mail.ru")
    desk.person.add_contact("Тлехугов Прохор", phone=("+79161230001", "+79035557788"))
    desk.command("scan")
    [waiting] = desk.findings
    untouched = [len(contact.phones) for contact in desk.bench.contacts]
    planned = [item.write.verb.value for item in desk.bench.plan]
    applied = {one.state for one in apply_plan(desk.bench.service, [item.id for item in desk.bench.plan])}
    kept = [contact for contact in desk.bench.contacts if "дубль" not in contact.tags]

    assert ("запланировано" in waiting.note, untouched) == (True, [1, 2])
    assert (planned, applied) == (["update", "merge"], {"applied"})
    assert [{phone.e164 for phone in one.phones} for one in kept] == [{"+79161230001", "+79035557788"}]
    assert desk.findings == []


@pytest.mark.parametrize("kind", ["contact", "company", "deal"])
@pytest.mark.parametrize("vendor", CRMS)
def test_the_journal_tells_that_a_plan_was_applied(office: Office, vendor: str, kind: str) -> None:
    """Planned until then, merged from then on, whatever was merged; and it can be taken back."""
    desk = office(vendor, mode="plan", live=False)
    client = desk.person.add_contact("Прохор Тлехугов", phone="+79161230001")
    drafts: dict[str, Record] = {
        "contact": Contact(name="Тлехугов Прохор", phones=(Phone(raw="+79161230001"),)),
        "company": Company(name="ООО «Тлехугов и сыновья»", phones=(Phone(raw="+74957305518"),)),
        "deal": Deal(title="Пластиковые окна", contacts=(client,)),
    }
    ids = [f"{kind}:{desk.person.add(drafts[kind]).id}" for _ in range(2)]
    desk.command("scan")
    desk.command("merge", *ids, "--apply")
    planned = [row.cells[4] for row in desk.page("journal").rows]
    apply_plan(desk.bench.service, [item.id for item in desk.bench.plan])
    [merged] = desk.page("journal").rows

    assert (planned, merged.cells[4], merged.actions) == (["в плане"], "объединено", ("undo",))
    assert [found for found in desk.findings if found.kind.value == kind and kind != "contact"] == []


@pytest.mark.parametrize("vendor", CRMS)
def test_cards_made_while_the_service_was_down_are_found(office: Office, vendor: str) -> None:
    """The index and the queue outlive the service."""
    desk = office(vendor, auto="task")
    one = desk.person.add_contact("Прохор Тлехугов", phone="+79161230001")
    with desk.bench.stopped() as people:
        other = people.add_contact("Тлехугов Прохор", phone="+79161230001")
    desk.bench.advance(timedelta(minutes=5))

    assert desk.groups == [("auto", {one.id, other.id})]
    assert len(desk.bench.tasks) == 1


def test_cards_of_the_first_load_are_found_by_new_ones(office: Office) -> None:
    """What was there before the service came in silently; within ten minutes it can be found."""
    desk = office()
    desk.bench.seed()
    desk.bench.advance(timedelta(minutes=11))
    [known] = [contact.ref for contact in desk.bench.contacts if contact.name == "Ольга Соболь"]
    new = desk.person.add_contact("Соболь Ольга", phone="+79123456702")

    assert desk.groups == [("auto", {known.id, new.id})]


def test_a_card_that_may_be_a_branch_is_asked_about_as_it_comes(office: Office) -> None:
    """A firm with one place is found by its INN; once a branch is known, the INN alone does not tell which of them."""
    desk = office("memory")
    firm = Company(name="ООО «Ромашка»", inn="7707083893")
    head = desk.person.add(firm.model_copy(update={"kpp": "770701001"}))
    again = desk.person.add(firm)
    known = desk.groups
    desk.person.add(firm.model_copy(update={"kpp": "161501001"}))
    desk.person.change(again, {"name": "ООО Ромашка"})

    assert known == [("auto", {head.id, again.id})]
    assert [band for band, _ in desk.groups] == ["review"]
