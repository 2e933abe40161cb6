"""What a CRM's adapter promises: the seam between crmkit and a vendor."""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from crmkit.clock import Clock, SystemClock
from crmkit.errors import CrmKitError
from crmkit.http import Judge, Limiter, RateLimit, Transport, Urgency
from crmkit.models import FieldDef, Record
from crmkit.settings import AccountSettings
from crmkit.tokens import TokenStore
from crmkit.values import Json, Kind, Ref
from crmkit.webhook import Delivery, FeedPage, Installation, WebhookRequest
from crmkit.write import Native, Write


class Capability(enum.StrEnum):
    """What a CRM may or may not be able to do; asked for with `requires=` before anything runs."""

    CONTACTS = "contacts"
    COMPANIES = "companies"
    DEALS = "deals"
    LEADS = "leads"
    TASKS = "tasks"
    NOTES = "notes"
    CALLS = "calls"
    LOG_CALLS = "log_calls"
    PIPELINES = "pipelines"
    LINE_ITEMS = "line_items"
    LOSS_REASONS = "loss_reasons"
    CUSTOM_FIELDS = "custom_fields"
    TAGS = "tags"
    FILES = "files"
    LINKS = "links"
    MERGE = "merge"
    DELETE = "delete"
    FIND_BY_PHONE = "find_by_phone"
    WEBHOOKS = "webhooks"
    STAGE_HISTORY = "stage_history"
    OWNER_HISTORY = "owner_history"
    DELETION_FEED = "deletion_feed"


class Level(enum.StrEnum):
    """How a capability is given."""

    NATIVE = "native"
    EMULATED = "emulated"
    ABSENT = "absent"


class EffectClass(enum.StrEnum):
    """How a write is kept from happening twice after a crash.

    NATIVE_KEY: the CRM refuses a repeat by our key. LOOKUP: a lost write is found by looking for its content.
    IDEMPOTENT: doing it twice is the same. NONE: it cannot be told.
    """

    NATIVE_KEY = "native_key"
    LOOKUP = "lookup"
    IDEMPOTENT = "idempotent"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Account:
    """An account of a CRM as it describes itself.

    Args:
        key: the account's name in crmkit.toml.
        vendor: vendor key.
        id: the vendor's id of the account.
        timezone: IANA zone name in which people of the account read times.
        country: ISO code; the default country of phones without one.
        user_id: the CRM user in whose name we write, where the CRM tells.
    """

    key: str
    vendor: str
    id: str
    name: str
    url: str
    timezone: str
    currency: str
    country: str = "RU"
    user_id: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Records in the order of the walk, and the cursor from which a broken walk goes on behind them.

    `is_dated` says that `updated_at` of these records is the time of their last change; where a vendor keeps no such
    time it may be earlier, and only the feed knows what changed since.
    """

    records: tuple[Record, ...]
    cursor: str
    is_dated: bool = True


@dataclass(frozen=True, slots=True)
class Query:
    """What to look for; every field that is set must match.

    `phone` is E.164 or as typed, `email` in any case; adapters filter the vendor's answer again by the normalized form.
    """

    phone: str | None = None
    email: str | None = None
    name: str | None = None
    inn: str | None = None
    contact: Ref | None = None
    company: Ref | None = None
    about: Ref | None = None
    owner_id: str | None = None
    is_open: bool | None = None

    def asked(self) -> Mapping[str, object]:
        """The fields that are set, by name."""
        return {name: value for name in self.__slots__ if (value := getattr(self, name)) is not None}


@dataclass(frozen=True, slots=True)
class HookState:
    """What became of the subscription: its address, and what was done (`kept`, `created`, `changed`, `revived`)."""

    url: str
    action: str


@dataclass(frozen=True, slots=True)
class Doors:
    """What a connection gets from whoever opens it.

    Args:
        tokens: where OAuth pairs are kept.
        limiter: the request budget, shared with everybody who uses the account.
        urgency: the queue this connection's calls stand in.
        clock: the time, and where to wait.
    """

    tokens: TokenStore
    limiter: Limiter
    urgency: Urgency = Urgency.LIVE
    clock: Clock = field(default_factory=SystemClock)

    def transport(
        self, base_url: str, settings: AccountSettings, limits: Sequence[RateLimit], judge: Judge
    ) -> Transport:
        """The way to an address of the account, within these limits; `judge` tells answers from refusals."""
        return Transport(
            base_url,
            vendor=settings.vendor,
            account=settings.key,
            judge=judge,
            limits=limits,
            limiter=self.limiter,
            urgency=self.urgency,
            clock=self.clock,
        )


class Connection(Protocol):
    """One open account. All ports of `Crm` stand on these few calls; every method may raise any `CrmKitError`.

    Thread-safe.
    """

    @property
    def vendor(self) -> str:
        """Vendor key."""

    @property
    def key(self) -> str:
        """The account's key in crmkit.toml; needs no request."""

    def account(self) -> Account:
        """The account as it describes itself; one request, then remembered."""

    def supports(self, capability: Capability) -> Level:
        """How this account gives a capability."""

    def load(self, refs: Sequence[Ref]) -> Sequence[Record]:
        """The records that exist, in any order, in as few requests as the vendor allows; those missing are left out."""

    def pages(self, kind: Kind, *, updated_since: datetime | None = None, cursor: str | None = None) -> Iterator[Page]:
        """All records of a kind, page by page, complete even while others change them (a record may come twice).

        `cursor` of an earlier page resumes behind it.
        """

    def find(self, kind: Kind, query: Query) -> Sequence[Record]:
        """All records that match. Raises Unsupported when the vendor cannot look for that."""

    def download(self, ref: Ref) -> bytes:
        """The content of a file. Raises NotFound, and Unsupported where the account has no files."""

    def fields(self, kind: Kind) -> Sequence[FieldDef]:
        """The custom fields that the account has for records of a kind."""

    def write(self, write: Write) -> Ref | None:
        """Do it; the created record's address for create, else None or the address of what was written."""

    def write_many(self, writes: Sequence[Write]) -> Sequence[Ref | CrmKitError | None]:
        """Do them in batches: a result for each, in order. One that is refused does not stop the others."""

    def natives(self, record: Record) -> Sequence[Native]:
        """The filled fields that only the vendor's words tell, custom ones among them; needs no request."""

    def native_extra(self, kind: Kind, values: Mapping[str, Json], *, on: Record | None = None) -> Mapping[str, Json]:
        """`extra=` of a write that fills these native fields, None emptying one.

        `on` is the record that is changed, as it is now; without it a new one is made. Needs no request.
        """

    def recover(self, write: Write, *, since: datetime, known: Collection[Ref]) -> Ref | None:
        """The record that `write`, sent at or after `since` with its answer lost, created; None when it did not.

        Records in `known` belong to other writes and are not taken.
        """

    def feed(self, cursor: str | None) -> FeedPage:
        """The next page of the account's own changes behind `cursor`; None starts at now and brings no hints."""

    def ensure_hooks(self, url: str) -> HookState:
        """Make the CRM send its events to `url`, once, whatever was subscribed before."""

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Sequence[tuple[str, str]] = (),
        body: Json = None,
    ) -> Json:
        """The native door: any request of the vendor's API, within its limits; a write is never repeated."""

    def close(self) -> None:
        """Give back network connections."""


@runtime_checkable
class Installable(Protocol):
    """A connection whose CRM tells of installations of our application; others have no such methods."""

    def install(self, installation: Installation) -> None:
        """Keep the tokens of an installation, once the CRM has confirmed that they are this account's.

        Raises WebhookRejected when it does not.
        """

    def hook_settings(self, *, afresh: bool = False) -> AccountSettings:
        """The account's settings with which hooks are checked: those of the last installation.

        Read from the token store when `afresh`, else as they were last read.
        """


class Adapter(Protocol):
    """One vendor. Pure but for `open`."""

    @property
    def vendor(self) -> str:
        """Vendor key."""

    @property
    def title(self) -> str:
        """The vendor's name for people."""

    @property
    def settings_type(self) -> type[AccountSettings]:
        """What an account of this vendor needs in crmkit.toml and the environment."""

    @property
    def capabilities(self) -> Mapping[Capability, Level]:
        """What the vendor can do at best."""

    @property
    def translator_version(self) -> int:
        """Raised whenever the same wire body gives another record: mirrored copies are translated again."""

    @property
    def volatile(self) -> Mapping[Kind, frozenset[str]]:
        """Record fields that change by themselves and never make an event."""

    def open(self, settings: AccountSettings, doors: Doors) -> Connection:
        """A connection; no request is made yet. Raises ConfigError for settings that cannot work."""

    def parse(self, request: WebhookRequest, settings: AccountSettings) -> Delivery:
        """What a hook says. Raises BadPayload for a body that cannot be read, WebhookRejected for a foreign account."""

    def translate(self, kind: Kind, raw: Mapping[str, Any], account: Account) -> Record:
        """The record that a stored wire body is: what `load` gave, by today's rules."""

    def limits(self, settings: AccountSettings) -> Sequence[RateLimit]:
        """The request budgets of the account."""

    def effect_class(self, write: Write) -> EffectClass:
        """How this write is kept from happening twice."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One item of a batch that was not done: its place in the input, and why."""

    index: int
    error: CrmKitError


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What became of a batch: addresses by place in the input, and the failures."""

    done: Mapping[int, Ref] = field(default_factory=dict)
    failed: tuple[Failure, ...] = ()


def sole(results: Sequence[Ref | CrmKitError | None]) -> Ref | None:
    """What became of the one write of a batch. Raises the error that it came to."""
    (result,) = results
    if isinstance(result, CrmKitError):
        raise result
    return result
