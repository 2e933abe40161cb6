"""Ingest: a delivery becomes durable hints and facts before its sender hears 200."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from crmkit.errors import BadPayload, CrmKitError, NotFound
from crmkit.events import Event
from crmkit.webhook import Delivery, Fact, Hint, Origin, WebhookReply, WebhookRequest
from crmkit_runtime.commit import GroupCommit
from crmkit_runtime.crashpoint import crashpoint
from crmkit_runtime.database import insert_rows, to_us
from crmkit_runtime.facts import publish_facts, read_facts
from crmkit_runtime.hints import store_told
from crmkit_runtime.scrub import strip_secrets
from crmkit_runtime.service import OpenAccount, Service
from crmkit_runtime.tables import delivery as table

log = logging.getLogger(__name__)

PATIENCE_S = 10.0
"""A sender whose delivery is not stored by then is told to come again."""

NOT_STORED = WebhookReply(503, "not stored, send again")
SHOWN = 5
"""So many hints of a delivery are named in its outcome."""


@dataclass(frozen=True, slots=True)
class _Parcel:
    """One delivery on its way to the disk."""

    row: dict[str, object]
    hints: Sequence[Hint]
    events: Sequence[tuple[str, Event]]


class Ingest:
    """Stores deliveries: senders' threads read them, one thread commits them by the batch.

    Args:
        service: whose accounts and database.
        patience_s: how long a sender waits for the disk.
    """

    def __init__(self, service: Service, *, patience_s: float = PATIENCE_S) -> None:
        self._service = service
        self._patience_s = patience_s
        # One delivery is read at a time: threads that all wait for the interpreter instead wake each other for nothing.
        self._turn = threading.Lock()
        self._writer: GroupCommit[_Parcel] = GroupCommit(self._store)

    @property
    def is_alive(self) -> bool:
        """Deliveries are being stored."""
        return self._writer.is_alive

    def receive(self, sender: str, account_key: str, request: WebhookRequest) -> WebhookReply:
        """What the sender is answered: 200, or what a source wants to hear, only after everything is on the disk.

        503 when it could not be stored. A body that cannot be read is stored with the reason and answered like a good
        one: a CRM that hears errors switches its hook off.

        Raises NotFound for an account or sender that is not configured, WebhookRejected for a delivery that is not
        authentic or belongs to another account; nothing is stored then.
        """
        began = time.perf_counter()
        account = self._service.accounts.get(account_key)
        if account is None:
            raise NotFound(f"there is no account {account_key}")
        with self._writer.place() as place:
            with self._turn:
                found, reply = _understand(account, sender, request)
                parcel = _pack(account_key, sender, request, found)
            is_stored = self._writer.put(place, parcel, self._patience_s)
        log.log(
            logging.INFO if is_stored else logging.ERROR,
            "delivery of %s for account %s: %s, %.1f ms",
            sender,
            account_key,
            parcel.row["outcome"] if is_stored else "NOT STORED",
            (time.perf_counter() - began) * 1000,
        )
        return reply if is_stored else NOT_STORED

    def close(self) -> None:
        """Store what is queued, then stop."""
        self._writer.close()

    def _store(self, parcels: Sequence[_Parcel]) -> None:
        with self._service.database.write() as tx:
            ids = [str(number) for number in insert_rows(tx, table, [parcel.row for parcel in parcels])]
            told = [(hint, by) for by, parcel in zip(ids, parcels, strict=True) for hint in parcel.hints]
            store_told(tx, self._service, told, origin=Origin.HOOK)
            for by, parcel in zip(ids, parcels, strict=True):
                publish_facts(tx, self._service, parcel.events, origin=Origin.HOOK, delivery_id=by)
            crashpoint("in_ingest_before_commit")
        crashpoint("in_ingest_after_commit")
        self._service.bell.ring()


def _understand(account: OpenAccount, sender: str, request: WebhookRequest) -> tuple[Delivery, WebhookReply]:
    try:
        if sender == account.adapter.vendor:
            return account.adapter.parse(request, account.settings), WebhookReply()
        if sender not in account.sources:
            raise NotFound(f"account {account.key} has no sender {sender}")
        source, settings = account.sources[sender]
        source.verify(request, settings)
        return Delivery(facts=tuple(source.parse(request, settings))), source.reply(request, settings)
    except BadPayload as error:
        return Delivery(refusals=(str(error),)), WebhookReply()
    except CrmKitError:
        raise
    except Exception as error:
        # A fault of an adapter must not make the CRM switch the hook off; the feed will find what it told.
        log.exception("delivery of %s for account %s: the adapter failed on it", sender, account.key)
        return Delivery(refusals=(f"the adapter failed on it ({type(error).__name__})",)), WebhookReply()


def _pack(account: str, sender: str, request: WebhookRequest, found: Delivery) -> _Parcel:
    events, unread = read_facts(found.facts)
    refusals = [*found.refusals, *unread]
    row: dict[str, object] = {
        "account": account,
        "sender": sender,
        "received_at": to_us(request.received_at),
        "method": request.method,
        "query": strip_secrets(request.query.encode("utf-8", "replace")).decode(),
        "content_type": request.headers.get("content-type", ""),
        "body": strip_secrets(request.body),
        "outcome": _outcome(found.hints, found.facts, refusals),
    }
    return _Parcel(row, found.hints, events)


def _outcome(hints: Sequence[Hint], facts: Sequence[Fact], refusals: Sequence[str]) -> str:
    parts = [f"{hint.ref.kind.value}:{hint.ref.id} {hint.action.value}" for hint in hints[:SHOWN]]
    if len(hints) > SHOWN:
        parts.append(f"{len(hints) - SHOWN} more")
    parts += [f"{fact.event} {fact.key}" for fact in facts]
    parts += [f"refused: {reason}" for reason in refusals]
    return ", ".join(parts) or "nothing to do"
