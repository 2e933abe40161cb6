"""The amoCRM adapter: the promise of `crmkit.adapter` kept, over the rooms below."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from crmkit.adapter import Account, Capability, Doors, EffectClass, HookState, Level, Page, Query, sole
from crmkit.errors import CrmKitError
from crmkit.http import Judge, RateLimit, Transport
from crmkit.matching import narrowed
from crmkit.models import FieldDef, Record
from crmkit.settings import AccountSettings
from crmkit.values import Json, Kind, Ref
from crmkit.webhook import Delivery, FeedPage, WebhookRequest
from crmkit.write import Native, Verb, Write
from crmkit_amocrm import auth, webhooks
from crmkit_amocrm.client import Directory, Elements, Feed, Line, Reader, Recovery, Walker, Writer, ensure_hooks
from crmkit_amocrm.errors.answers import judge_for, token_judge_for
from crmkit_amocrm.errors.refusals import VENDOR, unsupported
from crmkit_amocrm.translate import from_item, native_extra, natives

_CAPABILITIES: Mapping[Capability, Level] = {
    **dict.fromkeys(Capability, Level.NATIVE),
    Capability.LINE_ITEMS: Level.EMULATED,
    Capability.FIND_BY_PHONE: Level.EMULATED,
    Capability.FILES: Level.ABSENT,
    Capability.MERGE: Level.EMULATED,
    Capability.DELETE: Level.ABSENT,
    Capability.OWNER_HISTORY: Level.ABSENT,
}
_NEEDS_EVENTS: Mapping[Capability, Level] = {
    Capability.STAGE_HISTORY: Level.ABSENT,
    Capability.DELETION_FEED: Level.EMULATED,
}


class AmoCrmAdapter:
    """amoCRM and Kommo, API v4."""

    vendor = VENDOR
    title = "amoCRM"
    settings_type: type[AccountSettings] = auth.AmoCrmSettings
    capabilities: Mapping[Capability, Level] = _CAPABILITIES
    translator_version = 1
    volatile: Mapping[Kind, frozenset[str]] = dict.fromkeys(Kind, frozenset({"updated_at", "updated_by"}))

    def open(self, settings: AccountSettings, doors: Doors) -> AmoCrmConnection:
        """A connection; no request is made. Raises ConfigError naming what to set."""
        return AmoCrmConnection(auth.check(settings), doors)

    def parse(self, request: WebhookRequest, settings: AccountSettings) -> Delivery:
        """What a hook says; companies are told from contacts, calls from notes."""
        return webhooks.parse(request, settings)

    def translate(self, kind: Kind, raw: Mapping[str, Any], account: Account) -> Record:
        """The record that a stored entity is."""
        return from_item(kind, raw, account)

    def limits(self, settings: AccountSettings) -> Sequence[RateLimit]:
        """7 requests a second of the integration, 50 of the account."""
        return auth.limits(auth.check(settings))

    def effect_class(self, write: Write) -> EffectClass:
        """Creations are looked up by their content; all else may be done twice."""
        return EffectClass.LOOKUP if write.verb is Verb.CREATE else EffectClass.IDEMPOTENT


class AmoCrmConnection:
    """One open amoCRM account. Thread-safe.

    Args:
        settings: the account's.
        doors: tokens, request budget, urgency and clock.
    """

    vendor = VENDOR

    def __init__(self, settings: auth.AmoCrmSettings, doors: Doors) -> None:
        self.key = settings.key
        self._settings = settings
        self._doors = doors
        authority = self._authority()
        self._line = Line(
            base_url=lambda: authority.base_url,
            access=authority.access,
            renew=authority.renew,
            dial=self._dialling(judge_for(self.key)),
            headers={"X-Context-User-ID": settings.user_id} if settings.user_id else {},
        )
        self._directory = Directory(self._line, settings, doors.clock)
        self._reader = Reader(self._line, Walker(self._line, doors.clock), Elements(self._line, doors.clock), self.key)
        self._recovery = Recovery(self._line, self._reader, self._record)
        self._feed = Feed(self._line, doors.clock, self.key)
        self._writer = Writer(
            self._line,
            self._directory,
            doors.clock,
            load=self.load,
            lookup=lambda write, since: self._recovery.find(write, since, ()),
        )

    def account(self) -> Account:
        """The account; one request, then remembered."""
        return self._directory.account()

    def supports(self, capability: Capability) -> Level:
        """How the account gives a capability; less while its event list is closed to us."""
        if self._feed.is_closed and capability in _NEEDS_EVENTS:
            return _NEEDS_EVENTS[capability]
        return _CAPABILITIES[capability]

    def load(self, refs: Sequence[Ref]) -> Sequence[Record]:
        """The records that exist; one request for up to 250 of one list."""
        mine = [ref for ref in refs if ref.account == self.key]
        return [self._record(kind, item) for kind, item in self._reader.load(mine)]

    def pages(self, kind: Kind, *, updated_since: datetime | None = None, cursor: str | None = None) -> Iterator[Page]:
        """All records of a kind by id, 250 a request and read ahead; with `updated_since` by time of change.

        Complete even while others change and delete; a record may come twice.
        """
        since = int(updated_since.timestamp()) if updated_since is not None else None
        account = self.account()
        for chunk in self._reader.pages(kind, since, cursor):
            yield Page(tuple([from_item(kind, item, account) for item in chunk.items]), chunk.cursor)

    def find(self, kind: Kind, query: Query) -> Sequence[Record]:
        """All that match; the vendor's wide search is narrowed by the normalized form."""
        found = (self._record(kind, raw) for raw in self._reader.find(kind, query))
        there = (record for record in found if not record.is_deleted)
        return narrowed(there, query, self._settings.country)

    def download(self, ref: Ref) -> bytes:
        """Raise Unsupported: files are not reached through this adapter."""
        raise unsupported(self.key, "give files through crmkit", "Put a link to the file into a note.")

    def fields(self, kind: Kind) -> Sequence[FieldDef]:
        """The custom fields of contacts, companies or deals; remembered for ten minutes."""
        return self._directory.fields(kind)

    def write(self, write: Write) -> Ref | None:
        """Do it with one request, and one more for links. None for a logged call whose number nobody has."""
        return sole(self._writer.write_many([write]))

    def write_many(self, writes: Sequence[Write]) -> Sequence[Ref | CrmKitError | None]:
        """Do them by fifties; a refused one is taken out and the others are sent again."""
        return self._writer.write_many(writes)

    def natives(self, record: Record) -> Sequence[Native]:
        """The filled fields that only the vendor's words tell."""
        return natives(record)

    def native_extra(self, kind: Kind, values: Mapping[str, Json], *, on: Record | None = None) -> Mapping[str, Json]:
        """`extra=` that fills native fields."""
        return native_extra(values, on)

    def recover(self, write: Write, *, since: datetime, known: Collection[Ref]) -> Ref | None:
        """The newest record with the write's content that is not older than `since`."""
        return self._recovery.find(write, since.timestamp(), known)

    def feed(self, cursor: str | None) -> FeedPage:
        """The account's changes behind `cursor`: events, then what they do not tell."""
        return self._feed.page(cursor)

    def ensure_hooks(self, url: str) -> HookState:
        """Have `url` subscribed once with all settings; older addresses of the same service are removed."""
        return ensure_hooks(self._line, url)

    def call(self, method: str, path: str, *, query: Sequence[tuple[str, str]] = (), body: Json = None) -> Json:
        """Any request below the account's address (`/api/v4/leads/tags`); None for an empty answer (204).

        A write is never repeated.
        """
        return self._line.send(method.upper(), f"/{path.lstrip('/')}", query, body)

    def close(self) -> None:
        """Give back the connections."""
        self._line.close()

    def _record(self, kind: Kind, item: Mapping[str, Any]) -> Record:
        return from_item(kind, item, self.account())

    def _authority(self) -> auth.Authority:
        if self._settings.token is not None:
            return auth.LongLived(self._settings, self._settings.token)
        dial = self._dialling(token_judge_for(self.key))
        return auth.OAuth(self._settings, self._doors.tokens, self._doors.clock, dial)

    def _dialling(self, judge: Judge) -> Callable[[str], Transport]:
        limits = auth.limits(self._settings)
        return lambda base_url: self._doors.transport(base_url, self._settings, limits, judge)
