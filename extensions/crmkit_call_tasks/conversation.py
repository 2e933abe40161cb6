"""What is known of the calls with one number: kept as a document, so that it outlives restarts and repeated runs."""

from __future__ import annotations

import enum
from datetime import timedelta

from pydantic import AwareDatetime, BaseModel, ConfigDict

from crmkit.models import Call, Direction
from crmkit.storage import Store
from crmkit.values import Ref

COLLECTION = "conversations"
KEPT = 40
"""Calls remembered of one number, newest first to stay."""

KEPT_FOR = timedelta(days=7)


class Sound(enum.StrEnum):
    """What a call was, for the calls after it."""

    TALKED = "talked"
    SHORT = "short"
    MISSED = "missed"
    ATTEMPT = "attempt"
    OTHER = "other"


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Heard(_Document):
    """One call that was dealt with, and what was decided about it."""

    id: str
    provider: str = ""
    at: AwareDatetime
    direction: Direction = Direction.IN
    sound: Sound = Sound.OTHER
    talk_s: int = 0
    reasons: tuple[str, ...] = ()
    is_skipped: bool = False


class OpenTask(_Document):
    """The call-back task of a number: one, however often the client calls.

    `count` is the missed calls it stands for, `attempts` our calls that nobody took. `written` is the text we gave it.
    """

    ref: Ref
    about: Ref | None = None
    count: int = 1
    attempts: int = 0
    last_call_at: AwareDatetime
    headline: str = ""
    written: str = ""


class Action(enum.StrEnum):
    """What a call leads to."""

    DROP = "drop"
    KEEP = "keep"
    REVIEW = "review"
    WAIT = "wait"
    CALL_BACK = "call_back"
    RAISE = "raise"
    ATTEMPT = "attempt"
    NEXT_STEP = "next_step"


class Reason(enum.StrEnum):
    """Why; each has its words in `texts`."""

    REPEATED = "repeated"
    OTHER_SOURCE = "other_source"
    INTERNAL = "internal"
    OWN_NUMBER = "own_number"
    BLACKLISTED = "blacklisted"
    BLOCKED = "blocked"
    ANONYMOUS = "anonymous"
    ANONYMOUS_MISSED = "anonymous_missed"
    ROBOT = "robot"
    ACCIDENTAL = "accidental"
    SHORT = "short"
    SHORT_WAITS = "short_waits"
    SHORT_ALONE = "short_alone"
    CALLED_AGAIN = "called_again"
    ANSWERED = "answered"
    ANSWERED_PLANNED = "answered_planned"
    ANSWERED_NO_DEAL = "answered_no_deal"
    NEXT_STEP = "next_step"
    NOT_REACHED = "not_reached"
    NOT_REACHED_AGAIN = "not_reached_again"
    FAILED = "failed"
    STALE = "stale"
    TALKED_SINCE = "talked_since"
    MISSED = "missed"
    MISSED_AT_NIGHT = "missed_at_night"
    MISSED_AGAIN = "missed_again"


class Decision(_Document):
    """What is to be done about one call, and why.

    Args:
        due: when the task is to be done, or until when a short call waits for the next.
        count: missed calls the task stands for, short calls within the hour under review, or seconds of talk.
        closes_task: the conversation settles the number's open call-back task.
        keeps_call: the call belongs into the CRM's log.
        makes_contact: an unknown caller becomes a contact.
    """

    action: Action
    reason: Reason
    due: AwareDatetime | None = None
    count: int = 0
    closes_task: bool = False
    keeps_call: bool = False
    makes_contact: bool = False


class Plan(_Document):
    """A decision with the people and records it concerns, written down before anything is done.

    A run that is repeated after a crash carries out the same plan: its time, owner and counter do not move.

    Args:
        began: when the call began.
        name: what people call the client.
        task_text: the open task's text as it was, with what people have added.
        remarks: what is to be said beside the decision's own reason.
    """

    call_id: str
    decision: Decision
    began: AwareDatetime
    contact: Ref | None = None
    company: Ref | None = None
    deal: Ref | None = None
    name: str = ""
    owner_id: str | None = None
    task_text: str = ""
    remarks: tuple[str, ...] = ()

    @property
    def card(self) -> Ref | None:
        """The record on whose card people work: the deal, else the person, else the company."""
        return self.deal or self.contact or self.company


class Conversation(_Document):
    """All we remember of one number."""

    key: str
    contact: Ref | None = None
    contacts_made: int = 0
    task: OpenTask | None = None
    plan: Plan | None = None
    waiting: Call | None = None
    heard: tuple[Heard, ...] = ()
    dropped: int = 0

    def past(self, call_id: str) -> Heard | None:
        """The call as it was dealt with before, None for a new one."""
        return next((heard for heard in self.heard if heard.id == call_id), None)

    def hears(self, heard: Heard, *, is_dropped: bool) -> Conversation:
        """This conversation with one call more and the plan carried out; what is too old is forgotten."""
        newest = max(one.at for one in (*self.heard, heard))
        fresh = [one for one in self.heard if one.id != heard.id and newest - one.at <= KEPT_FOR]
        new = self.past(heard.id) is None
        return self.model_copy(
            update={
                "heard": (*fresh[-(KEPT - 1) :], heard),
                "plan": None,
                "dropped": self.dropped + int(is_dropped and new),
            }
        )


def key_of(call: Call) -> str:
    """Whose conversation a call belongs to: the number, else the card it hangs on, else nobody's but its own."""
    if call.phone is not None and call.phone.e164 is not None:
        return call.phone.e164
    card = card_of(call)
    if card is not None:
        return f"{card.kind.value}:{card.id}"
    digits = "".join(filter(str.isdecimal, call.phone.raw)) if call.phone else ""
    return f"number:{digits}" if digits else f"call:{call.ref.id}"


def card_of(call: Call) -> Ref | None:
    """The record on which the CRM itself has put the call; None for calls of an outside telephony."""
    return call.contact or call.deal or call.company


def load(store: Store, key: str) -> Conversation:
    """The conversation with a number; an empty one when there was none."""
    document = store.get(COLLECTION, key)
    return Conversation.model_validate(document) if document is not None else Conversation(key=key)


def save(store: Store, conversation: Conversation) -> None:
    """Keep the conversation."""
    store.put(COLLECTION, conversation.key, conversation.model_dump(mode="json", exclude_defaults=True))
