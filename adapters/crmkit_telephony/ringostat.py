"""Ringostat: webhooks whose body the operator has put together, and the list of calls behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from pydantic import Field, SecretStr, field_validator

from crmkit.clock import Clock, SystemClock
from crmkit.errors import BadPayload, Unsupported
from crmkit.http import Limiter, LocalLimiter
from crmkit.models import Call, CallStatus, Direction, Employee, Phone, Recording
from crmkit.source import SourceSettings
from crmkit.webhook import Fact, WebhookReply, WebhookRequest
from crmkit_telephony.call import call_ref, client_phone, finished, is_internal, moment, seconds
from crmkit_telephony.payload import Fields, fold, read_fields
from crmkit_telephony.ringostat_list import CallList
from crmkit_telephony.secret import check_secret

NAME = "ringostat"

FIELDS = (
    "uniqueid", "call_type", "calldate", "caller", "caller_number", "E164", "dst", "n_alias", "pool_name",
    "department", "disposition", "duration", "waittime", "billsec", "connected_with", "employee_number",
    "employee_fio", "proper_flag", "repeated_flag", "call_counter", "utm_source", "utm_medium", "utm_campaign",
    "utm_content", "utm_term", "client_id", "refferrer", "landing", "has_recording", "recording", "call_card",
)  # fmt: skip
"""The vendor's own names of the fields that are read; `refferrer` is spelled so.

Source: Ringostat help, articles 6313229 (webhooks) and 6475030 (API)."""

SECRET_NAMES = ("token", "Auth-Key")
NESTED = ("additional_call_data",)
"""Webhooks 2.0 put a part of the fields into this object."""

_DIRECTIONS: Mapping[str, Direction] = {
    "in": Direction.IN,
    "out": Direction.OUT,
    "callback": Direction.CALLBACK,
    "internal": Direction.INTERNAL,
}
_UNANSWERED: Mapping[str, CallStatus] = {"BUSY": CallStatus.BUSY, "FAILED": CallStatus.FAILED}
_TRACKING: Mapping[str, str] = {
    **{name: name for name in ("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term", "client_id")},
    "refferrer": "referrer",
    "landing": "landing",
    "pool_name": "pool",
    "n_alias": "line_name",
    "department": "department",
    "proper_flag": "target",
    "repeated_flag": "repeated",
    "call_card": "card",
}


class RingostatSettings(SourceSettings):
    """What an operator may set of Ringostat.

    Args:
        fields: vendor's field name to the name it was given in the webhook's settings, for those that were renamed.
        time_format: the date format chosen there, as `strptime` reads it.
        api_key: key of the API, for calls whose webhook was lost; `CRMKIT_<ACCOUNT>_RINGOSTAT_API_KEY`.
        api_url: address of the API.
    """

    fields: Mapping[str, str] = Field(default_factory=dict)
    time_format: str = "%Y-%m-%d %H:%M:%S"
    api_key: SecretStr | None = None
    api_url: str = "https://api.ringostat.net"

    @field_validator("fields")
    @classmethod
    def _are_known(cls, fields: Mapping[str, str]) -> Mapping[str, str]:
        unknown = sorted(set(fields) - set(FIELDS))
        if unknown:
            raise ValueError(f"{', '.join(unknown)}: no fields of Ringostat; it has {', '.join(FIELDS)}")
        return fields


class Ringostat:
    """The source `ringostat`. One call, one fact: phases before the end of a call are read and leave nothing.

    Args:
        clock: the time up to which `fetch` reads.
        limiter: budget of the API's requests.
    """

    name = NAME
    settings_type: type[SourceSettings] = RingostatSettings

    def __init__(self, clock: Clock | None = None, limiter: Limiter | None = None) -> None:
        self._clock = clock or SystemClock()
        self._limiter = limiter or LocalLimiter()

    def verify(self, request: WebhookRequest, settings: SourceSettings) -> None:
        """Compare the static secret, when the settings have one. Raises WebhookRejected."""
        check_secret(
            request, settings.secret, names=SECRET_NAMES, provider=NAME, account=settings.account, nested=NESTED
        )

    def parse(self, request: WebhookRequest, settings: SourceSettings) -> Sequence[Fact]:
        """The finished call of a delivery; nothing for other phases and for an empty probe.

        A delivery is about a finished call when it tells how the call ended. Raises BadPayload.
        """
        own = _own(settings)
        names = {name: fold(own.fields.get(name, name)) for name in FIELDS}
        sent = read_fields(request, nested=NESTED, header_names=names.values())
        fields = {name: sent[folded] for name, folded in names.items() if sent.get(folded)}
        if not (fields.get("disposition") or (fields.get("billsec") and names["disposition"] not in sent)):
            return ()
        return (finished(_call(fields, own, request.received_at), received_at=request.received_at),)

    def reply(self, request: WebhookRequest, settings: SourceSettings) -> WebhookReply:
        """200; any other status is an error to Ringostat, and nothing is sent a second time."""
        return WebhookReply()

    def fetch(self, settings: SourceSettings, since: datetime) -> Sequence[Fact]:
        """Calls that began at or after `since`, oldest first; the same keys as the webhooks give.

        One request a day of calls, more where a day has over 6,500. Raises Unsupported without an `api_key`.
        """
        own = _own(settings)
        if own.api_key is None:
            raise Unsupported(
                "Ringostat's list of calls needs a key of its API",
                account=own.account,
                vendor=NAME,
                remedy=f"Set CRMKIT_{own.account.upper().replace('-', '_')}_RINGOSTAT_API_KEY, or live with the hooks.",
            )
        now = self._clock.now()
        calls = CallList(
            own.api_url, own.api_key, account=own.account, timezone=own.timezone, limiter=self._limiter,
            clock=self._clock,
        )  # fmt: skip
        with calls:
            rows = list(calls.rows(since, now + timedelta(minutes=1), FIELDS))
        ended = [row for row in rows if row.get("disposition") or row.get("billsec")]
        facts = [finished(_call(row, own, now), received_at=now) for row in ended]
        return sorted(facts, key=lambda fact: fact.at)


def _own(settings: SourceSettings) -> RingostatSettings:
    if isinstance(settings, RingostatSettings):
        return settings
    return RingostatSettings.model_validate(settings.model_dump())


def _call(fields: Fields, settings: RingostatSettings, received_at: datetime) -> Call:
    call_id = fields.get("uniqueid", "")
    if not call_id:
        raise BadPayload(
            "the delivery tells how a call ended and has no uniqueid",
            account=settings.account,
            vendor=NAME,
            remedy="Add the field uniqueid to the webhook in Ringostat, or name it in the source's fields.",
        )
    direction = _direction(fields, settings)
    phone = _phone(fields, direction, settings.country)
    if direction is not Direction.CALLBACK and is_internal(phone):
        direction = Direction.INTERNAL
    talk_s, wait_s = _lengths(fields)
    status = _status(fields.get("disposition", ""), talk_s)
    return Call(
        ref=call_ref(settings.account, NAME, call_id),
        provider=NAME,
        direction=direction,
        status=status,
        phone=phone,
        line=_line(fields, direction),
        employee=_employee(fields),
        started_at=_started_at(fields, settings, received_at),
        talk_s=talk_s if status is CallStatus.ANSWERED else 0,
        wait_s=wait_s,
        recording=_recording(fields),
        tracking={ours: fields[theirs] for theirs, ours in _TRACKING.items() if theirs in fields},
        raw=dict(fields),
    )


def _direction(fields: Fields, settings: RingostatSettings) -> Direction:
    said = fields.get("call_type", "in").lower()
    if said not in _DIRECTIONS:
        raise BadPayload(
            f"call_type is {said[:40]!r}; known are {', '.join(_DIRECTIONS)}",
            account=settings.account,
            vendor=NAME,
            remedy="Check the field mapping of the webhook.",
        )
    return _DIRECTIONS[said]


def _phone(fields: Fields, direction: Direction, country: str) -> Phone | None:
    """The outer party: whom we dialled, or who called."""
    if direction is Direction.OUT:
        return client_phone([fields.get("dst", "")], country)
    if direction is Direction.INTERNAL:
        return None
    return client_phone([fields.get(name, "") for name in ("E164", "caller_number", "caller")], country)


def _line(fields: Fields, direction: Direction) -> str | None:
    own = fields.get("caller_number" if direction is Direction.OUT else "dst")
    return own or fields.get("n_alias")


def _lengths(fields: Fields) -> tuple[int, int]:
    """Talk and waiting; where the sender was told to leave the waiting out, it is what remains of the whole."""
    talk_s = seconds(fields.get("billsec", "0"), "billsec")
    if "waittime" in fields:
        return talk_s, seconds(fields["waittime"], "waittime")
    return talk_s, max(0, seconds(fields.get("duration", "0"), "duration") - talk_s)


def _status(disposition: str, talk_s: int) -> CallStatus:
    """`billsec` decides: a menu that answered and nobody behind it is ANSWERED with 0 to the vendor, missed to us."""
    said = disposition.upper()
    if said == "VOICEMAIL":
        return CallStatus.VOICEMAIL
    return CallStatus.ANSWERED if talk_s > 0 else _UNANSWERED.get(said, CallStatus.MISSED)


def _employee(fields: Fields) -> Employee | None:
    extension, login = fields.get("employee_number"), fields.get("connected_with")
    name = fields.get("employee_fio")
    return Employee(extension=extension, login=login, name=name) if extension or login or name else None


def _started_at(fields: Fields, settings: RingostatSettings, received_at: datetime) -> datetime:
    said = fields.get("calldate")
    if said is None:
        # The hook comes when the call has ended; its beginning is not far from there.
        return received_at - timedelta(seconds=sum(_lengths(fields)))
    return moment(said, time_format=settings.time_format, timezone=settings.timezone, name="calldate")


def _recording(fields: Fields) -> Recording | None:
    url = fields.get("recording")
    return Recording(url=url) if url and fields.get("has_recording") != "0" else None
