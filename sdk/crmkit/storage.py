"""What an extension may keep and look up beside the CRM: the mirror, an index, a store of documents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol, TypeVar

from crmkit.models import Record
from crmkit.values import Json, Kind, Ref

R_co = TypeVar("R_co", bound=Record, covariant=True)
R = TypeVar("R", bound=Record)


class Mirror(Protocol):
    """The last seen copies of records of one account, without a request to the CRM."""

    def get(self, record: type[R], ref: Ref) -> R | None:
        """The last seen copy; None when it was never seen or is gone."""

    def get_many(self, record: type[R], refs: Sequence[Ref]) -> Mapping[Ref, R]:
        """The last seen copies by address, in one look; those never seen or gone are absent."""

    def scan(self, record: type[R], *, after: str = "") -> Iterator[R]:
        """All copies of a kind behind the id `after`, ordered by ids as text; changes meanwhile are seen or not."""

    def columns(self, record: type[R], *names: str) -> Iterator[tuple[object, ...]]:
        """Id and the named fields of each copy as plain values, where building records would be too slow."""

    def count(self, record: type[R]) -> int:
        """How many copies of a kind there are."""


class Index(Protocol):
    """Keys of records (a phone, a name's sound), namespaced by extension and account."""

    def put(self, ref: Ref, keys: Sequence[str]) -> None:
        """Replace the keys of a record; without any, nothing finds it."""

    def put_many(self, keys: Iterable[tuple[Ref, Sequence[str]]]) -> int:
        """Replace the keys of many records as they come, in bounded memory; how many of them had others.

        Broken off, it leaves the first of them put; put again, they cost little.
        """

    def find(self, keys: Sequence[str], *, limit: int = 100) -> Mapping[str, Sequence[Ref]]:
        """The records under each key, at most `limit` for one."""

    def counts(self, keys: Sequence[str]) -> Mapping[str, int]:
        """How many records each key has."""

    def missing(self, kind: Kind, *, after: str = "", limit: int = 1_000) -> Sequence[Ref]:
        """Mirrored records of a kind that were never put here, in the order of their ids behind `after`."""


class Store(Protocol):
    """Documents of an extension in one account: findings, journals, counters.

    Documents with a text under `rank` can be read and counted in the order of the ranks, however many there are; give
    each a rank of its own.
    """

    def get(self, collection: str, key: str) -> Mapping[str, Json] | None:
        """The document, or None."""

    def put(self, collection: str, key: str, document: Mapping[str, Json]) -> None:
        """Keep the document, replacing an older one."""

    def add(self, collection: str, key: str, document: Mapping[str, Json]) -> bool:
        """Keep the document unless there is one; False when there was."""

    def put_many(
        self, collection: str, documents: Iterable[tuple[str, Mapping[str, Json]]], *, replace: bool = True
    ) -> int:
        """Keep many documents in small transactions; without `replace` older ones stay. How many were written."""

    def delete(self, collection: str, key: str) -> None:
        """Forget the document; nothing happens when there is none."""

    def delete_many(self, collection: str, keys: Iterable[str]) -> None:
        """Forget many documents in small transactions."""

    def scan(self, collection: str, *, prefix: str = "") -> Iterator[tuple[str, Mapping[str, Json]]]:
        """Keys and documents of a collection in the order of the keys."""

    def ranked(self, collection: str, *, prefix: str = "", after: str = "") -> Iterator[tuple[str, Mapping[str, Json]]]:
        """Keys and documents in the order of their ranks, those whose ranks begin with `prefix` and are behind `after`.

        Lazy: a page costs what it holds. Documents without a rank are left out.
        """

    def count_ranked(self, collection: str, *, prefix: str = "") -> int:
        """How many documents have a rank that begins so; none of them is read."""
