"""Reading records: by address in batches, whole kinds page by page, by what people know of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from crmkit.adapter import Query
from crmkit.errors import Unsupported
from crmkit.values import Kind, Ref
from crmkit_amocrm.client.elements import Elements
from crmkit_amocrm.client.line import Line, Params
from crmkit_amocrm.client.walk import OVERLAP_S, Stretch, Walker
from crmkit_amocrm.errors.refusals import unsupported
from crmkit_amocrm.translate import is_call
from crmkit_amocrm.wire import CALL_NOTES, PAGE, PARENTS, PATHS, WITH, WITH_ALONE, Item

_SMALL = (Kind.USER, Kind.PIPELINE, Kind.LEAD)
_TIMELINE = (Kind.NOTE, Kind.CALL)
_PHONE_TAIL = 10

_QUERIES: dict[Kind, frozenset[str]] = {
    Kind.CONTACT: frozenset({"phone", "email", "name", "company", "owner_id"}),
    Kind.COMPANY: frozenset({"phone", "email", "name", "inn", "owner_id"}),
    Kind.DEAL: frozenset({"contact", "company", "owner_id", "is_open", "name"}),
    Kind.TASK: frozenset({"about", "owner_id", "is_open"}),
    Kind.NOTE: frozenset({"about"}),
    Kind.CALL: frozenset({"about"}),
}
"""What can be asked for, by kind."""


class Chunk(NamedTuple):
    """Entities of one kind and the cursor behind them."""

    items: list[dict[str, Any]]
    cursor: str


class Reader:
    """Reads the records of one account, as wire shapes.

    Args:
        line: the way to the account.
        walker: walks over whole lists.
        elements: knows the products that deals hold.
        key: the account's key.
    """

    def __init__(self, line: Line, walker: Walker, elements: Elements, key: str) -> None:
        self._line = line
        self._walker = walker
        self._elements = elements
        self._key = key

    def load(self, refs: Sequence[Ref]) -> Iterator[tuple[Kind, Item]]:
        """Those of the records that exist; up to 250 of a list in one request."""
        for (kind, path), ids in _by_list(refs).items():
            for start in range(0, len(ids), PAGE):
                yield from ((kind, item) for item in self._batch(kind, path, ids[start : start + PAGE]))

    def pages(self, kind: Kind, since: int | None, cursor: str | None) -> Iterator[Chunk]:
        """A whole kind, or what changed in it since a moment; complete while others change it."""
        if kind in _SMALL:
            name = "unsorted" if kind is Kind.LEAD else PATHS[kind].rpartition("/")[2]
            stretches = self._walker.small(PATHS[kind], name, _with(PATHS[kind]))
            yield from (Chunk(_fresh(stretch.items, since), "0:") for stretch in stretches)
            return
        part, _, position = (cursor or "0:").partition(":")
        lists = self._lists(kind)
        for number in range(int(part), len(lists)):
            path = lists[number]
            for stretch in self._walk(kind, path, since, position or None):
                yield Chunk(self._whole(kind, path, stretch.items), f"{number}:{stretch.position}")
            position = ""

    def find(self, kind: Kind, query: Query) -> Iterator[Item]:
        """Candidates for a query; the vendor's search is wide, so they must be checked again.

        Raises Unsupported for what cannot be looked for.
        """
        asked = query.asked().keys()
        known = _QUERIES.get(kind, frozenset())
        if not asked <= known or not asked:
            raise self._unsupported(kind, sorted(asked - known) or ["nothing"])
        if kind in _TIMELINE:
            return self._on_card(kind, query)
        if kind is Kind.TASK:
            return self._tasks(query)
        if kind is Kind.DEAL and (query.contact or query.company):
            return self._linked_deals(query)
        return self._searched(kind, query)

    def since(self, path: str, name: str, moment: int, params: Params = ()) -> Iterator[dict[str, Any]]:
        """Entities of a list changed at or after a moment."""
        for stretch in self._walker.by_change(path, name, params, moment):
            yield from stretch.items

    def timeline_since(self, kind: Kind, parents: Iterable[str], moment: int) -> Iterator[Item]:
        """Notes or calls made or changed at or after a moment, on the cards of these lists."""
        for parent in parents:
            path = f"{parent}/notes"
            yield from _belonging(kind, path, list(self.since(path, "notes", moment, _notes_of(kind))))

    def _walk(self, kind: Kind, path: str, since: int | None, position: str | None) -> Iterator[Stretch]:
        if kind in _TIMELINE:
            # Nothing tells which notes were deleted meanwhile, so they are walked by time, where nothing can slide.
            return self._walker.by_change(path, "notes", _notes_of(kind), max(0, (since or 0) - OVERLAP_S), position)
        params = _with(path)
        if since is None:
            return self._walker.by_id(path, params, position)
        begin = since - OVERLAP_S
        if kind is Kind.TASK:
            # Tasks cannot be ordered by their change; a list of those changed since then only grows.
            return self._walker.by_id(path, [*params, ("filter[updated_at][from]", str(begin))], position)
        return self._walker.by_change(path, path, params, begin, position)

    def _lists(self, kind: Kind) -> list[str]:
        if kind in _TIMELINE:
            return [f"{parent}/notes" for parent in PARENTS]
        if kind not in PATHS:
            raise self._unsupported(kind, ["it"])
        return [PATHS[kind]]

    def _batch(self, kind: Kind, path: str, ids: list[str]) -> list[dict[str, Any]]:
        if kind is Kind.PIPELINE:
            return [item for item in self._line.every(path, "pipelines") if str(item["id"]) in ids]
        if kind is Kind.USER:
            users = self._line.every(path, "users", _with(path))
            return [item for item in users if str(item["id"]) in ids]
        name, key = ("unsorted", "uid") if kind is Kind.LEAD else (path.rpartition("/")[2], "id")
        wanted = [(f"filter[{key}][]", one) for one in ids]
        found = self._line.items(path, name, [*_with(path, is_alone=True), *wanted, ("limit", str(PAGE))])
        # An account without the filter option gives the beginning of the whole list instead.
        mine = [item for item in found if str(item.get(key)) in ids and not item.get("is_deleted")]
        return self._whole(kind, path, mine)

    def _whole(self, kind: Kind, path: str, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if kind is Kind.DEAL:
            self._elements.describe(items)
        return _belonging(kind, path, items)

    def _on_card(self, kind: Kind, query: Query) -> Iterator[Item]:
        parent = PATHS.get(query.about.kind, "") if query.about else ""
        if query.about is None or parent not in PARENTS:
            raise self._unsupported(kind, ["about"])
        found = self._line.every(f"{parent}/{query.about.id}/notes", "notes", _notes_of(kind))
        return iter(_belonging(kind, f"{parent}/notes", list(found)))

    def _tasks(self, query: Query) -> Iterator[Item]:
        params: list[tuple[str, str]] = [("order[id]", "asc")]
        if query.about is not None:
            params += [("filter[entity_type]", PATHS.get(query.about.kind, ""))]
            params += [("filter[entity_id][]", query.about.id)]
        if query.owner_id is not None:
            params.append(("filter[responsible_user_id][]", query.owner_id))
        if query.is_open is not None:
            params.append(("filter[is_completed]", "0" if query.is_open else "1"))
        return self._line.every("tasks", "tasks", params)

    def _linked_deals(self, query: Query) -> Iterator[Item]:
        """The deals of a contact or a company, which know them by id."""
        ids: set[str] | None = None
        for other in (query.contact, query.company):
            if other is None:
                continue
            path = PATHS[other.kind]
            params = [("with", "leads"), ("filter[id][]", other.id)]
            cards = [card for card in self._line.items(path, path, params) if str(card["id"]) == other.id]
            linked = {str(deal["id"]) for card in cards for deal in (card.get("_embedded") or {}).get("leads") or []}
            ids = linked if ids is None else ids & linked
        return (item for _, item in self.load([Ref(self._key, Kind.DEAL, one) for one in sorted(ids or ())]))

    def _searched(self, kind: Kind, query: Query) -> Iterator[Item]:
        path = PATHS[kind]
        params = _with(path)
        text = _phone_tail(query.phone) if query.phone else query.email or query.inn or query.name
        if text:
            params.append(("query", text))
        if query.owner_id is not None:
            params.append(("filter[responsible_user_id][]", query.owner_id))
        return iter(self._whole(kind, path, list(self._line.every(path, path, params))))

    def _unsupported(self, kind: Kind, names: Sequence[str]) -> Unsupported:
        what = f"look for records of kind {kind.value} by {', '.join(names)}"
        return unsupported(self._key, what, "Iterate over them and choose.")


def _phone_tail(phone: str) -> str:
    # Phones are stored as typed, with 8, 7 or +7 before the last ten digits, and the search compares digits.
    digits = re.sub(r"\D", "", phone)
    return digits[-_PHONE_TAIL:] or phone


def _by_list(refs: Sequence[Ref]) -> dict[tuple[Kind, str], list[str]]:
    lists: dict[tuple[Kind, str], list[str]] = {}
    for ref in dict.fromkeys(refs):
        path, record_id = PATHS.get(ref.kind, ""), ref.id
        if ref.kind in _TIMELINE:
            parent, _, record_id = ref.id.partition(".")
            path = f"{parent}/notes" if parent in PARENTS else ""
        is_address = record_id.isdigit() or (ref.kind is Kind.LEAD and record_id.isalnum())
        if path and is_address:
            lists.setdefault((ref.kind, path), []).append(record_id)
    return lists


def _with(path: str, *, is_alone: bool = False) -> list[tuple[str, str]]:
    embeds = WITH_ALONE.get(path, WITH.get(path)) if is_alone else WITH.get(path)
    return [("with", embeds)] if embeds else []


def _notes_of(kind: Kind) -> list[tuple[str, str]]:
    return [("filter[note_type][]", name) for name in CALL_NOTES] if kind is Kind.CALL else []


def _belonging(kind: Kind, path: str, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Notes with the list they stand in, which the vendor leaves out; of a mixed list only the asked kind."""
    if kind not in _TIMELINE:
        return items
    parent = path.partition("/")[0]
    return [{**item, "entity_type": parent} for item in items if is_call(item) is (kind is Kind.CALL)]


def _fresh(items: list[dict[str, Any]], since: int | None) -> list[dict[str, Any]]:
    if since is None:
        return items
    times = ((item.get("updated_at") or item.get("created_at"), item) for item in items)
    return [item for at, item in times if at is None or at >= since]
