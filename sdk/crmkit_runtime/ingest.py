"""Ingest: a delivery becomes durable hints and facts before its sender hears 200."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

from crmkit.errors import BadPayload, CrmKitError, NotFound
from crmkit.events import Event
from crmkit.webhook import Delivery, Hint, Installation, Origin, WebhookReply, WebhookRequest
from crmkit_runtime import installs
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


class _Letter:
    """A delivery as it came, and what the writer made of it: a parcel and a reply, or a refusal."""

    __slots__ = ("account", "came_at", "installation", "parcel", "refusal", "reply", "request", "sender")

    def __init__(self, account: OpenAccount, sender: str, request: WebhookRequest) -> None:
        self.account = account
        self.sender = sender
        self.request = request
        self.parcel: _Parcel | None = None
        self.installation: Installation | None = None
        self.reply = NOT_STORED
        self.refusal: CrmKitError | None = None
        self.came_at = time.perf_counter()

    def read(self) -> None:
        """Understand it, unless that was done in an earlier attempt to store it."""
        if self.parcel is not None or self.refusal is not None:
            return
        try:
            found, self.reply = _understand(self.account, self.sender, self.request)
        except CrmKitError as error:
            self.refusal = error
        else:
            self.installation = found.installation
            self.parcel = _pack(self.account.key, self.sender, self.request, found)


class Ingest:
    """Stores deliveries: senders' threads hand them in, one thread reads and commits them by the batch.

    Args:
        service: whose accounts and database.
        patience_s: how long a sender waits for the disk.
    """

    def __init__(self, service: Service, *, patience_s: float = PATIENCE_S) -> None:
        self._service = service
        self._patience_s = patience_s
        self._writer: GroupCommit[_Letter] = GroupCommit(self._store, _report)

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
        account = self._service.accounts.get(account_key)
        if account is None:
            raise NotFound(f"there is no account {account_key}")
        letter = _Letter(account, sender, request)
        is_stored = self._writer.put(letter, self._patience_s)
        if letter.refusal is not None:
            raise letter.refusal
        if is_stored and letter.installation is not None:
            installs.keep(account, letter.installation)
        return letter.reply if is_stored else NOT_STORED

    def close(self) -> None:
        """Store what is queued, then stop."""
        self._writer.close()

    def _store(self, letters: Sequence[_Letter]) -> None:
        for letter in letters:
            letter.read()
        parcels = [letter.parcel for letter in letters if letter.parcel is not None]
        if not parcels:
            return
        with self._service.database.write() as tx:
            ids = [str(number) for number in insert_rows(tx, table, [parcel.row for parcel in parcels])]
            told = [(hint, by) for by, parcel in zip(ids, parcels, strict=True) for hint in parcel.hints]
            store_told(tx, self._service, told, origin=Origin.HOOK)
            for by, parcel in zip(ids, parcels, strict=True):
                publish_facts(tx, self._service, parcel.events, origin=Origin.HOOK, delivery_id=by)
            crashpoint("in_ingest_before_commit")
        crashpoint("in_ingest_after_commit")
        self._service.bell.ring()


def _report(letters: Sequence[_Letter], is_stored: bool) -> None:
    """A line per delivery; what was refused is told by whoever refuses it."""
    now = time.perf_counter()
    for letter in letters:
        if letter.refusal is None:
            log.log(
                logging.INFO if is_stored else logging.ERROR,
                "delivery of %s for account %s: %s, %.1f ms",
                letter.sender,
                letter.account.key,
                letter.parcel.row["outcome"] if is_stored and letter.parcel else "NOT STORED",
                (now - letter.came_at) * 1000,
            )


def _understand(account: OpenAccount, sender: str, request: WebhookRequest) -> tuple[Delivery, WebhookReply]:
    try:
        if sender == account.adapter.vendor:
            return installs.parse(account, request), WebhookReply()
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
        "outcome": _outcome(found, refusals),
    }
    return _Parcel(row, found.hints, events)


def _outcome(found: Delivery, refusals: Sequence[str]) -> str:
    parts = [f"{hint.ref.kind.value}:{hint.ref.id} {hint.action.value}" for hint in found.hints[:SHOWN]]
    if len(found.hints) > SHOWN:
        parts.append(f"{len(found.hints) - SHOWN} more")
    parts += [f"{fact.event} {fact.key}" for fact in found.facts]
    parts += ["the application was installed"] if found.installation is not None else []
    parts += [f"refused: {reason}" for reason in refusals]
    return ", ".join(parts) or "nothing to do"
