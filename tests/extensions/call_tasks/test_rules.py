"""Which calls deserve a task: each rule, its switch, and what holds for all calls."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from crmkit.models import Call, CallStatus, Direction, Phone
from crmkit.values import Kind, Ref
from crmkit.worktime import WorkCalendar
from crmkit_call_tasks.conversation import Action, Decision, Heard, OpenTask, Reason, Sound
from crmkit_call_tasks.rules import Facts, after_silence, decide, is_listed, screen, sound_of
from crmkit_call_tasks.settings import CallTaskSettings

MONDAY = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)  # noon in Moscow
NIGHT = datetime(2026, 5, 8, 20, 0, tzinfo=UTC)  # Friday, 23:00 in Moscow
MONDAY_MORNING = datetime(2026, 5, 11, 6, 0, tzinfo=UTC)
OFFICE = WorkCalendar()
FACTS = Facts(now=MONDAY, calendar=OFFICE)
SETTINGS = CallTaskSettings()
NUMBER = "+79161230001"
HALF_AN_HOUR = MONDAY + timedelta(minutes=30)


def call(
    status: CallStatus = CallStatus.MISSED,
    *,
    direction: Direction = Direction.IN,
    talk_s: int = 0,
    wait_s: int = 20,
    phone: str | None = NUMBER,
    id_: str = "ringostat:1",
    at: datetime = MONDAY,
    provider: str = "ringostat",
    **more: Any,
) -> Call:
    number = None if phone is None else Phone(raw=phone, e164=phone if phone.startswith("+") else None)
    return Call(
        ref=Ref("acme", Kind.CALL, id_), provider=provider, direction=direction, status=status, phone=number,
        started_at=at, talk_s=talk_s, wait_s=wait_s, **more,
    )  # fmt: skip


def answered(talk_s: int, **more: Any) -> Call:
    return call(CallStatus.ANSWERED, talk_s=talk_s, **more)


def heard(sound: Sound, minutes: float, *, id_: str = "ringostat:0", **more: Any) -> Heard:
    """A call that began so many minutes after this one; before it when negative."""
    return Heard(id=id_, provider="ringostat", at=MONDAY + timedelta(minutes=minutes), sound=sound, **more)


def open_task(count: int = 1, attempts: int = 0, at: datetime = MONDAY - timedelta(hours=1)) -> OpenTask:
    return OpenTask(ref=Ref("acme", Kind.TASK, "7"), count=count, attempts=attempts, last_call_at=at)


def verdict(decision: Decision) -> tuple[Action, Reason]:
    return decision.action, decision.reason


def test_a_missed_call_is_called_back_within_working_time() -> None:
    """A missed call in office hours: a task in half an hour, the call kept, the caller made a contact."""
    assert decide(call(), FACTS, SETTINGS) == Decision(
        action=Action.CALL_BACK,
        reason=Reason.MISSED,
        due=HALF_AN_HOUR,
        count=1,
        keeps_call=True,
        makes_contact=True,
    )


@pytest.mark.parametrize("status", [CallStatus.MISSED, CallStatus.BUSY, CallStatus.VOICEMAIL, CallStatus.CANCELLED])
@pytest.mark.parametrize("direction", [Direction.IN, Direction.CALLBACK])
def test_every_way_of_not_talking_to_a_caller_is_missed(status: CallStatus, direction: Direction) -> None:
    """Busy, voicemail, given up while ringing: for the business all of them are missed."""
    assert verdict(decide(call(status, direction=direction), FACTS, SETTINGS)) == (Action.CALL_BACK, Reason.MISSED)


def test_a_source_that_tells_no_outcome() -> None:
    """Without an outcome the talk decides."""
    assert decide(call(CallStatus.UNKNOWN), FACTS, SETTINGS).action is Action.CALL_BACK
    assert decide(call(CallStatus.UNKNOWN, talk_s=60), FACTS, SETTINGS).reason is Reason.ANSWERED_NO_DEAL


# Rule 1: internal calls.


@pytest.mark.parametrize("given_call", [call(direction=Direction.INTERNAL), call(phone="204"), call(phone="доб. 17")])
def test_internal_calls_are_dropped(given_call: Call) -> None:
    """An extension is no client."""
    assert decide(given_call, FACTS, SETTINGS) == Decision(action=Action.DROP, reason=Reason.INTERNAL)


# Rule 2: own numbers, blacklist.


def test_own_lines_are_dropped() -> None:
    """Numbers of the settings, in any spelling, and toll-free numbers: a company's line is never a person."""
    settings = CallTaskSettings(own_numbers=("8 (916) 123-00-01",))
    assert decide(call(), FACTS, settings) == Decision(action=Action.DROP, reason=Reason.OWN_NUMBER)
    assert decide(call(phone="+78001234567"), FACTS, SETTINGS).reason is Reason.OWN_NUMBER


@pytest.mark.parametrize("pattern", [NUMBER, "89161230001", "9161230001", "+7916*", "8 916 123*", "7916*"])
def test_the_blacklist_knows_numbers_and_beginnings(pattern: str) -> None:
    """A whole number in any spelling, or its beginning with a star."""
    settings = CallTaskSettings(blacklist=(pattern,))
    assert decide(call(), FACTS, settings) == Decision(action=Action.DROP, reason=Reason.BLACKLISTED)


@pytest.mark.parametrize("pattern", ["+7917*", "9161230002", "+7916123000", "123*"])
def test_the_blacklist_does_not_guess(pattern: str) -> None:
    """A beginning without its star, or digits from the middle, are another number."""
    assert decide(call(), FACTS, CallTaskSettings(blacklist=(pattern,))).action is Action.CALL_BACK


@pytest.mark.parametrize("pattern", ["*", "", "+", "79*61", "всех"])
def test_a_pattern_that_would_drop_everybody_is_refused(pattern: str) -> None:
    """A star alone is a slip."""
    with pytest.raises(ValidationError, match="neither a number nor the beginning"):
        CallTaskSettings(blacklist=(pattern,))


def test_a_number_that_a_person_has_blocked() -> None:
    """The list of robots counts as much as the settings, and so does the telephony's own."""
    assert decide(call(), replace(FACTS, is_blocked=True), SETTINGS).reason is Reason.BLOCKED
    assert decide(call(CallStatus.BLOCKED), FACTS, SETTINGS).reason is Reason.BLOCKED


def test_numbers_of_other_countries_are_listed_as_written() -> None:
    """The trunk prefix 8 belongs to +7 alone."""
    kyiv = call(phone="+380501230001")
    assert decide(kyiv, FACTS, CallTaskSettings(blacklist=("+38050*",))).reason is Reason.BLACKLISTED
    assert decide(kyiv, FACTS, CallTaskSettings(blacklist=("880*",))).action is Action.CALL_BACK


def test_nobody_is_on_no_list() -> None:
    """A hidden number fits no pattern."""
    assert is_listed(None, ("+7*",), "RU") is False


# Rule 3: hidden numbers.


def test_hidden_numbers_have_nobody_to_call_back() -> None:
    """No contact, no log, no task: only the reason is kept."""
    assert decide(call(phone=None), FACTS, SETTINGS) == Decision(action=Action.KEEP, reason=Reason.ANONYMOUS)


def test_hidden_numbers_make_a_task_when_the_settings_say_so() -> None:
    """Only missed ones do."""
    settings = CallTaskSettings(anonymous_tasks=True)
    assert decide(call(phone=None), FACTS, settings) == Decision(
        action=Action.CALL_BACK, reason=Reason.ANONYMOUS_MISSED, due=HALF_AN_HOUR, count=1
    )
    assert decide(answered(60, phone=None), FACTS, settings).action is Action.KEEP
    assert decide(call(phone=None, direction=Direction.OUT), FACTS, settings).action is Action.KEEP


def test_a_call_on_a_card_is_not_anonymous() -> None:
    """The CRM knows who called although the call has no number."""
    on_card = call(phone=None, contact=Ref("acme", Kind.CONTACT, "5"))
    assert decide(on_card, replace(FACTS, is_known=True), SETTINGS).action is Action.CALL_BACK


# Rules 4 and 5: accidental and short calls.


@pytest.mark.parametrize("talk_s", [1, 2, 3])
def test_three_seconds_of_talk_are_an_accident(talk_s: int) -> None:
    """Nobody says anything in three seconds."""
    assert decide(answered(talk_s), replace(FACTS, is_known=True), SETTINGS) == Decision(
        action=Action.DROP, reason=Reason.ACCIDENTAL, count=talk_s
    )


def test_a_talk_that_broke_off_waits_for_the_next_call() -> None:
    """Four seconds: the client gets ten minutes to call again."""
    assert decide(answered(4), FACTS, SETTINGS) == Decision(
        action=Action.WAIT, reason=Reason.SHORT_WAITS, due=MONDAY + timedelta(minutes=10), count=4
    )


def test_short_calls_can_be_dropped() -> None:
    """Without a time to wait a short call leads to nothing."""
    settings = CallTaskSettings(short_wait=timedelta(0))
    assert decide(answered(4), FACTS, settings) == Decision(action=Action.DROP, reason=Reason.SHORT, count=4)


@pytest.mark.parametrize("wait_s", [1, 3])
def test_a_ring_of_three_seconds_is_an_accident(wait_s: int) -> None:
    """A stranger who rang so shortly touched the wrong name; a client is called back."""
    assert decide(call(wait_s=wait_s), FACTS, SETTINGS) == Decision(
        action=Action.DROP, reason=Reason.ACCIDENTAL, count=wait_s
    )
    assert decide(call(wait_s=wait_s), replace(FACTS, is_known=True), SETTINGS).action is Action.CALL_BACK


@pytest.mark.parametrize(
    "given_call",
    [call(wait_s=4), call(wait_s=0), call(CallStatus.BUSY, wait_s=2), call(CallStatus.FAILED, wait_s=1)],
)
def test_what_is_short_for_other_reasons_is_no_accident(given_call: Call) -> None:
    """Four seconds, a length that nobody tells, a busy line, a fault of ours."""
    assert decide(given_call, FACTS, SETTINGS).action is Action.CALL_BACK


def test_the_rule_of_accidents_can_be_switched_off() -> None:
    """With no seconds at all every ring counts, and a short talk waits."""
    settings = CallTaskSettings(accidental_s=0)
    assert decide(call(wait_s=1), FACTS, settings).action is Action.CALL_BACK
    assert decide(answered(1), FACTS, settings).action is Action.WAIT


# Rule 4, after the wait.


@pytest.mark.parametrize(
    "after",
    [
        heard(Sound.MISSED, 5),
        heard(Sound.SHORT, 1),
        heard(Sound.MISSED, 0),
        heard(Sound.TALKED, 3, direction=Direction.OUT),
        heard(Sound.TALKED, 3),
    ],
)
def test_who_called_again_needs_no_task(after: Heard) -> None:
    """Any later call of the client, or a talk that we began, settles a short call."""
    facts = replace(FACTS, now=MONDAY + timedelta(minutes=10), history=[after])
    assert after_silence(answered(4), facts, SETTINGS) == Decision(action=Action.KEEP, reason=Reason.CALLED_AGAIN)


@pytest.mark.parametrize(
    "history",
    [
        [],
        [heard(Sound.TALKED, -30)],
        [heard(Sound.ATTEMPT, 4, direction=Direction.OUT)],
        [heard(Sound.SHORT, 0, id_="ringostat:1")],
        [heard(Sound.OTHER, 1)],
    ],
)
def test_who_did_not_call_again_is_called_back(history: list[Heard]) -> None:
    """Earlier calls, our own vain attempts, the call itself and what another source told of it settle nothing."""
    now = MONDAY + timedelta(minutes=10)
    assert after_silence(answered(4), replace(FACTS, now=now, history=history), SETTINGS) == Decision(
        action=Action.CALL_BACK,
        reason=Reason.SHORT_ALONE,
        due=now + timedelta(minutes=30),
        count=1,
        keeps_call=True,
        makes_contact=True,
    )


# Rule 6: several missed calls, one task.


def test_the_next_missed_call_raises_the_open_task() -> None:
    """The counter goes up and the time is counted from the last call."""
    assert decide(call(), replace(FACTS, open_task=open_task(count=2)), SETTINGS) == Decision(
        action=Action.RAISE,
        reason=Reason.MISSED_AGAIN,
        due=HALF_AN_HOUR,
        count=3,
        keeps_call=True,
        makes_contact=True,
    )


# Rule 7: conversations and attempts.


@pytest.mark.parametrize("direction", [Direction.IN, Direction.OUT, Direction.CALLBACK])
def test_a_conversation_closes_the_open_task(direction: Direction) -> None:
    """Ten seconds of talk settle the missed calls before, whoever called."""
    facts = replace(FACTS, open_task=open_task())
    assert decide(answered(10, direction=direction), facts, SETTINGS).closes_task
    assert not decide(answered(9, direction=direction), facts, SETTINGS).closes_task


def test_a_conversation_before_the_missed_call_settles_nothing() -> None:
    """News of calls may come late: the client has called again since."""
    facts = replace(FACTS, open_task=open_task(at=MONDAY + timedelta(minutes=1)))
    assert not decide(answered(60), facts, SETTINGS).closes_task


def test_a_missed_call_before_a_conversation_makes_no_task() -> None:
    """The other way round: somebody has talked to the client by the time we hear of it."""
    facts = replace(FACTS, now=MONDAY + timedelta(hours=1), history=[heard(Sound.TALKED, 20, talk_s=40)])
    assert decide(call(), facts, SETTINGS) == Decision(action=Action.KEEP, reason=Reason.TALKED_SINCE, keeps_call=True)


@pytest.mark.parametrize("earlier", [heard(Sound.TALKED, -20, talk_s=40), heard(Sound.TALKED, 20, talk_s=7)])
def test_other_conversations_do_not_settle_a_missed_call(earlier: Heard) -> None:
    """One before it, or a talk too short to settle anything."""
    assert decide(call(), replace(FACTS, history=[earlier]), SETTINGS).action is Action.CALL_BACK


@pytest.mark.parametrize(
    "given_call",
    [
        call(direction=Direction.OUT),
        call(CallStatus.BUSY, direction=Direction.OUT),
        call(CallStatus.FAILED, direction=Direction.OUT),
        call(CallStatus.CANCELLED, direction=Direction.OUT, wait_s=1),
        answered(3, direction=Direction.OUT),
    ],
)
def test_our_vain_calls_are_attempts(given_call: Call) -> None:
    """They are noted in the open task; without one there is nothing to do."""
    assert decide(given_call, replace(FACTS, open_task=open_task(attempts=1)), SETTINGS) == Decision(
        action=Action.ATTEMPT, reason=Reason.NOT_REACHED_AGAIN, count=2, keeps_call=True
    )
    assert decide(given_call, FACTS, SETTINGS) == Decision(
        action=Action.KEEP, reason=Reason.NOT_REACHED, keeps_call=True
    )


# Rule 8: robots.


def short_ones(count: int, **more: Any) -> list[Heard]:
    return [heard(Sound.SHORT, -5 * number - 1, id_=f"ringostat:s{number}", **more) for number in range(count)]


def test_many_short_calls_within_an_hour_are_a_robot() -> None:
    """The sixth short call of a stranger puts the number under review; nothing is made."""
    assert decide(call(wait_s=2), replace(FACTS, history=short_ones(5)), SETTINGS) == Decision(
        action=Action.REVIEW, reason=Reason.ROBOT, count=6
    )
    assert decide(call(wait_s=2), replace(FACTS, history=short_ones(4)), SETTINGS).reason is Reason.ACCIDENTAL


def test_a_robot_that_rings_longer_stays_a_robot() -> None:
    """After six short calls a long ring makes no task either, but a conversation counts."""
    facts = replace(FACTS, history=short_ones(6))
    assert decide(call(), facts, SETTINGS).reason is Reason.ROBOT
    assert decide(answered(60), facts, SETTINGS).reason is Reason.ANSWERED_NO_DEAL


@pytest.mark.parametrize(
    ("facts", "settings"),
    [
        (replace(FACTS, history=short_ones(9), is_known=True), SETTINGS),
        (replace(FACTS, history=short_ones(9)), CallTaskSettings(robot_calls=0)),
        (replace(FACTS, history=short_ones(9, direction=Direction.OUT)), SETTINGS),
        (replace(FACTS, history=[one.model_copy(update={"at": MONDAY - timedelta(hours=2)}) for one in short_ones(9)]),
         SETTINGS),
    ],
)  # fmt: skip
def test_who_is_no_robot(facts: Facts, settings: CallTaskSettings) -> None:
    """Known clients, our own calls, calls of another hour, or the rule switched off."""
    assert decide(call(), facts, settings).action is Action.CALL_BACK


# Rule 9 and 12: one call, one decision.


def test_a_call_is_decided_once() -> None:
    """The same call again leads to nothing."""
    facts = replace(FACTS, history=[heard(Sound.MISSED, 0, id_="ringostat:1")])
    assert decide(call(), facts, SETTINGS) == Decision(action=Action.DROP, reason=Reason.REPEATED)


def test_a_call_that_two_sources_tell_of_is_decided_once() -> None:
    """The telephony and the CRM's own log name one call differently: number, direction and time tell."""
    told = heard(Sound.MISSED, 1.5, id_="900")
    crm = call(id_="contacts.17", provider="amocrm")
    assert decide(crm, replace(FACTS, history=[told]), SETTINGS).reason is Reason.OTHER_SOURCE
    for other in (
        told.model_copy(update={"provider": "amocrm"}),
        told.model_copy(update={"direction": Direction.OUT}),
        told.model_copy(update={"talk_s": 50}),
        told.model_copy(update={"at": MONDAY + timedelta(minutes=3)}),
    ):
        assert decide(crm, replace(FACTS, history=[other]), SETTINGS).action is Action.CALL_BACK


def test_the_providers_own_mark_of_a_repeat_is_not_believed() -> None:
    """`repeated` of the sender changes nothing: our own history decides."""
    marked = call(tracking={"repeated": "1", "target": "0"})
    assert decide(marked, FACTS, SETTINGS) == decide(call(), FACTS, SETTINGS)


# Rule 10: out of hours.


def test_a_call_at_night_is_due_at_the_opening_of_the_next_working_day() -> None:
    """Friday 23:00 in Moscow becomes Monday 9:00 in Moscow."""
    decision = decide(call(at=NIGHT), replace(FACTS, now=NIGHT), SETTINGS)
    assert (verdict(decision), decision.due) == ((Action.CALL_BACK, Reason.MISSED_AT_NIGHT), MONDAY_MORNING)


def test_a_call_before_closing_is_due_after_the_next_opening() -> None:
    """Ten minutes today and twenty tomorrow are half an hour of working time."""
    now = datetime(2026, 5, 4, 14, 50, tzinfo=UTC)
    assert decide(call(at=now), replace(FACTS, now=now), SETTINGS).due == datetime(2026, 5, 5, 6, 20, tzinfo=UTC)


def test_a_call_at_night_raises_an_open_task_to_the_morning() -> None:
    """The counter and the opening go together."""
    decision = decide(call(at=NIGHT), replace(FACTS, now=NIGHT, open_task=open_task()), SETTINGS)
    assert (decision.action, decision.count, decision.due) == (Action.RAISE, 2, MONDAY_MORNING)


# Answered calls.


@pytest.mark.parametrize(
    ("answered_", "has_deal", "has_task", "reason"),
    [
        ("open_deal", True, False, Reason.NEXT_STEP),
        ("open_deal", True, True, Reason.ANSWERED_PLANNED),
        ("open_deal", False, False, Reason.ANSWERED_NO_DEAL),
        ("always", False, False, Reason.NEXT_STEP),
        ("always", True, True, Reason.ANSWERED_PLANNED),
        ("never", True, False, Reason.ANSWERED),
    ],
)
def test_when_a_conversation_asks_for_a_next_step(
    answered_: Any, has_deal: bool, has_task: bool, reason: Reason
) -> None:
    """By default: when the client has an open deal on which nothing is planned."""
    facts = replace(FACTS, has_open_deal=has_deal, has_other_task=has_task)
    decision = decide(answered(60), facts, CallTaskSettings(answered=answered_))
    asks = reason is Reason.NEXT_STEP
    assert decision == Decision(
        action=Action.NEXT_STEP if asks else Action.KEEP,
        reason=reason,
        due=MONDAY + timedelta(days=1) if asks else None,
        count=60,
        keeps_call=True,
        makes_contact=True,
    )


def test_whom_we_call_does_not_become_a_contact() -> None:
    """A number that an employee dials may be anybody's; who calls us is a client."""
    assert not decide(answered(60, direction=Direction.OUT), FACTS, SETTINGS).makes_contact
    assert not decide(answered(60), FACTS, CallTaskSettings(new_contacts="missed")).makes_contact
    assert not decide(call(), FACTS, CallTaskSettings(new_contacts="never")).makes_contact


# Late and failed calls.


def test_old_news_make_no_task() -> None:
    """A call of last week is past calling back."""
    facts = replace(FACTS, now=MONDAY + timedelta(days=4))
    assert decide(call(), facts, SETTINGS) == Decision(action=Action.KEEP, reason=Reason.STALE)
    assert decide(call(), facts, CallTaskSettings(stale_after=timedelta(days=9))).action is Action.CALL_BACK


def test_a_call_that_failed_technically_can_be_left_alone() -> None:
    """By default the client who could not get through is called back."""
    failed = call(CallStatus.FAILED)
    assert decide(failed, FACTS, SETTINGS).action is Action.CALL_BACK
    assert decide(failed, FACTS, CallTaskSettings(failed_is_missed=False)) == Decision(
        action=Action.KEEP, reason=Reason.FAILED
    )


def test_a_call_without_a_beginning_began_now() -> None:
    """Some logs tell no time."""
    assert decide(call().model_copy(update={"started_at": None}), FACTS, SETTINGS).due == HALF_AN_HOUR


# What holds for all calls.

CALLS = st.builds(
    call,
    st.sampled_from(CallStatus),
    direction=st.sampled_from(Direction),
    talk_s=st.integers(0, 30),
    wait_s=st.integers(0, 30),
    phone=st.sampled_from([NUMBER, "+78001234567", "204", "7 8 900 123 45 67", None]),
    at=st.integers(-200, 200).map(lambda hours: MONDAY + timedelta(hours=hours)),
)
PASTS = st.lists(
    st.builds(
        heard,
        st.sampled_from(Sound),
        st.floats(-90, 90),
        direction=st.sampled_from(Direction),
        talk_s=st.integers(0, 30),
    ),
    max_size=8,
)
ALL_FACTS = st.builds(
    Facts,
    now=st.integers(0, 200).map(lambda hours: MONDAY + timedelta(hours=hours)),
    calendar=st.just(OFFICE),
    country=st.just("RU"),
    is_known=st.booleans(),
    has_open_deal=st.booleans(),
    has_other_task=st.booleans(),
    open_task=st.none() | st.builds(open_task, st.integers(1, 5)),
    history=PASTS,
    is_blocked=st.booleans(),
)
ALL_SETTINGS = st.builds(
    CallTaskSettings,
    accidental_s=st.integers(0, 5),
    short_talk_s=st.integers(0, 8),
    robot_calls=st.integers(0, 3),
    answered=st.sampled_from(["never", "open_deal", "always"]),
    anonymous_tasks=st.booleans(),
    new_contacts=st.sampled_from(["never", "missed", "all"]),
)


@given(CALLS, ALL_FACTS, ALL_SETTINGS)
def test_what_holds_for_every_decision(given_call: Call, facts: Facts, settings: CallTaskSettings) -> None:
    """A task has a time when people work; junk makes nothing; a number never gets two call-back tasks."""
    decision = decide(given_call, facts, settings)
    assert decision == decide(given_call, facts, settings)
    if decision.action in (Action.CALL_BACK, Action.RAISE, Action.NEXT_STEP):
        assert decision.due is not None
        assert decision.due >= facts.now
        assert OFFICE.next_open(decision.due - timedelta(seconds=1)) <= decision.due
    if decision.action in (Action.DROP, Action.REVIEW, Action.WAIT):
        assert (decision.keeps_call, decision.makes_contact, decision.closes_task) == (False, False, False)
    if given_call.phone is not None and facts.open_task is not None:
        assert decision.action is not Action.CALL_BACK
    if decision.action is Action.RAISE and facts.open_task is not None:
        assert decision.count == facts.open_task.count + 1
    if decision.closes_task:
        assert given_call.talk_s >= settings.close_talk_s


@given(CALLS, ALL_FACTS, ALL_SETTINGS)
def test_what_is_screened_is_decided_so(given_call: Call, facts: Facts, settings: CallTaskSettings) -> None:
    """The early answer, before the CRM is asked, is the answer."""
    early = screen(given_call, facts, settings)
    assert early is None or early == decide(given_call, facts, settings)


@given(CALLS, ALL_SETTINGS)
def test_a_sound_is_a_talk_only_when_people_talked(given_call: Call, settings: CallTaskSettings) -> None:
    """What later calls are compared with is no better than the call was."""
    sound = sound_of(given_call, settings)
    assert (sound is Sound.TALKED) <= (given_call.talk_s >= settings.short_talk_s and given_call.talk_s > 0)
    assert (sound is Sound.ATTEMPT) <= (given_call.direction is Direction.OUT)
