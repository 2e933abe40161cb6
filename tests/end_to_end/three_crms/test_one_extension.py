"""One extension file on three CRMs: the same acts of people and telephony lead to the same events, writes and tasks."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from tests.end_to_end.three_crms.extension import FrontDeskSettings, front_desk, next_step, urgent

from crmkit import Money, Ref
from crmkit_call_tasks import call_tasks
from crmkit_testing.bench import Bench
from crmkit_testing.plugin import OpenBench

CLIENT = "+79123456789"
ANOTHER = "+79260001122"
SECRET = "a-secret-of-these-tests"
A_MINUTE = timedelta(minutes=1)
TODAY = date(2026, 3, 2)


def ringostat(b: Bench, id_: str) -> bytes:
    """A missed call of the client as Ringostat tells of it, now."""
    fields = {
        "uniqueid": id_,
        "call_type": "in",
        "calldate": b.now.strftime("%Y-%m-%d+%H:%M:%S"),
        "caller": CLIENT.removeprefix("+"),
        "dst": "74951234567",
        "disposition": "NO+ANSWER",
        "billsec": "0",
        "duration": "30",
        "waittime": "30",
        "token": SECRET,
    }
    return "&".join(f"{name}={value}" for name, value in fields.items()).encode()


def stages(b: Bench) -> list[str]:
    """Names of the first three stages of the main pipeline."""
    return list(b.side.stages())[:3]


def told(b: Bench, extension: str = "front-desk") -> list[str]:
    """What an extension said it did, oldest first; what it passed over is left out."""
    return [reason for run in b.runs if (run.extension, run.state) == (extension, "done") for reason in run.decisions]


def pass_time(b: Bench) -> None:
    """Let hooks, the feed and the seldom reading by time all tell what they know."""
    for _ in range(3):
        b.advance(10 * A_MINUTE)


def test_a_deal_is_made_moved_and_handed_over(crm_bench: OpenBench) -> None:
    """Each act of a person is one event with what was and what is; time adds nothing."""
    b = crm_bench(front_desk)
    one, other = b.side.user_ids()[:2]
    first, second, third = stages(b)
    person = b.person.add_contact("Иван Петров", phone=CLIENT, owner_id=one)
    b.settle()
    deal = b.person.add_deal("Окна", contact=person, stage=first, owner_id=one, amount=rubles(500))
    b.settle()
    b.person.move_deal(deal, second)
    b.settle()
    b.person.move_deal(deal, third)
    b.settle()
    b.person.change(deal, {"owner_id": other})
    b.settle()
    b.person.change(deal, {"amount": rubles(700)})
    pass_time(b)
    assert told(b) == [
        f"met: Иван Петров, {CLIENT}",
        "created: Окна, Иван Петров",
        f"moved: {first} -> {second}",
        f"moved: {second} -> {third}",
        f"owner: {one} -> {other}",
        "amount: 500 -> 700",
    ]
    assert {run.state for run in b.runs} <= {"done", "skipped"}


def test_what_the_extension_writes_stands_in_the_crm_and_does_not_come_back(crm_bench: OpenBench) -> None:
    """A new deal gets one task and its date; neither is told to the extension that made them."""
    b = crm_bench(front_desk, settings=FrontDeskSettings(due_in=timedelta(hours=2), first_step_in=timedelta(days=1)))
    deal = b.person.add_deal("Окна")
    pass_time(b)
    [found] = b.deals
    [task] = b.tasks
    assert (found.ref, found[next_step]) == (deal, TODAY + timedelta(days=1))
    assert (task.text, task.about, task.is_done) == ("Связаться: Окна", deal, False)
    assert task.due is not None
    assert (task.due.hour, task.due.date()) == (12, TODAY)
    assert [(run.event, run.decisions) for run in b.runs] == [("DealCreated", ("created: Окна, None",))]


def test_a_custom_field_is_read_as_it_was_and_written(crm_bench: OpenBench) -> None:
    """Typed values on both sides of a change; the card then has the new one and keeps the other."""
    b = crm_bench(front_desk)
    deal = b.person.add_deal("Окна")
    b.settle()
    b.person.change(deal, {"custom": [urgent.to(True)]})
    pass_time(b)
    assert told(b) == ["created: Окна, None", f"urgent: step {TODAY + timedelta(days=3)} -> {TODAY}"]
    assert [(one[next_step], one[urgent]) for one in b.deals] == [(TODAY, True)]


def test_a_contact_is_met_and_renamed(crm_bench: OpenBench) -> None:
    """A new person and a new name are one event each, the number in one form whatever was typed."""
    b = crm_bench(front_desk)
    person = b.person.add_contact("Иван Петров", phone="8 (912) 345-67-89")
    b.settle()
    b.person.change(person, {"name": "Иван Сидоров"})
    pass_time(b)
    assert told(b) == [f"met: Иван Петров, {CLIENT}", "renamed: Иван Петров -> Иван Сидоров"]


def test_a_task_of_a_person_is_told(crm_bench: OpenBench) -> None:
    """With its text and the card it stands on."""
    b = crm_bench(front_desk)
    person = b.person.add_contact("Иван Петров", phone=CLIENT)
    b.settle()
    b.person.add_task("Отправить смету", about=person)
    pass_time(b)
    assert told(b) == [f"met: Иван Петров, {CLIENT}", "task: Отправить смету on contact"]


def test_a_missed_call_of_ringostat_told_three_times_is_one_task(crm_bench: OpenBench) -> None:
    """On the card of whoever has the number; a second call is a second task."""
    b = crm_bench(
        front_desk, sources={"ringostat": {"timezone": "UTC"}}, environment={"CRMKIT_ACME_RINGOSTAT_SECRET": SECRET}
    )
    b.person.add_contact("Пётр Другой", phone=ANOTHER)
    person = b.person.add_contact("Иван Петров", phone="8 (912) 345-67-89")
    b.settle()
    answers = b.deliver(ringostat(b, "1.5"), sender="ringostat", times=3)
    once = tasks(b)
    b.deliver(ringostat(b, "1.6"), sender="ringostat")
    pass_time(b)
    wanted = (f"Перезвонить: {CLIENT}", person)
    assert answers == (200, 200, 200)
    assert (once, tasks(b)) == ([wanted], [wanted, wanted])
    assert told(b)[2:] == ["missed", "missed"]


def test_call_tasks_answers_a_missed_call_of_ringostat(crm_bench: OpenBench) -> None:
    """The installed extension makes one task on the client's card, and counts the next call on it."""
    b = crm_bench(
        call_tasks, sources={"ringostat": {"timezone": "UTC"}}, environment={"CRMKIT_ACME_RINGOSTAT_SECRET": SECRET}
    )
    person = b.person.add_contact("Иван Петров", phone=CLIENT)
    b.settle()
    b.deliver(ringostat(b, "1.5"), sender="ringostat", times=2)
    first = [about for _, about in tasks(b)]
    b.deliver(ringostat(b, "1.6"), sender="ringostat")
    assert (first, [about for _, about in tasks(b)]) == ([person], [person])
    assert "Пропущенных звонков: 2" in b.tasks[0].text
    assert {run.state for run in b.runs} == {"done"}


def test_plan_mode_writes_nothing_and_says_what_it_would(crm_bench: OpenBench) -> None:
    """The task and the date are plan items in their order; the CRM has neither."""
    b = crm_bench(front_desk, mode="plan")
    deal = b.person.add_deal("Окна")
    pass_time(b)
    assert (b.tasks, [one[next_step] for one in b.deals]) == ([], [None])
    assert [(one.write.verb.value, one.write.kind.value, one.write.ref, one.state) for one in b.plan] == [
        ("create", "task", None, "planned"),
        ("update", "deal", deal, "planned"),
    ]


def tasks(b: Bench) -> list[tuple[str, Ref | None]]:
    """Texts of the account's tasks and the cards they stand on."""
    return [(task.text, task.about) for task in b.tasks]


def rubles(amount: int) -> Money:
    """An amount in the currency of all three accounts."""
    return Money(Decimal(amount), "RUB")
