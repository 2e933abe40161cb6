"""The desk: what a handler has beside the CRM, kept in the database: mirror, store, choice of owners."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import TypeVar

from sqlalchemy import ColumnElement, Connection, delete, func, select

from crmkit.assignment import Choice, Policy, choose
from crmkit.models import Task, User
from crmkit.storage import R
from crmkit.values import Json, Kind, Ref
from crmkit_runtime import mirror
from crmkit_runtime.database import Database, upsert
from crmkit_runtime.service import OpenAccount, Service
from crmkit_runtime.tables import document
from crmkit_runtime.work import Work

T = TypeVar("T")

CHUNK = 500
_BEHIND_ALL = "\U0010ffff"
TURNS = "crmkit.turns"
"""Collection in which an extension's turns are remembered."""

CHOICES = "crmkit.choices"
"""Collection in which a run's choices are remembered until it is done: its next attempt must choose the same."""


class DeskMirror:
    """The last seen copies of one account."""

    def __init__(self, database: Database, account: str) -> None:
        self._database = database
        self._account = account

    def get(self, record: type[R], ref: Ref) -> R | None:
        """The last seen copy."""
        with self._database.read() as connection:
            return mirror.get(connection, record, ref)

    def get_many(self, record: type[R], refs: Sequence[Ref]) -> Mapping[Ref, R]:
        """The last seen copies of those that are there."""
        with self._database.read() as connection:
            return mirror.get_many(connection, self._account, record, refs)

    def scan(self, record: type[R], *, after: str = "") -> Iterator[R]:
        """All copies of a kind behind an id, in the order of their ids."""
        return mirror.scan(self._database, self._account, record, after=after)

    def columns(self, record: type[R], *names: str) -> Iterator[tuple[object, ...]]:
        """Id and the named fields of each copy."""
        return mirror.columns(self._database, self._account, record, *names)

    def count(self, record: type[R]) -> int:
        """How many copies of a kind there are."""
        with self._database.read() as connection:
            return mirror.count(connection, self._account, record.kind)


class DeskStore:
    """Documents of one extension in one account."""

    def __init__(self, database: Database, account: str, extension: str) -> None:
        self._database = database
        self._names = {"account": account, "extension": extension}
        self._mine = (document.c.account == account) & (document.c.extension == extension)

    def get(self, collection: str, key: str) -> Mapping[str, Json] | None:
        """The document, or None."""
        with self._database.read() as connection:
            return self.read(connection, collection, key)

    def put(self, collection: str, key: str, document: Mapping[str, Json]) -> None:
        """Keep the document. Raises TypeError for what is not JSON."""
        with self._database.write() as tx:
            self.keep(tx, collection, key, document)

    def add(self, collection: str, key: str, document: Mapping[str, Json]) -> bool:
        """Keep the document unless there is one; False when there was."""
        with self._database.write() as tx:
            return self.keep(tx, collection, key, document, replace=False)

    def put_many(
        self, collection: str, documents: Iterable[tuple[str, Mapping[str, Json]]], *, replace: bool = True
    ) -> int:
        """Keep many documents, a chunk a transaction; how many were written."""
        written = 0
        for chunk in _chunks(documents):
            with self._database.write() as tx:
                written += self._keep_all(tx, collection, dict(chunk), replace=replace)
        return written

    def delete(self, collection: str, key: str) -> None:
        """Forget the document."""
        with self._database.write() as tx:
            tx.execute(delete(document).where(self._at(collection, key)))

    def delete_many(self, collection: str, keys: Iterable[str]) -> None:
        """Forget many documents, a chunk a transaction."""
        for chunk in _chunks(keys):
            some = self._mine & (document.c.collection == collection) & document.c.key.in_(chunk)
            with self._database.write() as tx:
                tx.execute(delete(document).where(some))

    def scan(self, collection: str, *, prefix: str = "") -> Iterator[tuple[str, Mapping[str, Json]]]:
        """Keys and documents in the order of the keys, a chunk a transaction."""
        last: str | None = None
        mine = self._mine & (document.c.collection == collection)
        while True:
            behind = document.c.key >= prefix if last is None else document.c.key > last
            query = select(document.c.key, document.c.body).where(mine & behind).order_by(document.c.key).limit(CHUNK)
            with self._database.read() as connection:
                rows = connection.execute(query).all()
            for key, body in rows:
                if not key.startswith(prefix):
                    return
                yield key, json.loads(body)
            if len(rows) < CHUNK:
                return
            last = rows[-1].key

    def ranked(self, collection: str, *, prefix: str = "", after: str = "") -> Iterator[tuple[str, Mapping[str, Json]]]:
        """Keys and documents in the order of their ranks, a chunk a transaction."""
        chosen = select(document.c.key, document.c.rank, document.c.body).order_by(document.c.rank).limit(CHUNK)
        while True:
            query = chosen.where(self._ranks(collection, prefix, after))
            with self._database.read() as connection:
                rows = connection.execute(query).all()
            for row in rows:
                yield row.key, json.loads(row.body)
            if len(rows) < CHUNK:
                return
            after = rows[-1].rank

    def count_ranked(self, collection: str, *, prefix: str = "") -> int:
        """How many documents have a rank that begins so, counted in the index alone."""
        query = select(func.count()).select_from(document).where(self._ranks(collection, prefix))
        with self._database.read() as connection:
            return connection.execute(query).scalar_one()

    def read(self, connection: Connection, collection: str, key: str) -> Mapping[str, Json] | None:
        """The document as a transaction sees it."""
        body = connection.execute(select(document.c.body).where(self._at(collection, key))).scalar()
        found: Mapping[str, Json] | None = json.loads(body) if body is not None else None
        return found

    def keep(
        self, tx: Connection, collection: str, key: str, body: Mapping[str, Json], *, replace: bool = True
    ) -> bool:
        """Keep the document in a transaction; False when there was one and it is not to be replaced."""
        return self._keep_all(tx, collection, {key: body}, replace=replace) == 1

    def forget(self, tx: Connection, collection: str, prefix: str) -> None:
        """Forget all documents whose keys begin so."""
        mine = self._mine & (document.c.collection == collection)
        tx.execute(delete(document).where(mine & document.c.key.startswith(prefix, autoescape=True)))

    def _keep_all(
        self, tx: Connection, collection: str, bodies: Mapping[str, Mapping[str, Json]], *, replace: bool
    ) -> int:
        rows = [
            {
                **self._names,
                "collection": collection,
                "key": key,
                "body": json.dumps(body, ensure_ascii=False),
                "rank": rank if isinstance(rank := body.get("rank"), str) else None,
            }
            for key, body in bodies.items()
        ]
        conflict = ["account", "extension", "collection", "key"]
        return upsert(tx, document, rows, conflict=conflict, update=["body", "rank"] if replace else [])

    def _at(self, collection: str, key: str) -> ColumnElement[bool]:
        return self._mine & (document.c.collection == collection) & (document.c.key == key)

    def _ranks(self, collection: str, prefix: str, after: str = "") -> ColumnElement[bool]:
        # The index holds what has a rank, and serves only a query that says so; of two lower bounds it uses the first.
        here = self._mine & (document.c.collection == collection) & document.c.rank.is_not(None)
        behind = document.c.rank > after if after >= prefix else document.c.rank >= prefix
        return here & behind & (document.c.rank < prefix + _BEHIND_ALL)


class DeskAssign:
    """Chooses owners for one run: turns pass over workers and restarts, an attempt repeated chooses the same."""

    def __init__(self, work: Work, users: Staff) -> None:
        self._work = work
        self._users = users
        self._store = DeskStore(work.service.database, work.account.key, work.extension)

    def __call__(
        self,
        policy: Policy,
        *,
        owner_id: str | None = None,
        among: Sequence[str] = (),
        fixed: str | None = None,
    ) -> Choice:
        """The user by `policy`, and why."""
        work = self._work
        work.choices += 1
        active = self._users.active(work.account)
        load = self._open_tasks() if policy == "least_loaded" else {}
        place, turn = f"{work.identity}/{work.handler}/{work.choices}", ",".join(among) or "all"
        with work.service.database.write() as tx:
            work.check(tx)
            made = self._store.read(tx, CHOICES, place)
            if made is not None:
                return Choice(_text(made["user_id"]), str(made["reason"]))
            last = self._store.read(tx, TURNS, turn) or {}
            choice = choose(
                policy,
                active=active,
                owner_id=owner_id,
                among=among,
                fixed=fixed,
                last=_text(last.get("user_id")),
                load=load,
            )
            if choice.is_turn:
                self._store.keep(tx, TURNS, turn, {"user_id": choice.user_id})
            self._store.keep(tx, CHOICES, place, {"user_id": choice.user_id, "reason": choice.reason})
        return choice

    def forget(self, tx: Connection) -> None:
        """The run is done: nothing will ask for its choices again."""
        if self._work.choices:
            self._store.forget(tx, CHOICES, f"{self._work.identity}/{self._work.handler}/")

    def _open_tasks(self) -> Mapping[str, int]:
        tasks = DeskMirror(self._work.service.database, self._work.account.key).columns(Task, "owner_id", "is_done")
        return Counter(str(owner) for _, owner, is_done in tasks if owner is not None and not is_done)


class Staff:
    """The active users of each account, read again every few minutes."""

    FRESH = timedelta(minutes=5)

    def __init__(self, service: Service) -> None:
        self._clock = service.clock
        self._lock = threading.Lock()
        self._known: dict[str, tuple[datetime, Sequence[str]]] = {}

    def active(self, account: OpenAccount) -> Sequence[str]:
        """Ids of the account's active users, in the CRM's order; asks the CRM when they are not known or stale."""
        with self._lock:
            known = self._known.get(account.key)
        now = self._clock.now()
        if known and now - known[0] < self.FRESH:
            return known[1]
        users = [user for page in account.live.pages(Kind.USER) for user in page.records]
        found = tuple(user.ref.id for user in users if isinstance(user, User) and user.is_active)
        with self._lock:
            self._known[account.key] = (now, found)
        return found


def _chunks(items: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(items)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk


def _text(value: Json) -> str | None:
    return None if value is None else str(value)
