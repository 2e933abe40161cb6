"""Redelivery: a stored delivery is read once more, as after an upgrade that understands it better."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Row, select

from crmkit.errors import BadPayload, NotFound
from crmkit.settings import AccountSettings, is_secret
from crmkit.webhook import Delivery, Origin, WebhookRequest
from crmkit_runtime import hints
from crmkit_runtime.database import from_us
from crmkit_runtime.facts import publish_facts, read_facts
from crmkit_runtime.service import Service
from crmkit_runtime.tables import delivery


@dataclass(frozen=True, slots=True)
class Redelivered:
    """What the delivery brought this time: records to look at, new events, facts known before, what was not read."""

    id: int
    hints: int
    events: int
    known: int
    refusals: tuple[str, ...]


def deliver_again(service: Service, delivery_id: int) -> Redelivered:
    """Read a stored delivery by today's rules; records are looked at again, and facts that are new become events.

    Nothing is handled twice: what a record shows was seen already makes no event, and a fact is known by its key.
    Who sent it was checked when it came in, and what was secret in it was not kept, so it is not asked for again.

    Raises NotFound for an id that is not stored, or a sender that is not configured any more.
    """
    with service.database.read() as connection:
        row = connection.execute(select(delivery).where(delivery.c.id == delivery_id)).first()
    if row is None:
        raise NotFound(
            f"there is no delivery {delivery_id}",
            remedy="Deliveries are kept for 30 days; `crmkit replay --deliveries` lists them.",
        )
    found = _read(service, row)
    events, unread = read_facts(found.facts)
    with service.database.write() as tx:
        kept = hints.store(tx, service, row.account, found.hints, origin=Origin.HOOK, delivery_id=str(delivery_id))
        new = publish_facts(tx, service, events, origin=Origin.HOOK, delivery_id=str(delivery_id))
    service.bell.ring()
    return Redelivered(delivery_id, kept, new, len(events) - new, (*found.refusals, *unread))


def _read(service: Service, row: Row[tuple[object, ...]]) -> Delivery:
    account = service.accounts.get(row.account)
    if account is None or row.sender not in (account.settings.vendor, *account.sources):
        raise NotFound(
            f"delivery {row.id} came from {row.sender} for account {row.account}, which this service does not know",
            remedy="Put the account, or its source, back into crmkit.toml.",
        )
    request = WebhookRequest(
        method=row.method,
        path=f"/hooks/{row.sender}/{row.account}",
        query=row.query,
        headers={"content-type": row.content_type},
        body=row.body,
        received_at=from_us(row.received_at),
    )
    try:
        if row.sender == account.settings.vendor:
            return account.adapter.parse(request, _without_secrets(account.settings))
        source, settings = account.sources[row.sender]
        return Delivery(facts=tuple(source.parse(request, settings)))
    except BadPayload as error:
        return Delivery(refusals=(str(error),))


def _without_secrets(settings: AccountSettings) -> AccountSettings:
    """The settings as of an account that asks its hooks for no token: the stored body has none to show."""
    fields = type(settings).model_fields.items()
    return settings.model_copy(
        update={name: None for name, field in fields if is_secret(field) and not field.is_required()}
    )
