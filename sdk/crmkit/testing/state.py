"""One account of the memory CRM: its records, its feed, its subscription; every change leaves a trace in the feed."""

from __future__ import annotations

from bisect import insort
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

from crmkit.adapter import Account
from crmkit.clock import Clock
from crmkit.models import Deal, FieldDef, File, Outcome, Pipeline, Record, StageRef
from crmkit.testing import furniture
from crmkit.testing.hooks import VENDOR, Hook, to_hook
from crmkit.values import Json, Kind, Ref
from crmkit.webhook import Action, Hint, Move

R = TypeVar("R", bound=Record)

STORED = frozenset({Kind.CONTACT, Kind.COMPANY, Kind.DEAL, Kind.LEAD, Kind.TASK, Kind.NOTE, Kind.FILE, Kind.CALL})
"""Kinds that programs may write."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the account's feed."""

    at: datetime
    hint: Hint


@dataclass(frozen=True, slots=True)
class Creation:
    """How a program's record came to be: what a lost answer is recovered by."""

    ref: Ref
    digest: str
    marker: str | None
    at: datetime


@dataclass(slots=True)
class AccountState:
    """What one account remembers.

    Args:
        key: the account's key.
        clock: where times come from; the CRM keeps whole seconds.
        hooks: where deliveries are laid down, shared by all accounts.
    """

    key: str
    clock: Clock
    hooks: list[Hook]
    timezone: str = "Europe/Moscow"
    records: dict[Ref, Record] = field(default_factory=dict)
    trash: dict[Ref, Record] = field(default_factory=dict)
    merged: dict[Ref, Ref] = field(default_factory=dict)
    feed: list[Row] = field(default_factory=list)
    created: list[Creation] = field(default_factory=list)
    contents: dict[Ref, bytes] = field(default_factory=dict)
    fields: dict[Kind, list[FieldDef]] = field(default_factory=dict)
    subscription: str | None = None
    is_subscription_enabled: bool = True
    _ids: dict[Kind, list[int]] = field(default_factory=lambda: defaultdict(list))
    _next: dict[Kind, int] = field(default_factory=lambda: defaultdict(lambda: 1))

    def __post_init__(self) -> None:
        self.fields = {kind: list(furniture.fields(kind)) for kind in STORED - {Kind.FILE}}
        for record in (*furniture.users(self.key), *furniture.pipelines(self.key)):
            self.put(record)

    @property
    def account(self) -> Account:
        """The account as it describes itself."""
        return Account(
            key=self.key,
            vendor=VENDOR,
            id=self.key,
            name=f"Компания {self.key}",
            url=f"memory://{self.key}",
            timezone=self.timezone,
            currency="RUB",
            user_id=furniture.API_USER,
        )

    def now(self) -> datetime:
        """The time as the CRM writes it down: whole seconds."""
        return self.clock.now().replace(microsecond=0)

    def new_ref(self, kind: Kind) -> Ref:
        """An address nobody has yet; accounts count alike, so that their ids are equal."""
        number = self._next[kind]
        self._next[kind] = number + 1
        return Ref(self.key, kind, str(number))

    def get(self, record: type[R], ref: Ref) -> R | None:
        """The record as it is now."""
        return cast("R | None", self.records.get(ref))

    def ids(self, kind: Kind) -> list[int]:
        """Numbers of the records of a kind, rising."""
        return self._ids[kind]

    def all(self, record: type[R]) -> Iterator[R]:
        """The records of a kind in the order of their numbers, as they are when the walk begins."""
        for number in tuple(self._ids[record.kind]):
            found = self.records.get(Ref(self.key, record.kind, str(number)))
            if found is not None:
                yield cast("R", found)

    def put(self, record: Record, *, extra: Mapping[str, Json] | None = None) -> Record:
        """Keep the record, with its body as the CRM would send it in `raw`."""
        if isinstance(record, File) and record.content is not None:
            self.contents[record.ref] = record.content
            record = record.model_copy(update={"content": None, "size": len(record.content)})
        kept_extra = {**record.raw.get("extra", {}), **(extra or {})}
        kept_extra.pop("custom", None)  # custom fields by the vendor's own door: they are among the others
        raw: dict[str, Any] = record.model_dump(mode="json", exclude={"raw"})
        if kept_extra:
            raw["extra"] = kept_extra
        stored = record.model_copy(update={"raw": raw})
        if record.ref not in self.records:
            insort(self._ids[record.ref.kind], int(record.ref.id))
        self.records[record.ref] = stored
        return stored

    def drop(self, ref: Ref) -> Record:
        """Take the record away; it stays in the trash."""
        record = self.records.pop(ref)
        self._ids[ref.kind].remove(int(ref.id))
        self.trash[ref] = record
        self.contents.pop(ref, None)
        return record

    def tell(self, ref: Ref, action: Action, actor: str, *, move: Move | None = None, hooks: bool = True) -> None:
        """Write a feed row and, unless the delivery is lost, lay down a hook; of files no CRM tells."""
        if ref.kind is Kind.FILE:
            return
        record = self.records.get(ref) or self.trash.get(ref)
        hint = Hint(ref, action, self.now(), actor, move, record.created_at if record else None, self.merged.get(ref))
        self.feed.append(Row(self.now(), hint))
        if hooks and self.is_subscription_enabled:
            self.hooks.append(to_hook(self.key, [hint], self.now()))

    def visible_rows(self, lag: timedelta) -> int:
        """How many rows of the feed can be read, when each shows up `lag` after its moment."""
        limit = self.clock.now() - lag
        shown = len(self.feed)
        while shown and self.feed[shown - 1].at > limit:
            shown -= 1
        return shown

    def first_stage(self) -> StageRef:
        """Where a deal begins when nobody says."""
        main = next(pipeline for pipeline in self.all(Pipeline) if pipeline.is_main)
        return main.stages[0].ref

    def outcome(self, stage: StageRef) -> Outcome | None:
        """What the stage means; None when there is no such stage."""
        pipeline = self.get(Pipeline, Ref(self.key, Kind.PIPELINE, stage.pipeline_id))
        found = [known.outcome for known in pipeline.stages if known.ref == stage] if pipeline else []
        return found[0] if found else None

    def patch(self, kind: type[R], holds: Callable[[R], bool], change: Callable[[R], Mapping[str, Any]]) -> list[Ref]:
        """Change the records of a kind for which `holds`; gives their addresses."""
        touched: list[Ref] = []
        for record in self.all(kind):
            if holds(record):
                self.put(record.model_copy(update={**change(record), "updated_at": self.now()}))
                touched.append(record.ref)
        return touched

    def move_of(self, before: Deal, after: Deal) -> Move | None:
        """The feed's account of a stage move; None when the deal stayed."""
        if after.stage is None or before.stage == after.stage:
            return None
        was = (before.stage.pipeline_id, before.stage.stage_id) if before.stage else None
        return Move(
            key=f"{self.key}:{len(self.feed) + 1}",
            from_stage=was,
            to_stage=(after.stage.pipeline_id, after.stage.stage_id),
            at=self.now(),
        )
