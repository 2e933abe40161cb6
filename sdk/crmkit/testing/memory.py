"""`MemoryCrm`: a whole CRM in a dict, the reference that other adapters are compared with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError

from crmkit.adapter import Account, Capability, Doors, EffectClass, Level
from crmkit.clock import TurnedClock
from crmkit.crm import Crm
from crmkit.errors import BadPayload, ConfigError
from crmkit.http import RateLimit
from crmkit.models import RECORDS, Record
from crmkit.settings import AccountSettings
from crmkit.testing import changes, furniture
from crmkit.testing.connection import CAPABILITIES, MemoryConnection
from crmkit.testing.desk import Desk
from crmkit.testing.hooks import VENDOR, parse
from crmkit.testing.person import Person
from crmkit.testing.world import MemoryWorld
from crmkit.values import Kind, Ref
from crmkit.webhook import Delivery, WebhookRequest
from crmkit.write import Verb, Write


class MemorySettings(AccountSettings):
    """What an account of the memory CRM needs: nothing but its name."""

    vendor: str = VENDOR
    base_url: str = "memory://localhost"


class MemoryAdapter:
    """The memory CRM as an adapter like any other.

    Args:
        world: where its accounts live; a new one when left out.
        translator_version: what `translator_version` says, for tests of upgrades.
    """

    vendor = VENDOR
    title = "Memory"
    settings_type = MemorySettings

    def __init__(self, world: MemoryWorld | None = None, *, translator_version: int = 1) -> None:
        self.world = world or MemoryWorld()
        self.translator_version = translator_version

    @property
    def capabilities(self) -> Mapping[Capability, Level]:
        """Everything but files."""
        return CAPABILITIES

    @property
    def volatile(self) -> Mapping[Kind, frozenset[str]]:
        """Who changed a record last, and when, is no change by itself."""
        return {kind: _VOLATILE & record.model_fields.keys() for kind, record in RECORDS.items()}

    def open(self, settings: AccountSettings, doors: Doors) -> MemoryConnection:
        """A connection to the account `settings.key` of the world; it comes into being when it is new."""
        return MemoryConnection(self.world, settings.key, doors.urgency)

    def parse(self, request: WebhookRequest, settings: AccountSettings) -> Delivery:
        """What a hook says."""
        return parse(request, settings)

    def translate(self, kind: Kind, raw: Mapping[str, Any], account: Account) -> Record:
        """The record of a stored body. Raises BadPayload for what is none."""
        body = {name: value for name, value in raw.items() if name != "extra"}
        try:
            return RECORDS[kind].model_validate({**body, "raw": raw})
        except ValidationError as error:
            raise BadPayload(
                f"the body is no {kind.value}", account=account.key, vendor=VENDOR, remedy="Give what load() gave."
            ) from error

    def limits(self, settings: AccountSettings) -> Sequence[RateLimit]:
        """So many that no test waits."""
        return (RateLimit(f"{VENDOR}:{settings.key}", 100_000, 1.0),)

    def effect_class(self, write: Write) -> EffectClass:
        """Creations are looked up by their content, or refused by their key when the world has native keys."""
        if write.verb is not Verb.CREATE:
            return EffectClass.IDEMPOTENT
        return EffectClass.NATIVE_KEY if self.world.has_native_keys else EffectClass.LOOKUP


_VOLATILE = frozenset({"updated_at", "updated_by", "last_activity_at"})


class MemoryCrm:
    """One account of a memory CRM, ready to use: `MemoryCrm().crm` for programs, `.person` for people.

    Args:
        account: the account's key.
        world: where it lives; give the same one to have several accounts of one CRM.
    """

    def __init__(self, account: str = "acme", *, world: MemoryWorld | None = None) -> None:
        self.world = world or MemoryWorld()
        self.key = account
        self.adapter = MemoryAdapter(self.world)
        self.settings = MemorySettings(key=account)
        self.connection = MemoryConnection(self.world, account)
        self.crm = Crm(self.connection)
        self.person = Person(self.world, account)
        self._desks: dict[str, Desk] = {}

    def desk(self, extension: str) -> Desk:
        """What the extension of that name keeps in this account: store, index, timers, done effects."""
        return self._desks.setdefault(extension, Desk.of(self.world.account(self.key)))

    def seed(self, *records: Record, at: datetime | None = None) -> list[Ref]:
        """Put in records that were there before anybody looked: no hooks, no feed rows, no request.

        `at` is when they were made; 30 days before now when left out.
        """
        with self.world.lock:
            state = self.world.account(self.key)
            then = (at or state.now() - timedelta(days=30)).replace(microsecond=0)
            rows, creations, hooks = len(state.feed), len(state.created), len(self.world.hooks)
            made = [
                changes.apply(state, Write(Verb.CREATE, record.kind, record=record), furniture.PERSON, hooks=False)
                for record in records
            ]
            refs = [ref for ref in made if ref is not None]
            for ref in refs:
                state.put(state.records[ref].model_copy(update={"created_at": then, "updated_at": then}))
            del state.feed[rows:], state.created[creations:], self.world.hooks[hooks:]
            return refs

    def advance(self, by: timedelta) -> None:
        """Turn the world's clock. Raises ConfigError when it is no clock that can be turned."""
        if not isinstance(self.world.clock, TurnedClock):
            raise ConfigError("the world's clock cannot be turned", remedy="Give MemoryWorld a TurnedClock.")
        self.world.clock.advance(by)
