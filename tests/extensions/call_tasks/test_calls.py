"""From a call to a task: whom it is about, who gets it, what it says, and why there is none."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from tests.extensions.call_tasks.conftest import NUMBER, Office

from crmkit.adapter import Capability, Level
from crmkit.models import Call, CallStatus, Company, Contact, Deal, Direction, Employee, Phone, Recording, Task
from crmkit.testing import MemoryConnection
from crmkit.values import Kind
from crmkit.worktime import WorkCalendar
from crmkit_call_tasks import CallTaskSettings, call_tasks
from crmkit_call_tasks.conversation import COLLECTION


def brief(task: Task) -> dict[str, Any]:
    return {
        "text": task.text,
        "due": task.due,
        "about": task.about,
        "owner": task.owner_id,
        "done": task.is_done,
    }


NOON = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def test_a_missed_call_of_a_client_becomes_a_task_on_the_open_deal(office: Office) -> None:
    """The deal's owner is to call back within half an hour; the text says whom, when, where from."""
    contact = office.client()
    deal = office.deal(contact)
    outcome = office.missed(
        line="74957770011",
        tracking={"utm_source": "yandex", "utm_campaign": "summer", "line_name": "Сайт"},
    )
    assert [brief(task) for task in office.tasks] == [
        {
            "text": "Перезвонить: +79161230001 (Иван Петров). Пропущенный звонок 02.03.2026 12:00, ждали 20 с. "
            "Линия: Сайт 74957770011. Источник: yandex / summer",
            "due": NOON + timedelta(minutes=30),
            "about": deal,
            "owner": "3",
            "done": False,
        }
    ]
    assert outcome.reasons == (
        "пропущенный звонок: задача перезвонить до 02.03.2026 12:30",
        "ответственный: 3, ведёт клиента",
        "звонок записан в CRM",
    )
    assert not outcome.skipped


def test_the_same_in_english() -> None:
    """The service's language is the language of tasks and reasons."""
    office = Office("en")
    office.client(name="John")
    outcome = office.missed()
    assert [task.text for task in office.tasks] == [
        "Call back: +79161230001 (John). Missed call 2026-03-02 12:00, waited 20 s"
    ]
    assert outcome.reasons == (
        "missed call: a task to call back until 2026-03-02 12:30",
        "owner: 2, who looks after the client",
        "the call was entered into the CRM",
    )


def test_without_a_deal_the_contacts_owner_calls_back(office: Office) -> None:
    """The task stands on the contact."""
    contact = office.client()
    office.missed()
    assert [(task.about, task.owner_id) for task in office.tasks] == [(contact, "2")]


def test_an_unknown_caller_becomes_a_contact(office: Office) -> None:
    """One contact for the number, owned by whoever has the turn, with the call in the CRM's log."""
    outcome = office.missed()
    office.advance(minutes=1)
    office.missed()
    [contact] = office.all(Contact)
    assert (contact.name, [phone.e164 for phone in contact.phones], contact.owner_id) == (NUMBER, [NUMBER], "1")
    assert [(task.about, task.owner_id, task.text.partition(".")[0]) for task in office.tasks] == [
        (contact.ref, "1", f"Перезвонить: {NUMBER}")
    ]
    assert [(call.contact, call.status) for call in office.all(Call)] == [(contact.ref, CallStatus.MISSED)] * 2
    assert outcome.reasons[1:] == (
        "ответственный: 1, по очереди",
        "создан контакт",
        "звонок записан в CRM",
    )


def test_unknown_callers_can_stay_strangers(office: Office) -> None:
    """Without new contacts the task has the number and no card."""
    office.settings = CallTaskSettings(new_contacts="never")
    office.missed()
    assert office.all(Contact) == []
    assert [(task.about, task.owner_id) for task in office.tasks] == [(None, "1")]


def test_a_deal_is_opened_when_the_settings_say_so(office: Office) -> None:
    """The call-back task stands on it."""
    office.settings = CallTaskSettings(new_deals=True)
    office.missed()
    [deal] = office.all(Deal)
    [contact] = office.all(Contact)
    assert (deal.title, deal.contacts, deal.owner_id) == (f"Звонок {NUMBER}", (contact.ref,), "1")
    assert [task.about for task in office.tasks] == [deal.ref]


def test_turns_go_round_among_the_chosen(office: Office) -> None:
    """Unknown callers are dealt out in turn, to those who are named and active."""
    office.settings = CallTaskSettings(among=("3", "4", "2"))
    for last in range(3):
        office.missed(phone=f"+7916123010{last}")
    assert [task.owner_id for task in office.tasks] == ["3", "2", "3"]


@pytest.mark.parametrize(
    ("settings", "owner_id", "said"),
    [
        (CallTaskSettings(assign="fixed", fixed="3"), "3", "ответственный: 3, назначен в настройках"),
        (CallTaskSettings(assign="fixed", fixed="4"), "1", "ответственный: 1, по очереди"),
        (CallTaskSettings(assign="least_loaded"), "1", "ответственный: 1, меньше всех открытых задач"),
        (CallTaskSettings(among=("4",)), "900", "ответственного нет: никто из выбранных не активен"),
    ],
)
def test_the_settings_say_who_gets_strangers(
    office: Office, settings: CallTaskSettings, owner_id: str, said: str
) -> None:
    """Fixed, by load, in turn; when nobody can take it the CRM's own rule holds."""
    office.settings = settings
    outcome = office.missed()
    assert [task.owner_id for task in office.tasks] == [owner_id]
    assert said in outcome.reasons


def test_an_owner_who_has_left_is_replaced(office: Office) -> None:
    """The task goes to whoever has the turn."""
    office.client(owner_id="4")
    outcome = office.missed()
    assert [task.owner_id for task in office.tasks] == ["1"]
    assert "ответственный: 1, по очереди, потому что 4 больше не работает" in outcome.reasons


def test_the_deal_that_was_touched_last_wins(office: Office) -> None:
    """Of several open deals, and of several people with the number, the live one is meant."""
    one, other = office.client(name="Иван"), office.client(name="Отдел")
    office.deal(one)
    new, lost = office.deal(other), office.deal(one)
    office.memory.person.move_deal(lost, "lost")
    office.memory.advance(timedelta(hours=1))
    office.memory.person.change(new, {"title": "Двери"})
    outcome = office.missed()
    assert [task.about for task in office.tasks] == [new]
    assert "номер записан у 2 контактов, выбран Отдел" in outcome.reasons


def test_only_chosen_pipelines_count(office: Office) -> None:
    """A deal elsewhere does not get the task."""
    contact = office.client()
    office.deal(contact)
    office.settings = CallTaskSettings(pipelines=("2",))
    office.missed()
    assert [task.about for task in office.tasks] == [contact]


def test_a_company_has_the_number(office: Office) -> None:
    """No second card for a number that the CRM knows as a company's."""
    [company] = office.memory.seed(
        Company(name="ООО Окна", phones=(Phone(raw=NUMBER, e164=NUMBER),), owner_id="3"),
    )
    office.missed()
    office.missed(provider="memory", id_="companies.1", phone=None, company=company)
    assert office.all(Contact) == []
    assert [(task.about, task.owner_id) for task in office.tasks] == [(company, "3")] * 2


def test_the_crms_own_call_is_on_its_card(office: Office) -> None:
    """A call that the CRM has on a card uses it and is not logged again, even without a number."""
    contact = office.client()
    deal = office.deal(contact)
    for number, more in enumerate(({"contact": contact}, {"deal": deal})):
        outcome = office.missed(provider="memory", id_=f"contacts.{number}", phone=None, **more)
        assert "звонок записан в CRM" not in outcome.reasons
    assert [(task.about, task.owner_id) for task in office.tasks] == [(deal, "3"), (deal, "3")]
    assert office.all(Call) == []


def test_the_crms_own_call_on_a_closed_deal(office: Office) -> None:
    """The client's open deal is looked for instead."""
    contact = office.client()
    closed, live = office.deal(contact), office.deal(contact)
    office.memory.person.move_deal(closed, "won")
    office.missed(provider="memory", id_="leads.1", deal=closed)
    assert [task.about for task in office.tasks] == [live]


def test_several_missed_calls_are_one_task(office: Office) -> None:
    """The counter goes up, the time moves, and what a person has added to the text stays."""
    office.client()
    office.missed()
    [task] = office.tasks
    office.crm.tasks.update(task.ref, {"text": f"{task.text}\nОбещали скидку"})
    office.advance(minutes=7)
    outcome = office.missed()
    office.advance(minutes=7)
    office.missed()
    assert [brief(task) for task in office.tasks] == [
        {
            "text": "Перезвонить: +79161230001 (Иван Петров). Пропущенный звонок 02.03.2026 12:14, ждали 20 с. "
            "Пропущенных звонков: 3\nОбещали скидку",
            "due": NOON + timedelta(minutes=44),
            "about": task.about,
            "owner": "2",
            "done": False,
        }
    ]
    assert outcome.reasons[0] == (
        "пропущенный звонок от того же номера: в открытой задаче теперь звонков 2, срок 02.03.2026 12:37"
    )


def test_news_of_an_earlier_missed_call_counts_and_does_not_rename(office: Office) -> None:
    """The text tells of the last call, the counter of all."""
    office.client()
    early = office.call()
    office.advance(minutes=20)
    office.missed()
    office.hear(early)
    assert [task.text for task in office.tasks] == [
        (
            "Перезвонить: +79161230001 (Иван Петров). Пропущенный звонок 02.03.2026 12:20, ждали 20 с. "
            "Пропущенных звонков: 2"
        )
    ]


def test_a_task_that_a_person_has_done_is_not_raised(office: Office) -> None:
    """The next missed call makes a task of its own, and so it does when the task was deleted."""
    office.client()
    office.missed()
    office.memory.person.complete(office.tasks[0].ref)
    office.missed()
    assert [task.is_done for task in office.tasks] == [True, False]
    office.memory.person.delete(office.tasks[1].ref)
    office.missed()
    assert [(task.is_done, "Пропущенных" in task.text) for task in office.tasks] == [(True, False), (False, False)]


def test_a_conversation_closes_the_task(office: Office) -> None:
    """Whoever called: talk settles it, and the result says so."""
    office.client()
    office.missed()
    office.advance(minutes=5)
    outcome = office.answered(75, direction=Direction.OUT)
    assert [(task.is_done, task.result) for task in office.tasks] == [(True, "Поговорили 02.03.2026 12:05, 1:15")]
    assert outcome.reasons == (
        "звонок принят, открытой сделки нет",
        "звонок записан в CRM",
        "открытая задача закрыта: с клиентом поговорили",
    )


def test_our_vain_attempts_are_written_into_the_task(office: Office) -> None:
    """The task stays open with its time, and counts them."""
    office.client()
    office.missed()
    for _ in range(2):
        office.advance(minutes=5)
        outcome = office.ring_out()
    assert [brief(task) for task in office.tasks] == [
        {
            "text": "Перезвонить: +79161230001 (Иван Петров). Пропущенный звонок 02.03.2026 12:00, ждали 20 с. "
            "Попыток дозвониться: 2",
            "due": NOON + timedelta(minutes=30),
            "about": office.tasks[0].about,
            "owner": "2",
            "done": False,
        }
    ]
    assert outcome.reasons[0] == "до клиента не дозвонились: попытка 2 записана в открытую задачу"


def test_a_conversation_asks_for_the_next_step(office: Office) -> None:
    """An open deal on which nothing is planned gets a task; one with a task does not."""
    contact = office.client()
    deal = office.deal(contact)
    first = office.answered(
        125,
        recording=Recording(url="https://example.com/r/1.mp3"),
        employee=Employee(name="Мария Петрова"),
    )
    assert [brief(task) for task in office.tasks] == [
        {
            "text": "Следующий шаг: +79161230001 (Иван Петров). Разговор 02.03.2026 12:00, 2:05. "
            "Сотрудник: Мария Петрова. Запись: https://example.com/r/1.mp3",
            "due": NOON + timedelta(days=1),
            "about": deal,
            "owner": "3",
            "done": False,
        }
    ]
    assert first.reasons[0] == (
        "разговор состоялся, а дальше ничего не запланировано: задача на следующий шаг до 03.03.2026 12:00"
    )
    office.advance(minutes=9)
    second = office.answered()
    assert len(office.tasks) == 1
    assert second.reasons[0] == "звонок принят, следующая задача уже стоит"


def test_the_task_that_is_closed_does_not_stand_for_a_next_step(office: Office) -> None:
    """Talk about a missed call closes the call-back task and asks what comes next."""
    deal = office.deal(office.client())
    office.missed()
    office.advance(minutes=5)
    office.answered()
    assert [(task.text.partition(":")[0], task.is_done, task.about) for task in office.tasks] == [
        ("Перезвонить", True, deal),
        ("Следующий шаг", False, deal),
    ]


def test_a_night_call_is_due_when_the_office_opens(office: Office) -> None:
    """In the account's zone, over the weekend and a holiday."""
    office.client()
    office.settings = CallTaskSettings(hours=WorkCalendar(holidays=frozenset({date(2026, 3, 9)})))
    office.advance(days=4, hours=11)  # Friday, 23:00 in Moscow; Monday the 9th is a holiday
    outcome = office.missed()
    assert [task.due for task in office.tasks] == [datetime(2026, 3, 10, 6, 0, tzinfo=UTC)]
    assert outcome.reasons[0] == "пропущенный звонок в нерабочее время: задача к открытию, 10.03.2026 09:00"


def test_the_hours_may_have_a_zone_of_their_own(office: Office) -> None:
    """A zone in the settings wins over the account's, also in texts."""
    office.client()
    office.settings = CallTaskSettings(hours=WorkCalendar(timezone="Asia/Vladivostok"))
    outcome = office.missed()  # 19:00 in Vladivostok
    assert [task.due for task in office.tasks] == [datetime(2026, 3, 2, 23, 0, tzinfo=UTC)]
    assert outcome.reasons[0].endswith("03.03.2026 09:00")


JUNK = [
    ({"talk_s": 3, "status": CallStatus.ANSWERED}, "случайный звонок, 3 с"),
    ({"wait_s": 2}, "случайный звонок, 2 с"),
    ({"phone": "204"}, "внутренний звонок"),
    ({"direction": Direction.INTERNAL}, "внутренний звонок"),
    ({"phone": "+78001234567"}, "звонок с собственного номера компании"),
    ({"phone": "+79990000000"}, "номер в чёрном списке настроек"),
    ({"phone": None}, "номер скрыт: перезвонить некому"),
    ({"status": CallStatus.BLOCKED}, "номер заблокирован"),
]


@pytest.mark.parametrize(("more", "reason"), JUNK, ids=[reason for _, reason in JUNK])
def test_junk_makes_nothing_and_says_why(office: Office, more: dict[str, Any], reason: str) -> None:
    """No task, no contact, no call in the log; the reason is kept."""
    office.settings = CallTaskSettings(blacklist=("+7999*",))
    outcome = office.missed(**more)
    assert (outcome.skipped, outcome.reasons) == (True, (reason,))
    assert [*office.tasks, *office.all(Contact), *office.all(Call)] == []


def test_junk_costs_no_request(office: Office) -> None:
    """What can be decided without the CRM is."""
    office.missed(phone="204")
    assert [one.verb for one in office.memory.world.asked if one.verb != "account"] == []


def test_a_broken_off_talk_waits_and_is_called_back(office: Office) -> None:
    """Four seconds of talk and silence for ten minutes: a task, and the call in the log."""
    contact = office.client()
    waiting = office.answered(4)
    assert (office.tasks, waiting.skipped) == ([], False)
    assert waiting.reasons == ("разговор всего 4 с: ждём повторного звонка до 02.03.2026 12:10",)
    outcome = office.fire(waiting)
    assert [(task.text, task.about, task.due) for task in office.tasks] == [
        (
            "Перезвонить: +79161230001 (Иван Петров). Звонок оборвался 02.03.2026 12:00",
            contact,
            NOON + timedelta(minutes=40),
        )
    ]
    assert outcome.reasons[0] == "после короткого звонка клиент не перезвонил: задача перезвонить до 02.03.2026 12:40"
    assert [call.talk_s for call in office.all(Call)] == [4]


def test_who_calls_again_after_a_broken_off_talk_needs_no_task(office: Office) -> None:
    """The second call speaks for itself."""
    office.client()
    waiting = office.answered(4)
    office.advance(minutes=2)
    office.answered(60)
    outcome = office.fire(waiting)
    assert (office.tasks, outcome.skipped) == ([], True)
    assert outcome.reasons == ("после короткого звонка клиент связался снова",)


def test_the_second_broken_off_talk_takes_over_the_waiting(office: Office) -> None:
    """Two short calls make one task, when the second one has waited."""
    office.client()
    first = office.answered(4)
    office.memory.desk(call_tasks.name).timers.clear()
    office.advance(minutes=2)
    second = office.answered(4)
    assert office.fire(first).reasons == ("после этого звонка клиент уже звонил снова",)
    office.fire(second)
    assert len(office.tasks) == 1


def test_a_timer_of_a_forgotten_number_finds_nothing(office: Office) -> None:
    """A timer of a number that is forgotten, or was never known, finds nothing to do."""
    waiting = office.answered(4)
    office.memory.desk(call_tasks.name).store.delete(COLLECTION, NUMBER)
    assert office.fire(waiting).skipped


def test_many_short_calls_are_put_under_review(office: Office) -> None:
    """Nothing is made; a person decides whether it is a robot, and the decision holds."""
    for _ in range(6):
        office.advance(minutes=1)
        outcome = office.missed(wait_s=2)
    said = "похоже на робота: коротких звонков за час 6; номер в списке на проверку, записи не создаются"
    assert outcome.reasons == (said,)
    assert [*office.tasks, *office.all(Contact)] == []
    store = office.memory.desk(call_tasks.name).store
    assert dict(store.scan("review")) == {NUMBER: {"count": 6, "last": "2026-03-02T09:06:00+00:00"}}


def test_a_call_without_a_log_is_kept_as_a_note(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the CRM takes no calls, number and recording stand on the client's card."""

    def supports(_: MemoryConnection, capability: Capability) -> Level:
        return Level.ABSENT if capability is Capability.LOG_CALLS else Level.NATIVE

    monkeypatch.setattr(MemoryConnection, "supports", supports)
    deal = office.deal(office.client())
    office.answered(65, recording=Recording(url="https://example.com/r/2.mp3"))
    office.ring_out(status=CallStatus.BUSY)
    assert office.notes() == [
        "Входящий звонок +79161230001 02.03.2026 12:00, разговор 1:05. Запись: https://example.com/r/2.mp3",
        "Исходящий звонок +79161230001 02.03.2026 12:00, занято",
    ]
    assert [note.about for note in office.crm.notes.find(about=deal)] == [deal, deal]


def test_a_crm_that_does_not_take_the_call(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """A number that the CRM cannot place leaves the task and says so."""
    office.client()
    monkeypatch.setattr("crmkit.crm.Calls.log", lambda *_, **__: None)
    assert "CRM не приняла звонок в журнал" in office.missed().reasons
    assert len(office.tasks) == 1


def test_calls_need_not_be_kept(office: Office) -> None:
    """The log can be left to the telephony's own integration."""
    office.client()
    office.settings = CallTaskSettings(keep_calls=False)
    outcome = office.answered()
    assert (outcome.skipped, outcome.reasons, office.all(Call)) == (True, ("звонок принят, открытой сделки нет",), [])


def test_two_sources_of_one_call_make_one_task(office: Office) -> None:
    """The telephony and the CRM's own log tell of the same call."""
    contact = office.client()
    office.missed()
    outcome = office.missed(provider="memory", id_="contacts.77", contact=contact)
    assert len(office.tasks) == 1
    assert outcome.reasons == ("об этом же звонке уже сообщил другой источник",)


def test_a_second_source_does_not_count(office: Office) -> None:
    """A broken-off talk that the CRM's log tells of as well is no second call of the client."""
    contact = office.client()
    waiting = office.answered(4)
    office.advance(seconds=20)
    office.answered(4, provider="memory", id_="contacts.78", contact=contact)
    office.fire(waiting)
    assert [task.text for task in office.tasks] == [
        "Перезвонить: +79161230001 (Иван Петров). Звонок оборвался 02.03.2026 12:00"
    ]


def test_a_deleted_contact_is_made_anew(office: Office) -> None:
    """The key of the first contact does not give the address of a record that is gone."""
    office.missed()
    [first] = office.all(Contact)
    for gone in (first.ref, office.tasks[0].ref):
        office.memory.person.delete(gone)
    office.advance(minutes=5)
    office.missed()
    [second] = office.all(Contact)
    assert second.ref != first.ref
    assert [task.about for task in office.tasks] == [second.ref]


def test_a_contact_that_cannot_be_found_yet_is_remembered(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """A CRM's search may be late: the contact we made a minute ago is still the one."""
    office.missed()
    monkeypatch.setattr("crmkit.crm.Contacts.find", lambda *_, **__: [])
    office.advance(minutes=1)
    office.missed()
    assert len(office.all(Contact)) == 1
    assert len(office.tasks) == 1


def test_the_task_has_the_type_that_the_settings_name(office: Office) -> None:
    """Vendors have their own types of tasks."""
    office.client()
    office.settings = CallTaskSettings(task_type="2")
    office.missed()
    assert [task.task_type for task in office.tasks] == ["2"]


def test_hidden_numbers_have_a_task_each(office: Office) -> None:
    """Two strangers are two calls; there is no card to put them on."""
    office.settings = CallTaskSettings(anonymous_tasks=True)
    office.missed(phone=None)
    office.missed(phone=None)
    assert [(task.text, task.about) for task in office.tasks] == [
        ("Перезвонить: скрытый номер. Пропущенный звонок 02.03.2026 12:00, ждали 20 с", None)
    ] * 2


def test_a_number_that_cannot_be_read_is_called_back_as_said(office: Office) -> None:
    """No contact with a number that nobody can dial; the task has what was said."""
    office.missed(phone="7 8 900 123 45 67")
    assert office.all(Contact) == []
    assert [task.text.partition(".")[0] for task in office.tasks] == ["Перезвонить: 7 8 900 123 45 67"]


def test_what_the_extension_needs() -> None:
    """`crmkit check` can tell before the start whether a CRM will do."""
    assert call_tasks.requires == {
        Capability.TASKS,
        Capability.CONTACTS,
        Capability.DEALS,
        Capability.FIND_BY_PHONE,
    }
    assert call_tasks.kinds == {Kind.CALL, Kind.TASK}
