"""GuardedConnection: an account as a handler gets it, on which every write happens once."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection as Tx
from sqlalchemy.exc import DBAPIError

from crmkit.adapter import Account, Capability, Connection, EffectClass, HookState, Level, Page, Query
from crmkit.errors import Conflict, CrmKitError, NotFound, Rejected, Unsupported, VendorDown
from crmkit.models import FieldDef, Record
from crmkit.values import Json, Kind, Ref
from crmkit.webhook import FeedPage
from crmkit.write import Native, Verb, Write
from crmkit_runtime import intents, ledger, mirror, planned
from crmkit_runtime.crashpoint import crashpoint
from crmkit_runtime.dispatch import follow
from crmkit_runtime.engines import LaneLost
from crmkit_runtime.engines.lanes import is_worked_on
from crmkit_runtime.intents import Intent
from crmkit_runtime.liveness import is_gone, owner_name
from crmkit_runtime.work import Work

log = logging.getLogger(__name__)

GRACE_S = 2.0
"""A request of a process that died may still be on its way for so long."""

CLOCKS_APART = timedelta(seconds=60)
"""How far the CRM's clock may be behind ours."""

LONGEST_KEY = 380
CHUNK = 50
PATIENCE_S = 1.0
"""How long a thread waits for another one that is doing the same effect, before it turns to other work."""


class GuardedConnection:
    """A connection whose writes are effects: stored before the call, and again with their result.

    A write that was begun and whose outcome nobody knows is looked up at the CRM before it is repeated. In plan mode
    writes become plan items. Reads pass.

    Args:
        inner: the account's own connection.
        work: the run that writes.
    """

    def __init__(self, inner: Connection, work: Work) -> None:
        self._inner = inner
        self._work = work
        self._database = work.service.database

    @property
    def vendor(self) -> str:
        """Vendor key."""
        return self._inner.vendor

    @property
    def key(self) -> str:
        """The account's key."""
        return self._inner.key

    def account(self) -> Account:
        """The account as it describes itself."""
        return self._inner.account()

    def supports(self, capability: Capability) -> Level:
        """How this account gives a capability."""
        return self._inner.supports(capability)

    def load(self, refs: Sequence[Ref]) -> Sequence[Record]:
        """The records that exist; in plan mode also those that would have been created."""
        drafts = planned.drafts(self._work, refs) if self._plans else ()
        # An extension may have kept the address of a plan in its store: no CRM knows it, in whichever mode we are now.
        real = [ref for ref in refs if not planned.is_placeholder(ref)]
        found = self._inner.load(real) if real else ()
        self._work.has_answer |= bool(real)
        return [*found, *drafts]

    def pages(self, kind: Kind, *, updated_since: datetime | None = None, cursor: str | None = None) -> Iterator[Page]:
        """All records of a kind, page by page."""
        for page in self._inner.pages(kind, updated_since=updated_since, cursor=cursor):
            self._work.has_answer = True
            yield page

    def find(self, kind: Kind, query: Query) -> Sequence[Record]:
        """All records that match, merged ones left out; none hang on a record that is only planned."""
        if any(isinstance(asked, Ref) and planned.is_placeholder(asked) for asked in query.asked().values()):
            return ()
        found = self._inner.find(kind, query)
        self._work.has_answer = True
        return self._without_merged(kind, found)

    def _without_merged(self, kind: Kind, found: Sequence[Record]) -> Sequence[Record]:
        """Where a merge leaves the losers, marked, they match what their survivor matches."""
        if len(found) < 2:
            return found
        ids = {record.ref.id for record in found}
        with self._database.read() as connection:
            merged = mirror.merged_among(connection, self.key, kind, sorted(ids))
        return [record for record in found if merged.get(record.ref.id) not in ids] if merged else found

    def download(self, ref: Ref) -> bytes:
        """The content of a file."""
        return self._inner.download(ref)

    def fields(self, kind: Kind) -> Sequence[FieldDef]:
        """The custom fields of a kind."""
        return self._inner.fields(kind)

    def natives(self, record: Record) -> Sequence[Native]:
        """The fields that only the vendor's words tell."""
        return self._inner.natives(record)

    def native_extra(self, kind: Kind, values: Mapping[str, Json], *, on: Record | None = None) -> Mapping[str, Json]:
        """`extra=` that fills native fields."""
        return self._inner.native_extra(kind, values, on=on)

    def recover(self, write: Write, *, since: datetime, known: Collection[Ref]) -> Ref | None:
        """The record that a lost write created."""
        return self._inner.recover(write, since=since, known=known)

    def feed(self, cursor: str | None) -> FeedPage:
        """The account's own changes."""
        return self._inner.feed(cursor)

    def ensure_hooks(self, url: str) -> HookState:
        """Make the CRM send its events to `url`."""
        return self._inner.ensure_hooks(url)

    def call(self, method: str, path: str, *, query: Sequence[tuple[str, str]] = (), body: Json = None) -> Json:
        """The native door; what goes through it is no effect. Raises Unsupported in plan mode for all but GET."""
        if self._plans and method.upper() not in ("GET", "HEAD"):
            raise Unsupported(
                f"{method} {path} was not sent: it cannot be planned",
                account=self.key,
                vendor=self.vendor,
                remedy="Use the typed calls of crm, or run the extension in mode apply.",
            )
        answer = self._inner.call(method, path, query=query, body=body)
        self._work.has_answer = True
        return answer

    def close(self) -> None:
        """Nothing: the connection belongs to the service."""

    def write(self, write: Write) -> Ref | None:
        """Do it once over all attempts, threads and processes; what it gave.

        Raises what the CRM answers. The run is suspended while the outcome of an earlier attempt may still change.
        """
        key, write = self._named(write)
        if self._plans:
            return planned.add(self._work, key, write)
        found = self._begin([(key, write)])[0]
        return self._send(key, write) if found is None else self._continue(found, write)

    def write_many(self, writes: Sequence[Write]) -> Sequence[Ref | CrmKitError | None]:
        """Do each once, in batches; a result for each, in order.

        Raises the first error that concerns the whole account: then nothing is given up, the run does the rest later.
        """
        named = [self._named(write) for write in writes]
        if self._plans:
            return [planned.add(self._work, key, write) for key, write in named]
        results: list[Ref | CrmKitError | None] = []
        for start in range(0, len(named), CHUNK):
            results += self._write_chunk(named[start : start + CHUNK])
        return results

    @property
    def _plans(self) -> bool:
        return self._work.installed.mode == "plan"

    def _named(self, write: Write) -> tuple[str, Write]:
        """The effect's name in its account and extension, and the write with the mark that the CRM may keep."""
        work = self._work
        if write.marker is not None:
            key = f"once:{write.verb.value}:{write.kind.value}:{write.marker}"
        else:
            digest = write.digest()
            work.equal[digest] += 1
            key = f"{self._origin()}:{work.handler}:{digest}:{work.equal[digest]}"
        if len(key) > LONGEST_KEY:
            key = f"{key[:300]}:{hashlib.blake2b(key.encode(), digest_size=16).hexdigest()}"
        mark = hashlib.blake2b(f"{work.extension}|{key}".encode(), digest_size=16).hexdigest()
        return key, replace(write, marker=mark)

    def _origin(self) -> str:
        # Tonight's plan is last night's plan again, not a second one: only what an event asks for is named by it.
        is_nightly = self._plans and self._work.subject is None
        return planned.UNNAMED.rstrip(":") if is_nightly else self._work.identity

    def _begin(self, named: Sequence[tuple[str, Write]]) -> list[Intent | None]:
        """Store the intents that are new; for each write its earlier intent, when there is one."""
        crashpoint("before_intent")
        with self._transaction() as tx:
            self._work.check(tx)
            self._work.begin_effects(tx)
            found: list[Intent | None] = []
            for key, write in named:
                earlier = intents.find(tx, self._work, key)
                if earlier is None:
                    intents.begin(tx, self._work, key, write)
                    self._work.begun += 1
                found.append(earlier)
        crashpoint("after_intent")
        return found

    @contextmanager
    def _transaction(self) -> Iterator[Tx]:
        """A fault of the database must not look like an answer of the CRM to a handler that catches everything."""
        try:
            with self._database.write() as tx:
                yield tx
        except DBAPIError as error:
            log.exception("account %s: an effect could not be stored", self.key)
            raise self._work.wait(1.0, f"the database cannot be written: {error.orig}") from error

    def _send(self, key: str, write: Write, *, again: bool = False) -> Ref | None:
        try:
            ref = self._inner.write(write)
        except Exception as error:
            if again and write.verb is Verb.DELETE and isinstance(error, NotFound):
                self._record([(key, write, None)])
                return None
            self._refused(key, error)
            raise
        crashpoint("after_call")
        self._record([(key, write, ref)])
        return ref

    def _write_chunk(self, named: Sequence[tuple[str, Write]]) -> list[Ref | CrmKitError | None]:
        found = self._begin(named)
        fresh = [pair for pair, earlier in zip(named, found, strict=True) if earlier is None]
        sent = dict(zip((key for key, _ in fresh), self._send_many(fresh), strict=True)) if fresh else {}
        results: list[Ref | CrmKitError | None] = []
        for (key, write), earlier in zip(named, found, strict=True):
            try:
                results.append(sent[key] if earlier is None else self._continue(earlier, write))
            except CrmKitError as error:
                results.append(error)
        for result in results:
            if isinstance(result, CrmKitError) and result.pauses_account:
                raise result
        return results

    def _send_many(self, named: Sequence[tuple[str, Write]]) -> Sequence[Ref | CrmKitError | None]:
        try:
            results = self._inner.write_many([write for _, write in named])
        except Exception as error:
            for key, _ in named:
                self._refused(key, error)
            raise
        crashpoint("after_call")
        done: list[tuple[str, Write, Ref | None]] = []
        for (key, write), result in zip(named, results, strict=True):
            if isinstance(result, CrmKitError):
                self._refused(key, result)
            else:
                done.append((key, write, result))
        self._record(done)
        return results

    def _refused(self, key: str, error: Exception) -> None:
        """An answer that says no ends the intent; no answer, or one that we cannot read, leaves it open."""
        is_definite = isinstance(error, CrmKitError) and not (isinstance(error, VendorDown) and error.maybe_applied)
        with self._transaction() as tx:
            if is_definite:
                intents.drop(tx, self._work, key)
                self._work.begun -= 1
            else:
                service = self._work.service
                until = service.clock.now() + timedelta(seconds=service.quarantine_s)
                intents.leave_unsure(tx, self._work, key, owner_name(), until)

    def _record(self, done: Sequence[tuple[str, Write, Ref | None]]) -> None:
        work = self._work
        work.has_answer = True
        with self._transaction() as tx:
            for key, write, made in done:
                ref = made or write.ref
                if not intents.finish(tx, work, key, ref):
                    raise LaneLost(f"another worker took over {key}")
                if ref is not None:
                    ledger.record(
                        tx,
                        work.service,
                        work.account.key,
                        write,
                        ref,
                        extension=work.extension,
                        run_id=work.run_id or 0,
                        depth=work.depth,
                    )
        work.service.bell.ring()
        crashpoint("after_record")

    def _continue(self, earlier: Intent, write: Write) -> Ref | None:
        """What an effect that was begun before gives: its result, or that of finding out."""
        current = self._after_others(earlier)
        if current is None:
            found = self._begin([(earlier.key, write)])[0]
            return self._send(earlier.key, write) if found is None else self._continue(found, write)
        if current.is_done:
            return self._address(current, write)
        kind = self._work.account.adapter.effect_class(current.write)
        if kind is EffectClass.IDEMPOTENT:
            self._take_over(current, write)
            return self._send(current.key, write, again=True)
        if kind is not EffectClass.NATIVE_KEY:
            self._wait_until_certain(current)
        self._take_over(current, current.write)
        return self._adopt(current) or self._repeat(current, kind)

    def _address(self, done: Intent, write: Write) -> Ref | None:
        if done.ref is None or write.verb is not Verb.CREATE:
            return done.ref
        with self._database.read() as connection:
            return follow(connection, done.ref)

    def _after_others(self, intent: Intent) -> Intent | None:
        """The intent once nobody is at it; None when it was refused to who held it."""
        until = time.monotonic() + PATIENCE_S
        while True:
            with self._database.read() as connection:
                current = intents.find(connection, self._work, intent.key)
            if current is None or current.is_done or not self._is_in_flight(current):
                return current
            if time.monotonic() > until:
                raise self._work.wait(1.0, f"another run is just doing {intent.key}")
            self._work.service.bell.wait(0.02)

    def _is_in_flight(self, intent: Intent) -> bool:
        if intent.unsure_until is not None or is_gone(intent.owner):
            return False
        now = self._work.service.clock.now()
        is_fresh = intent.at + timedelta(seconds=self._work.service.quarantine_s) > now
        if intent.run_id is None or self._work.run_id is None:
            return is_fresh
        if intent.run_id == self._work.run_id:
            return False
        with self._database.read() as connection:
            worked_on = is_worked_on(connection, intent.run_id, now)
        return is_fresh if worked_on is None else worked_on

    def _wait_until_certain(self, intent: Intent) -> None:
        """Suspend the run until a request that may still be on its way has certainly arrived or not."""
        service = self._work.service
        now, until = service.clock.now(), intent.unsure_until
        if until is None:
            is_dead = is_gone(intent.owner)
            until = now + timedelta(seconds=GRACE_S) if is_dead else intent.at + timedelta(seconds=service.quarantine_s)
            with self._transaction() as tx:
                intents.leave_unsure(tx, self._work, intent.key, intent.owner, until)
        if until > now:
            what = f"{intent.write.verb.value} of {intent.write.target}"
            raise self._work.wait((until - now).total_seconds(), f"nobody knows yet whether {what} was done")

    def _take_over(self, intent: Intent, write: Write) -> None:
        with self._transaction() as tx:
            self._work.check(tx)
            self._work.begin_effects(tx)
            current = intents.find(tx, self._work, intent.key)
            if current is None or not intents.take_over(tx, self._work, current, write):
                raise self._work.wait(1.0, f"another run is just doing {intent.key}")

    def _adopt(self, intent: Intent) -> Ref | None:
        """The record that the lost call did create."""
        with self._database.read() as connection:
            known = intents.known(connection, self._work, intent)
        found = self._inner.recover(intent.write, since=intent.at - CLOCKS_APART, known=known)
        if found is not None:
            self._record([(intent.key, intent.write, found)])
        return found

    def _repeat(self, intent: Intent, kind: EffectClass) -> Ref | None:
        try:
            return self._send(intent.key, intent.write)
        except (Conflict, Rejected):
            # The first call may have arrived after we looked: a CRM that knows our key then refuses the second.
            if kind is not EffectClass.NATIVE_KEY:
                raise
            with self._transaction() as tx:
                intents.begin(tx, self._work, intent.key, intent.write)
            adopted = self._adopt(intent)
            if adopted is None:
                with self._transaction() as tx:
                    intents.drop(tx, self._work, intent.key)
                raise
            return adopted
