"""Which calls deserve a task: pure decisions, one function a rule, in the order in which they are asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from crmkit.identity import is_toll_free, parse_phone
from crmkit.models import Call, CallStatus, Direction, Phone
from crmkit.worktime import WorkCalendar
from crmkit_call_tasks.conversation import Action, Decision, Heard, OpenTask, Reason, Sound, card_of
from crmkit_call_tasks.settings import CallTaskSettings

SHORTEST_CLIENT = 7
"""Fewer digits are an employee's internal number."""

SAME_CALL = timedelta(minutes=2)
"""Two sources tell of one call when their beginnings are nearer than this."""

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a decision needs beside the call.

    Args:
        now: the time of the run.
        calendar: working hours, in the account's zone.
        country: the account's, for numbers in settings.
        is_known: the CRM had the client before this call.
        has_open_deal: the client has an open deal.
        has_other_task: something is planned on the client's card, beside our call-back task.
        open_task: our call-back task for the number, when it is still open.
        history: the calls with the number so far, in any order.
        is_blocked: a person has put the number on the list of robots.
    """

    now: datetime
    calendar: WorkCalendar
    country: str = "RU"
    is_known: bool = False
    has_open_deal: bool = False
    has_other_task: bool = False
    open_task: OpenTask | None = None
    history: Sequence[Heard] = ()
    is_blocked: bool = False


def decide(call: Call, facts: Facts, settings: CallTaskSettings) -> Decision:
    """What is to be done about a finished call: the first rule that has an opinion."""
    found = screen(call, facts, settings) or _robot(call, facts, settings)
    if found is not None:
        return found
    if _is_conversation(call, settings) or (_is_answered(call) and call.direction is not Direction.OUT):
        return _answered(call, facts, settings)
    return _not_reached(facts) if call.direction is Direction.OUT else _missed(call, facts, settings)


def screen(call: Call, facts: Facts, settings: CallTaskSettings) -> Decision | None:
    """What can be decided without asking the CRM: repeats, internal and unwanted numbers, hidden ones."""
    reason = (
        _repeated(call, facts) or _internal(call) or _own(call, facts, settings) or _unwanted(call, facts, settings)
    )
    if reason is not None:
        return Decision(action=Action.DROP, reason=reason)
    return _anonymous(call, facts, settings)


def after_silence(call: Call, facts: Facts, settings: CallTaskSettings) -> Decision:
    """What is to be done about a short call once the client has had the time to call again."""
    began = _began(call, facts)
    later = [one for one in facts.history if one.at >= began and one.id != call.ref.id and one.sound is not Sound.OTHER]
    if any(one.direction is not Direction.OUT or _is_talk(one) for one in later):
        return Decision(action=Action.KEEP, reason=Reason.CALLED_AGAIN)
    return _call_back(Reason.SHORT_ALONE, facts, settings)


def sound_of(call: Call, settings: CallTaskSettings) -> Sound:
    """What the call was, for the calls after it."""
    if call.direction is Direction.INTERNAL:
        return Sound.OTHER
    if _is_conversation(call, settings):
        return Sound.TALKED
    if call.direction is Direction.OUT:
        return Sound.ATTEMPT
    return Sound.SHORT if _is_answered(call) or _is_accidental(call, settings) else Sound.MISSED


def is_listed(phone: Phone | None, patterns: Sequence[str], country: str) -> bool:
    """One of the patterns is this number or the beginning of it, in whatever spelling."""
    if phone is None:
        return False
    spellings = {"".join(filter(str.isdecimal, phone.raw))}
    if phone.e164:
        spellings.add(phone.e164.lstrip("+"))
        if phone.e164.startswith("+7"):
            spellings.add(f"8{phone.e164[2:]}")
    return any(_fits(pattern, spellings, country) for pattern in patterns)


def due_from(facts: Facts, working: timedelta) -> datetime:
    """`working` time from now when people work, else the next opening."""
    if facts.calendar.is_open(facts.now):
        return facts.calendar.add(facts.now, working)
    return facts.calendar.next_open(facts.now)


def _fits(pattern: str, spellings: set[str], country: str) -> bool:
    digits = "".join(filter(str.isdecimal, pattern))
    if pattern.endswith("*"):
        return any(spelling.startswith(digits) for spelling in spellings)
    number = parse_phone(pattern, country=country)
    return digits in spellings or (number is not None and number.e164.lstrip("+") in spellings)


def _repeated(call: Call, facts: Facts) -> Reason | None:
    if any(one.id == call.ref.id for one in facts.history):
        return Reason.REPEATED
    began = _began(call, facts)
    is_told = any(
        one.provider != call.provider
        and one.direction == call.direction
        and (one.talk_s > 0) == (call.talk_s > 0)
        and abs(one.at - began) < SAME_CALL
        for one in facts.history
    )
    return Reason.OTHER_SOURCE if is_told else None


def _internal(call: Call) -> Reason | None:
    if call.direction is Direction.INTERNAL:
        return Reason.INTERNAL
    raw = call.phone.raw if call.phone is not None and call.phone.e164 is None else ""
    return Reason.INTERNAL if 0 < sum(map(str.isdecimal, raw)) < SHORTEST_CLIENT else None


def _own(call: Call, facts: Facts, settings: CallTaskSettings) -> Reason | None:
    number = call.phone.e164 if call.phone else None
    is_line = number is not None and is_toll_free(number, country=facts.country)
    return Reason.OWN_NUMBER if is_line or is_listed(call.phone, settings.own_numbers, facts.country) else None


def _unwanted(call: Call, facts: Facts, settings: CallTaskSettings) -> Reason | None:
    if is_listed(call.phone, settings.blacklist, facts.country):
        return Reason.BLACKLISTED
    return Reason.BLOCKED if facts.is_blocked or call.status is CallStatus.BLOCKED else None


def _anonymous(call: Call, facts: Facts, settings: CallTaskSettings) -> Decision | None:
    if call.phone is not None or card_of(call) is not None:
        return None
    if settings.anonymous_tasks and call.direction is not Direction.OUT and not _is_answered(call):
        return Decision(
            action=Action.CALL_BACK, reason=Reason.ANONYMOUS_MISSED, due=due_from(facts, settings.due_in), count=1
        )
    return Decision(action=Action.KEEP, reason=Reason.ANONYMOUS)


def _robot(call: Call, facts: Facts, settings: CallTaskSettings) -> Decision | None:
    """A client whose line breaks off again and again is no robot: only unknown numbers are."""
    sound = sound_of(call, settings)
    if not settings.robot_calls or facts.is_known or call.direction is Direction.OUT or sound is Sound.TALKED:
        return None
    began = _began(call, facts)
    earlier = sum(
        one.sound is Sound.SHORT and one.direction is not Direction.OUT and abs(one.at - began) < HOUR
        for one in facts.history
    )
    count = earlier + (sound is Sound.SHORT)
    return Decision(action=Action.REVIEW, reason=Reason.ROBOT, count=count) if count > settings.robot_calls else None


def _answered(call: Call, facts: Facts, settings: CallTaskSettings) -> Decision:
    if not _is_conversation(call, settings):
        return _short(call, facts, settings)
    closes = _settles(call, facts, settings)
    if settings.answered == "never":
        reason = Reason.ANSWERED
    elif facts.has_other_task:
        reason = Reason.ANSWERED_PLANNED
    elif settings.answered == "open_deal" and not facts.has_open_deal:
        reason = Reason.ANSWERED_NO_DEAL
    else:
        reason = Reason.NEXT_STEP
    asks = reason is Reason.NEXT_STEP
    return Decision(
        action=Action.NEXT_STEP if asks else Action.KEEP,
        reason=reason,
        due=facts.calendar.next_open(facts.now + settings.next_step_in) if asks else None,
        count=call.talk_s,
        closes_task=closes,
        keeps_call=True,
        makes_contact=settings.new_contacts == "all" and call.direction is not Direction.OUT,
    )


def _short(call: Call, facts: Facts, settings: CallTaskSettings) -> Decision:
    if _is_accidental(call, settings):
        return Decision(action=Action.DROP, reason=Reason.ACCIDENTAL, count=call.talk_s)
    if not settings.short_wait:
        return Decision(action=Action.DROP, reason=Reason.SHORT, count=call.talk_s)
    return Decision(
        action=Action.WAIT, reason=Reason.SHORT_WAITS, due=facts.now + settings.short_wait, count=call.talk_s
    )


def _settles(call: Call, facts: Facts, settings: CallTaskSettings) -> bool:
    """A conversation settles the missed calls before it, not those after it: news of calls may come late."""
    task = facts.open_task
    return task is not None and call.talk_s >= settings.close_talk_s and _began(call, facts) >= task.last_call_at


def _not_reached(facts: Facts) -> Decision:
    if facts.open_task is not None:
        attempts = facts.open_task.attempts + 1
        return Decision(action=Action.ATTEMPT, reason=Reason.NOT_REACHED_AGAIN, count=attempts, keeps_call=True)
    return Decision(action=Action.KEEP, reason=Reason.NOT_REACHED, keeps_call=True)


def _missed(call: Call, facts: Facts, settings: CallTaskSettings) -> Decision:
    began = _began(call, facts)
    if call.status is CallStatus.FAILED and not settings.failed_is_missed:
        return Decision(action=Action.KEEP, reason=Reason.FAILED, keeps_call=facts.is_known)
    if facts.now - began > settings.stale_after:
        return Decision(action=Action.KEEP, reason=Reason.STALE, keeps_call=facts.is_known)
    if any(_is_talk(one) and one.at >= began and one.talk_s >= settings.close_talk_s for one in facts.history):
        return Decision(action=Action.KEEP, reason=Reason.TALKED_SINCE, keeps_call=True)
    if _is_accidental(call, settings) and not facts.is_known:
        return Decision(action=Action.DROP, reason=Reason.ACCIDENTAL, count=call.wait_s)
    is_open = facts.calendar.is_open(facts.now)
    return _call_back(Reason.MISSED if is_open else Reason.MISSED_AT_NIGHT, facts, settings)


def _call_back(reason: Reason, facts: Facts, settings: CallTaskSettings) -> Decision:
    """One task a number: the next missed call raises its counter and moves its time."""
    again = facts.open_task
    return Decision(
        action=Action.RAISE if again else Action.CALL_BACK,
        reason=Reason.MISSED_AGAIN if again else reason,
        due=due_from(facts, settings.due_in),
        count=again.count + 1 if again else 1,
        keeps_call=True,
        makes_contact=settings.new_contacts != "never",
    )


def _is_answered(call: Call) -> bool:
    return call.talk_s > 0 and call.status in (CallStatus.ANSWERED, CallStatus.UNKNOWN)


def _is_conversation(call: Call, settings: CallTaskSettings) -> bool:
    return _is_answered(call) and call.talk_s >= settings.short_talk_s and call.talk_s > settings.accidental_s


def _is_accidental(call: Call, settings: CallTaskSettings) -> bool:
    """Somebody touched the wrong name: too short for a ring, or for a word. A line that was busy is short for us."""
    if _is_answered(call):
        return call.talk_s <= settings.accidental_s
    is_given_up = call.status not in (CallStatus.BUSY, CallStatus.FAILED)
    # A length of 0 is a source that does not tell it.
    return is_given_up and 0 < call.wait_s <= settings.accidental_s


def _is_talk(one: Heard) -> bool:
    return one.sound is Sound.TALKED


def _began(call: Call, facts: Facts) -> datetime:
    return call.started_at or facts.now
