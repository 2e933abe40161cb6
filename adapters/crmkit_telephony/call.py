"""What all telephonies have in common: texts to numbers, moments and phones, and a finished call as a fact."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from crmkit.errors import BadPayload
from crmkit.events import CallFinished
from crmkit.identity import is_anonymous, parse_phone
from crmkit.models import Call, Phone
from crmkit.values import Kind, Ref
from crmkit.webhook import Fact

SHORTEST_CLIENT = 7
"""Fewer digits than this are an employee's internal number."""

LONGEST_S = 7 * 24 * 3600
"""No call lasts longer; a larger number is another field, or milliseconds."""

_MILLISECONDS_FROM = 100_000_000_000


def call_ref(account: str, provider: str, call_id: str) -> Ref:
    """The address of a call that a telephony told us about: its id begins with the provider's name."""
    return Ref(account, Kind.CALL, f"{provider}:{call_id}")


def finished(call: Call, *, received_at: datetime) -> Fact:
    """The fact that a call has ended; the same call always gives the same key.

    Ordered with other calls of the same number; a call without one is alone in its lane. A call without a beginning
    ended when it was received.
    """
    number = call.phone.e164 if call.phone else None
    lasted = timedelta(seconds=call.wait_s + call.talk_s)
    ended_at = call.started_at + lasted if call.started_at else received_at
    event = CallFinished(ref=call.ref, occurred_at=ended_at, call=call)
    body = event.model_dump(mode="json", exclude={"delivery_id", "actor_id", "cause", "raw"})
    return Fact(
        key=f"{call.ref.id}:finished",
        event=CallFinished.__name__,
        body=body,
        lane=f"phone:{number}" if number else f"call:{call.ref.id}",
        at=ended_at,
    )


def client_phone(texts: Iterable[str], country: str) -> Phone | None:
    """The client's phone: the first text that is a number, else the first that says anything; None when hidden.

    A text that is no number keeps `e164` empty: an internal number, or digits that could mean two numbers.
    """
    said = [text for text in texts if not is_anonymous(text)]
    for text in said:
        number = parse_phone(text, country=country)
        if number is not None:
            return Phone(raw=text, e164=number.e164)
    return Phone(raw=said[0]) if said else None


def is_internal(phone: Phone | None) -> bool:
    """The text is an employee's internal number or login, not a client's."""
    return phone is not None and phone.e164 is None and sum(map(str.isdecimal, phone.raw)) < SHORTEST_CLIENT


def seconds(text: str, name: str) -> int:
    """A length as whole seconds; `92`, `92.4` and `00:01:32` are read.

    Raises BadPayload naming the field.
    """
    parts = text.split(":")
    try:
        values = [float(part) for part in parts]
        total = sum(value * 60**place for place, value in enumerate(reversed(values)))
        if len(parts) > 3 or not 0 <= total <= LONGEST_S:
            raise ValueError(text)
        return int(total)
    except (ValueError, OverflowError) as error:
        raise BadPayload(
            f"field {name} holds {text[:40]!r}, which is no length in seconds",
            remedy="Check the field mapping of the telephony.",
        ) from error


def moment(text: str, *, time_format: str, timezone: str, name: str) -> datetime:
    """A moment as aware UTC: written in `time_format`, in ISO 8601, or as Unix seconds or milliseconds.

    A time without a zone is one of `timezone`; of a time that clocks repeat, the first is meant.
    Raises BadPayload naming the field and the setting.
    """
    try:
        if text.isdecimal() and len(text) >= 9:
            stamp = int(text)
            return datetime.fromtimestamp(stamp / 1000 if stamp >= _MILLISECONDS_FROM else stamp, UTC)
        found = _read(text, time_format)
        zoned = found.replace(tzinfo=ZoneInfo(timezone)) if found.tzinfo is None else found
        return zoned.astimezone(UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise BadPayload(
            f"field {name} holds {text[:40]!r}, which is no time of the form {time_format}",
            remedy="Set time_format of the source to the date format chosen in the telephony.",
        ) from error


def _read(text: str, time_format: str) -> datetime:
    try:
        return datetime.strptime(text, time_format)  # noqa: DTZ007 -- the zone is the account's, `moment` adds it
    except ValueError:
        return datetime.fromisoformat(text)
