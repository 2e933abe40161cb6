"""Facts on their way to events: what telephony and payments tell carries its own body and is not looked up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pydantic import ValidationError
from sqlalchemy import Connection

from crmkit.events import Event, read_event
from crmkit.webhook import Fact, Origin
from crmkit_runtime import calls
from crmkit_runtime.dispatch import publish
from crmkit_runtime.service import Service


def read_facts(facts: Iterable[Fact]) -> tuple[list[tuple[str, Event]], list[str]]:
    """The events that the facts are, by their keys, and a sentence for each that cannot be read."""
    events, refusals = [], []
    for fact in facts:
        try:
            events.append((fact.key, read_event(fact.event, fact.body)))
        except (KeyError, ValidationError) as error:
            refusals.append(f"the fact {fact.event} cannot be read ({type(error).__name__})")
    return events, refusals


def publish_facts(
    tx: Connection, service: Service, events: Sequence[tuple[str, Event]], *, origin: Origin, delivery_id: str
) -> int:
    """Make events of the facts that nobody has told of before; how many there were."""
    made = 0
    for key, event in events:
        if calls.is_told(tx, event, key=key):
            continue
        told = event.model_copy(update={"delivery_id": delivery_id})
        made += publish(tx, service, told, key=key, origin=origin) is not None
    return made
