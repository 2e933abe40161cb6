"""The Bitrix24 adapter: the promise of `crmkit.adapter` kept, over the rooms below."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import SecretStr

from crmkit.adapter import Account, Capability, Doors, EffectClass, HookState, Level, Page, Query, sole
from crmkit.errors import CrmKitError
from crmkit.http import Judge, RateLimit, Transport
from crmkit.matching import names, narrowed
from crmkit.models import Company, FieldDef, Record
from crmkit.settings import AccountSettings
from crmkit.values import Json, Kind, Ref
from crmkit.webhook import Delivery, FeedPage, Installation, WebhookRequest
from crmkit.write import Native, Verb, Write
from crmkit_bitrix24 import auth, webhooks
from crmkit_bitrix24.client import Directory, Feed, Line, OperatingTime, Reader, Recovery, Writer, ensure_hooks
from crmkit_bitrix24.client.install import install
from crmkit_bitrix24.errors.answers import judge_for, token_judge_for
from crmkit_bitrix24.errors.refusals import VENDOR, unsupported
from crmkit_bitrix24.translate import from_item, native_extra, natives

_CAPABILITIES: Mapping[Capability, Level] = {
    **dict.fromkeys(Capability, Level.NATIVE),
    Capability.FIND_BY_PHONE: Level.EMULATED,
    Capability.LINE_ITEMS: Level.EMULATED,
    Capability.LOSS_REASONS: Level.ABSENT,
    Capability.TAGS: Level.ABSENT,
    Capability.FILES: Level.ABSENT,
    Capability.OWNER_HISTORY: Level.ABSENT,
}
_OF_APPLICATIONS = (Capability.LOG_CALLS, Capability.WEBHOOKS)


class Bitrix24Adapter:
    """Bitrix24, REST of the classic and universal CRM methods."""

    vendor = VENDOR
    title = "Bitrix24"
    settings_type: type[AccountSettings] = auth.Bitrix24Settings
    capabilities: Mapping[Capability, Level] = _CAPABILITIES
    translator_version = 1
    volatile: Mapping[Kind, frozenset[str]] = {
        **dict.fromkeys(Kind, frozenset({"updated_at", "updated_by"})),
        Kind.DEAL: frozenset({"updated_at", "updated_by", "last_activity_at"}),
    }

    def open(self, settings: AccountSettings, doors: Doors) -> Bitrix24Connection:
        """A connection; no request is made. Raises ConfigError naming what to set."""
        return Bitrix24Connection(auth.check(settings), doors)

    def parse(self, request: WebhookRequest, settings: AccountSettings) -> Delivery:
        """What an event says: which record to look at."""
        return webhooks.parse(request, settings)

    def translate(self, kind: Kind, raw: Mapping[str, Any], account: Account) -> Record:
        """The record that a stored body is."""
        return from_item(kind, raw, account)

    def limits(self, settings: AccountSettings) -> Sequence[RateLimit]:
        """The portal's bucket: 50 calls, two a second (Enterprise 250 and five)."""
        return auth.limits(auth.check(settings))

    def effect_class(self, write: Write) -> EffectClass:
        """Creations are looked up by our key, or by content where Bitrix24 keeps none; all else may be done twice."""
        if write.verb is Verb.CREATE:
            return EffectClass.LOOKUP
        return EffectClass.IDEMPOTENT


class Bitrix24Connection:
    """One open Bitrix24 portal. Thread-safe.

    Args:
        settings: the account's.
        doors: tokens, request budget, urgency and clock.
    """

    vendor = VENDOR

    def __init__(self, settings: auth.Bitrix24Settings, doors: Doors) -> None:
        self.key = settings.key
        self._settings = settings
        self._doors = doors
        self._hook_settings: auth.Bitrix24Settings | None = None
        operating = OperatingTime(doors.clock, self.key)
        self._authority = self._choose_authority()
        self._line = Line(self._authority, self._dialling(judge_for(self.key)), operating, self.key)
        self._directory = Directory(self._line, settings, doors.clock)
        self._reader = Reader(self._line, self._directory, doors.clock, self.key)
        self._recovery = Recovery(self._line, self._reader, self._record)
        self._feed = Feed(self._line, doors.clock, self.key)
        self._writer = Writer(self._line, self._directory, settings.base_url, self.key)

    def account(self) -> Account:
        """The account; one request, then remembered."""
        return self._directory.account()

    def supports(self, capability: Capability) -> Level:
        """How the account gives a capability: a webhook does less than an application, simple mode has no leads.

        Asks the portal for its mode or its plan when leads or the feed of deletions are asked about; remembered for
        ten minutes.
        """
        if capability in _OF_APPLICATIONS and not self._line.is_application:
            return Level.ABSENT
        if capability is Capability.LEADS and not self._directory.has_leads():
            return Level.ABSENT
        if capability is Capability.CALLS and not self._feed.has_calls:
            return Level.ABSENT
        if capability is Capability.STAGE_HISTORY and not self._feed.has_history:
            return Level.ABSENT
        if capability is Capability.DELETION_FEED and not self._feed.has_deletions:
            return Level.ABSENT
        return _CAPABILITIES[capability]

    def load(self, refs: Sequence[Ref]) -> Sequence[Record]:
        """The records that exist; one request for up to 2,500 cards of a kind, and what belongs to them."""
        mine = [ref for ref in refs if ref.account == self.key]
        return [record for kind, items in self._reader.load(mine) for record in self._records(kind, items)]

    def pages(self, kind: Kind, *, updated_since: datetime | None = None, cursor: str | None = None) -> Iterator[Page]:
        """All records of a kind by id, 2,500 a request; with `updated_since` those changed since.

        Complete even while others change and delete. Raises Unsupported for remarks, which no list holds.
        """
        since = updated_since.astimezone(UTC).isoformat() if updated_since is not None else None
        for chunk in self._reader.pages(kind, since, cursor):
            account = self.account()
            yield Page(tuple([from_item(kind, item, account) for item in chunk.items]), chunk.cursor)

    def find(self, kind: Kind, query: Query) -> Sequence[Record]:
        """All that match; the vendor's search is narrowed by the normalized form."""
        found = (self._record(kind, raw) for raw in self._reader.find(kind, query))
        return narrowed(found, query, self._settings.country, is_of=_is_of)

    def download(self, ref: Ref) -> bytes:
        """Raise Unsupported: files are not reached through this adapter."""
        raise unsupported(self.key, "give files through crmkit", "Put a link to the file into a note.")

    def fields(self, kind: Kind) -> Sequence[FieldDef]:
        """The user fields of contacts, companies, deals or leads; remembered for ten minutes."""
        return self._directory.fields(kind)

    def write(self, write: Write) -> Ref | None:
        """Do it. None for a logged call whose number nobody has."""
        return sole(self._writer.write_many([write]))

    def write_many(self, writes: Sequence[Write]) -> Sequence[Ref | CrmKitError | None]:
        """Do them by fifties in a batch; each has its own result."""
        return self._writer.write_many(writes)

    def natives(self, record: Record) -> Sequence[Native]:
        """The filled fields that only the vendor's words tell."""
        return natives(record)

    def native_extra(self, kind: Kind, values: Mapping[str, Json], *, on: Record | None = None) -> Mapping[str, Json]:
        """`extra=` that fills native fields."""
        return native_extra(kind, values, on)

    def recover(self, write: Write, *, since: datetime, known: Collection[Ref]) -> Ref | None:
        """The newest record with the write's key, or its content, that is not older than `since`."""
        return self._recovery.find(write, since.timestamp(), known)

    def feed(self, cursor: str | None) -> FeedPage:
        """The account's changes behind `cursor`."""
        return self._feed.page(cursor)

    def ensure_hooks(self, url: str) -> HookState:
        """Have `url` bound once to all events; raises Unsupported through a webhook, saying what a person does."""
        return ensure_hooks(self._line, url, self.key)

    def install(self, installation: Installation) -> None:
        """Keep the tokens of an installation, once the portal has answered to them.

        Raises WebhookRejected when it does not, or when the account goes by a webhook.
        """
        install(self._authority, self._dialling(judge_for(self.key)), self._settings, installation, self._doors.clock)

    def hook_settings(self, *, afresh: bool = False) -> AccountSettings:
        """The settings with the application_token of the last installation; without one the account's own."""
        if self._hook_settings is None or afresh:
            secret = self._authority.hook_secret() if isinstance(self._authority, auth.OAuth) else None
            token = {"application_token": SecretStr(secret)} if secret else {}
            self._hook_settings = self._settings.model_copy(update=token)
        return self._hook_settings

    def call(self, method: str, path: str, *, query: Sequence[tuple[str, str]] = (), body: Json = None) -> Json:
        """The result of any REST method: `path` is its name (`crm.item.list`), `query` and `body` its parameters.

        `method` GET says that it may be repeated; a write is never repeated. Source: Bitrix24 REST, all methods of v2.
        """
        params = {**dict(query), **(body if isinstance(body, Mapping) else {})}
        return self._line.call(path.strip("/"), params, is_safe=method.upper() in ("GET", "HEAD"))

    def close(self) -> None:
        """Give back the connections."""
        self._line.close()

    def _record(self, kind: Kind, item: Mapping[str, Any]) -> Record:
        return from_item(kind, item, self.account())

    def _records(self, kind: Kind, items: Sequence[Mapping[str, Any]]) -> Sequence[Record]:
        if not items:
            return ()
        account = self.account()
        return [from_item(kind, item, account) for item in items]

    def _choose_authority(self) -> auth.Authority:
        if self._settings.webhook is not None:
            return auth.Webhook(self._settings)
        dial = self._dialling(token_judge_for(self.key))
        return auth.OAuth(self._settings, self._doors.tokens, self._doors.clock, dial)

    def _dialling(self, judge: Judge) -> Callable[[str], Transport]:
        limits = auth.limits(self._settings)
        return lambda base_url: self._doors.transport(base_url, self._settings, limits, judge)


def _is_of(record: Record, contact: Ref) -> bool:
    """The card names the person; a company does not name those for whom it is not the main one."""
    return isinstance(record, Company) or names(record, contact)
