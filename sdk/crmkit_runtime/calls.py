"""Calls told of twice: a telephony and the CRM's own log tell of the same conversation, which is one event.

A call is the same when the number, the direction and the start (within two minutes) agree and somebody else tells of
it. Each telling is matched with one other at most: two calls of one client within two minutes stay two. A call that we
log ourselves belongs to the telling it was made from, and is nobody's second telling: the next call is not it.
"""

from __future__ import annotations

from sqlalchemy import Connection, func, insert, select, update

from crmkit.events import CallFinished, Event
from crmkit.models import Call
from crmkit_runtime.database import to_us
from crmkit_runtime.tables import told_call as table

SAME_START_S = 120

CRM = "crm"
"""The CRM's own call log, as a teller."""

OWN_LOG = "own log"
"""We, when we entered a call into the CRM's log; such a telling is never news."""


def is_news(tx: Connection, account: str, call: Call, *, key: str, teller: str) -> bool:
    """Nobody else has told of this call before; asked again with the same `key` it says the same.

    Args:
        key: identity of this telling within the account.
        teller: who tells: `CRM`, `OWN_LOG` or the telephony's name.
    """
    again = tx.execute(select(table.c.is_news).where(table.c.account == account, table.c.key == key)).first()
    if again:
        return bool(again.is_news)
    phone, started_at = _number(call), call.started_at or call.created_at
    if not phone or started_at is None:
        return teller != OWN_LOG
    at, direction = to_us(started_at), call.direction.value
    match = _match(tx, account, phone, direction, at, teller)
    if match is not None and teller != OWN_LOG:
        tx.execute(update(table).where(table.c.id == match).values(is_matched=1))
    news = match is None and teller != OWN_LOG
    tx.execute(
        insert(table).values(
            account=account,
            phone=phone,
            key=key,
            teller=teller,
            direction=direction,
            started_at=at,
            is_matched=int(match is not None),
            is_news=int(news),
        )
    )
    return news


def is_told(tx: Connection, event: Event, *, key: str) -> bool:
    """A fact is a call of which somebody else has told already; other facts are told by one sender only."""
    if not isinstance(event, CallFinished):
        return False
    return not is_news(tx, event.ref.account, event.call, key=key, teller=event.call.provider or "telephony")


def _match(tx: Connection, account: str, phone: str, direction: str, at: int, teller: str) -> int | None:
    """The nearest telling of somebody else that has no counterpart yet."""
    near = SAME_START_S * 1_000_000
    not_others = (OWN_LOG, CRM) if teller == OWN_LOG else (teller,)
    query = select(table.c.id).where(
        table.c.account == account,
        table.c.phone == phone,
        table.c.started_at.between(at - near, at + near),
        table.c.teller.not_in(not_others),
        table.c.direction == direction,
        table.c.is_matched == 0,
    )
    return tx.execute(query.order_by(func.abs(table.c.started_at - at), table.c.id).limit(1)).scalar_one_or_none()


def _number(call: Call) -> str:
    """The last ten digits: one teller writes 8, another +7."""
    if call.phone is None:
        return ""
    return "".join(sign for sign in call.phone.e164 or call.phone.raw if sign.isdigit())[-10:]
