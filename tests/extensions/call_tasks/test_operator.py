"""What an operator does with call-tasks: sweep old tasks, decide about robots, read the reasons in two languages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.extensions.call_tasks.conftest import NUMBER, Office

from crmkit.errors import ConfigError
from crmkit.models import Task
from crmkit.panel import PanelData, Row
from crmkit.testing import context, run_job
from crmkit.values import Kind, Ref
from crmkit_call_tasks import CallTaskSettings, call_tasks
from crmkit_call_tasks.conversation import Action, Decision, Reason
from crmkit_call_tasks.sweep import Beside, junk_among
from crmkit_call_tasks.texts import Words

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def sweep(office: Office, *words: str) -> list[str]:
    ctx = context(call_tasks, office.memory, settings=office.settings, language=office.language)
    [command] = call_tasks.commands
    return [str(said) for said in command.run(ctx, list(words))]


def seed(office: Office, text: str, *, about: Ref | None = None, due_days: int = 0, age_days: int = 1) -> Ref:
    [ref] = office.memory.seed(
        Task(text=text, about=about, due=NOW + timedelta(days=due_days)), at=NOW - timedelta(days=age_days)
    )
    return ref


def test_the_sweep_shows_before_it_does(office: Office) -> None:
    """Without --apply nothing changes; with it the tasks that it named are done, and no others."""
    contact = office.client()
    closed, live = office.deal(contact), office.deal(contact)
    office.memory.person.move_deal(closed, "lost")
    gone = [
        seed(office, "Пропущенный звонок от клиента", about=closed),
        seed(office, "Перезвонить клиенту", about=live, age_days=3),
        seed(office, "Missed call +7916", due_days=-31, age_days=32),
    ]
    kept = [
        seed(office, "Перезвонить: +7916", about=live, age_days=2),
        seed(office, "Отправить договор", due_days=-90, age_days=91),
        seed(office, "Call back", due_days=-29, age_days=30),
    ]
    lines = sweep(office)
    assert lines == [
        f"{gone[2]}  давно просрочена  Missed call +7916",
        f"{gone[1]}  на карточке есть задача новее  Перезвонить клиенту",
        f"{gone[0]}  сделка закрыта  Пропущенный звонок от клиента",
        "Можно закрыть задач: 3. Ничего не изменено, для закрытия добавьте --apply",
    ]
    assert [task.is_done for task in office.tasks] == [False] * 6
    assert sweep(office, "--apply")[-1] == "Закрыто задач: 3"
    assert {task.ref for task in office.tasks if task.is_done} == set(gone)
    assert {task.ref for task in office.tasks if not task.is_done} == set(kept)
    assert sweep(office) == ["Можно закрыть задач: 0. Ничего не изменено, для закрытия добавьте --apply"]


def test_the_sweep_knows_who_was_talked_to(office: Office) -> None:
    """A call task of another integration goes once we have heard a conversation with the client."""
    contact = office.client()
    foreign = seed(office, "Перезвонить! Пропущенный вызов", about=contact, due_days=1)
    office.answered()
    assert sweep(office)[0] == f"{foreign}  с клиентом уже поговорили  Перезвонить! Пропущенный вызов"


def test_the_sweep_speaks_english() -> None:
    """The lines are in the service's language."""
    office = Office("en")
    assert sweep(office, "--apply") == ["Tasks completed: 0"]


def test_the_sweep_refuses_words_it_does_not_know(office: Office) -> None:
    """A slip in `--apply` is no dry run in disguise."""
    with pytest.raises(ConfigError, match="--aply"):
        sweep(office, "--aply")


@given(
    st.lists(
        st.builds(
            Task,
            ref=st.integers(1, 99).map(lambda number: Ref("acme", Kind.TASK, str(number))),
            text=st.sampled_from(["Перезвонить", "Договор"]),
            about=st.sampled_from([None, Ref("acme", Kind.DEAL, "1"), Ref("acme", Kind.DEAL, "2")]),
            due=st.integers(-60, 60).map(lambda days: NOW + timedelta(days=days)),
            created_at=st.integers(-90, 0).map(lambda days: NOW + timedelta(days=days)),
            is_done=st.booleans(),
        ),
        max_size=12,
        unique_by=lambda task: task.ref,
    )
)
def test_at_most_one_call_task_of_a_card_outlives_the_sweep(tasks: Sequence[Task]) -> None:
    """Only open call tasks go, and of a card's tasks never more than one stays."""
    junk = {one.task.ref for one in junk_among(tasks, Beside(), NOW, CallTaskSettings())}
    assert all(task.text == "Перезвонить" and not task.is_done for task in tasks if task.ref in junk)
    left = [task.about for task in tasks if task.ref not in junk and task.text == "Перезвонить" and not task.is_done]
    assert all(left.count(about) == 1 for about in left if about is not None)


def test_a_person_decides_about_robots(office: Office) -> None:
    """The panel lists the numbers; what is blocked stays out, what is trusted is called back."""
    for _ in range(6):
        office.advance(minutes=1)
        office.missed(wait_s=2)
    ctx = context(call_tasks, office.memory)
    [panel] = call_tasks.panels
    assert panel.load(ctx) == PanelData(
        columns=["Номер", "Коротких звонков за час", "Последний звонок"],
        rows=[Row(NUMBER, (NUMBER, "6", "2026-03-02T09:06:00+00:00"))],
        actions={"block": "Это робот", "trust": "Это клиент"},
        summary="На проверке номеров: 1",
    )
    assert panel.act is not None
    panel.act(ctx, "block", NUMBER)
    assert panel.load(ctx).rows == []
    assert office.missed().reasons == ("номер заблокирован",)
    panel.act(ctx, "trust", NUMBER)
    office.missed()
    assert len(office.tasks) == 1


def test_silent_numbers_are_forgotten(office: Office) -> None:
    """After a month without calls a number leaves no trace, unless its task is still open."""
    office.missed(phone="+79161230001")
    office.memory.person.complete(office.tasks[0].ref)
    office.missed(phone="+79161230002")
    office.answered(phone="+79161230003")
    office.advance(days=31)
    office.answered(phone="+79161230004")
    outcome = run_job(call_tasks, "forget_silent_numbers", office.memory)
    store = office.memory.desk(call_tasks.name).store
    assert [key for key, _ in store.scan("conversations")] == ["+79161230002", "+79161230004"]
    assert outcome.reasons == ("забыто номеров: 2",)


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_its_words_in_both_languages(reason: Reason) -> None:
    """No reason is a code, and none is left untranslated."""
    decision = Decision(action=Action.KEEP, reason=reason, due=NOW, count=7)
    russian = Words("ru", "Europe/Moscow").reason(decision)
    english = Words("en", "Europe/Moscow").reason(decision)
    assert any("а" <= letter <= "я" for letter in russian)
    assert english.isascii()
    assert "{" not in russian + english
    assert ("12:00" in russian, "7" in russian) == ("12:00" in english, "7" in english)
