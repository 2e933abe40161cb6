"""Reading records: by address in batches, whole kinds page by page, by what people know of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from crmkit.adapter import Query
from crmkit.errors import Unsupported
from crmkit.identity import normalize_email
from crmkit.values import Kind, Ref
from crmkit_retailcrm.client.directory import Directory
from crmkit_retailcrm.client.enrich import Enricher
from crmkit_retailcrm.client.history import TOLD, History
from crmkit_retailcrm.client.line import Line
from crmkit_retailcrm.client.sheets import Sheets
from crmkit_retailcrm.client.survivors import Survivors
from crmkit_retailcrm.client.walk import Walker
from crmkit_retailcrm.errors.refusals import gone, unsupported
from crmkit_retailcrm.translate import paragraphs
from crmkit_retailcrm.wire import CARDS, CORPORATE, OURS, PAGE, SHELVES, Item, as_map, listed

_QUERIES: dict[Kind, frozenset[str]] = {
    Kind.CONTACT: frozenset({"phone", "email", "name", "owner_id"}),
    Kind.COMPANY: frozenset({"phone", "email", "name", "inn", "contact", "owner_id"}),
    Kind.DEAL: frozenset({"contact", "company", "owner_id", "is_open", "name"}),
    Kind.TASK: frozenset({"about", "owner_id", "is_open"}),
    Kind.NOTE: frozenset({"about"}),
    Kind.FILE: frozenset({"about"}),
}
"""What can be asked for, by kind."""

_TAIL = 7
"""Digits at the end of a number that every spelling of it has."""

_NOTE_LISTS = ("customers", "customers-corporate")
_PATHS = {kind: path for path, kind in CARDS.items()}
_FILES_OF: Mapping[Kind, str] = {Kind.DEAL: "orderIds", Kind.CONTACT: "customerIds"}


class Chunk(NamedTuple):
    """Entities of one kind and the cursor behind them."""

    items: list[dict[str, Any]]
    cursor: str


class Reader:
    """Reads the records of one account, as wire shapes.

    Args:
        line: the way to the account.
        walker: walks over whole lists.
        history: the account's record of changes.
        enricher: completes what was read.
        directory: what the account has by name.
        key: the account's key.
    """

    def __init__(
        self, line: Line, walker: Walker, history: History, enricher: Enricher, directory: Directory, key: str
    ) -> None:
        self._line = line
        self._walker = walker
        self._history = history
        self._enricher = enricher
        self._directory = directory
        self._key = key

    def load(self, refs: Sequence[Ref]) -> Iterator[tuple[Kind, Item]]:
        """Those of the records that exist; up to 100 of a list in one request."""
        by_kind: dict[Kind, list[str]] = {}
        for ref in dict.fromkeys(refs):
            by_kind.setdefault(ref.kind, []).append(ref.id)
        for kind, ids in by_kind.items():
            if kind is Kind.NOTE:
                yield from ((kind, item) for item in self._notes(ids))
            elif kind in (Kind.USER, Kind.PIPELINE):
                rows = self._directory.users(afresh=True) if kind is Kind.USER else self._directory.pipelines()
                yield from ((kind, item) for item in rows if str(item["id"]) in ids)
            elif kind in SHELVES:
                found = self._walker.by_ids(kind, [one for one in ids if one.isascii() and one.isdigit()])
                yield from ((kind, item) for item in self._enricher.completed(kind, found))

    def pages(self, kind: Kind, since: datetime | None, cursor: str | None) -> Iterator[Chunk]:
        """A whole kind, or what changed in it since a moment; complete while others change it."""
        if kind is Kind.NOTE:
            yield from self._all_notes(cursor)
            return
        if kind in (Kind.USER, Kind.PIPELINE):
            rows = self._directory.users(afresh=True) if kind is Kind.USER else self._directory.pipelines(afresh=True)
            yield Chunk([dict(row) for row in rows], "")
            return
        if kind not in SHELVES:
            raise self._unsupported(kind, ["it"])
        if kind not in TOLD:
            stretches = self._walker.settled(kind)
        elif since is not None:
            place = (cursor or "").removeprefix("~") or self._history.since(kind, since)
            stretches = self._walker.changed(kind, place)
        else:
            stretches = self._walker.whole(kind, cursor)
        firms = self._enricher.firms.for_walk()
        for stretch in stretches:
            if stretch.items:
                yield Chunk(self._enricher.completed(kind, stretch.items, firms), stretch.position)

    def find(self, kind: Kind, query: Query) -> Iterator[Item]:
        """Candidates for a query; the vendor's search is wide, so they must be checked again.

        Raises Unsupported for what cannot be looked for.
        """
        asked = query.asked().keys()
        known = _QUERIES.get(kind, frozenset())
        if not asked <= known or not asked:
            raise self._unsupported(kind, sorted(asked - known) or ["nothing"])
        if kind is Kind.NOTE and query.about is not None:
            return self.notes_on(query.about)
        found: list[dict[str, Any]] = []
        for params in self._searches(kind, query):
            found += self._line.every(SHELVES[kind].path, SHELVES[kind].many, params)
        unique = {item["id"]: item for item in found}.values()
        chosen = [item for item in unique if kind is not Kind.COMPANY or self._may_be(item, query)]
        return iter(self._enricher.completed(kind, chosen))

    def _may_be(self, firm: Item, query: Query) -> bool:
        """A company may have the phone and the e-mail asked for: its parts cost requests, most are ruled out before."""
        fields = as_map(firm.get("customFields"))
        texts = {name: str(fields.get(self._directory.role(name) or "") or "") for name in ("phone", "email")}
        if query.phone is not None and _digits(query.phone)[-_TAIL:] not in _digits(texts["phone"]):
            return False
        email = normalize_email(query.email) or query.email if query.email is not None else ""
        return email.partition("@")[0].casefold() in texts["email"].casefold()

    def by_key(self, kind: Kind, key: str) -> dict[str, Any] | None:
        """The entity that stands under a key of ours, as it came."""
        shelf = SHELVES[kind]
        params = [("filter[externalIds][]", key), ("limit", "20")]
        return next(iter(listed(self._line.get(shelf.path, params), shelf.many)), None)

    def present(self, ref: Ref) -> tuple[Ref, dict[str, Any]]:
        """A record as it is now, or the one that took it in. Raises NotFound.

        Lists leave out what was merged; the record's own address names the survivor.
        """
        found = next((item for _, item in self.load([ref])), None)
        if found is None:
            ref = Survivors(self._line).of(ref)
            found = next((item for _, item in self.load([ref])), None)
        if found is None:
            raise gone(ref.account, str(ref))
        return ref, dict(found)

    def order(self, record_id: str) -> dict[str, Any] | None:
        """An order as it is now; None when it is gone."""
        return next(iter(self._walker.by_ids(Kind.DEAL, [record_id])), None)

    def task(self, record_id: str) -> dict[str, Any] | None:
        """A task as it is now; None when it is gone."""
        return next(iter(self._walker.by_ids(Kind.TASK, [record_id])), None)

    def content(self, ref: Ref) -> bytes:
        """The bytes of a file. Raises NotFound."""
        if ref.kind is not Kind.FILE or not (ref.id.isascii() and ref.id.isdigit()):
            raise gone(ref.account, str(ref))
        return self._line.download(f"files/{ref.id}/download")

    def _searches(self, kind: Kind, query: Query) -> Iterator[list[tuple[str, str]]]:
        """Filters of the lists whose answers together hold all that may match."""
        owner = [("filter[managers][]", query.owner_id)] if query.owner_id else []
        match kind:
            case Kind.CONTACT if query.phone:
                yield from ([("filter[name]", text), *owner] for text in _spellings(query.phone))
            case Kind.CONTACT:
                named = [("filter[email]", query.email)] if query.email else []
                named += [("filter[name]", query.name)] if query.name else []
                yield [*named, *owner]
            case Kind.COMPANY:
                named = [("filter[contragentInn]", query.inn)] if query.inn else []
                named += [("filter[nickName]", query.name)] if query.name else []
                named += [("filter[contactIds][]", query.contact.id)] if query.contact else []
                yield [*named, *owner]
            case Kind.TASK:
                yield self._task_filter(query)
            case Kind.FILE if query.about is not None:
                if query.about.kind not in _FILES_OF:
                    raise self._unsupported(kind, [f"a {query.about.kind.value}"])
                yield [(f"filter[{_FILES_OF[query.about.kind]}][]", query.about.id)]
            case _:
                yield from ([*party, *owner] for party in self._parties(query))

    def _parties(self, query: Query) -> Iterator[list[tuple[str, str]]]:
        """Orders by their customer; those of a person's company name the person as contact only."""
        if query.contact is None and query.company is None:
            yield []
            return
        if query.company is not None:
            yield [("filter[customerId]", query.company.id)]
            return
        if query.contact is not None:
            yield [("filter[customerId]", query.contact.id)]
            for _, person in self.load([query.contact]):
                company = as_map(person.get(OURS)).get("company")
                if company:
                    yield [("filter[customerId]", str(company))]

    def _task_filter(self, query: Query) -> list[tuple[str, str]]:
        params: list[tuple[str, str]] = []
        if query.is_open is not None:
            params.append(("filter[status]", "performing" if query.is_open else "completed"))
        if query.owner_id is not None:
            params.append(("filter[performers][]", query.owner_id))
        if query.about is not None and query.about.kind is Kind.DEAL:
            # Tasks are looked for by the number that people see; other orders may have the same one.
            order = self.order(query.about.id)
            if order is not None and order.get("number"):
                params.append(("filter[orderNumber]", str(order["number"])))
        return params

    def notes_on(self, about: Ref | None) -> Iterator[dict[str, Any]]:
        """The notes on a card; for an order the paragraphs of its comment."""
        return iter(self._on_card(about) if about is not None else ())

    def _on_card(self, about: Ref) -> list[dict[str, Any]]:
        if about.kind is Kind.DEAL:
            order = self.order(about.id)
            return list(paragraphs(order)) if order else []
        path = _PATHS.get(about.kind)
        if path is None:
            raise self._unsupported(Kind.NOTE, [f"a {about.kind.value}"])
        found = self._line.every(f"{path}/notes", "notes", [("filter[customerIds][]", about.id)])
        return [_typed(note, path) for note in found if str(as_map(note.get("customer")).get("id")) == about.id]

    def _notes(self, ids: Sequence[str]) -> Iterator[dict[str, Any]]:
        by_list: dict[str, list[str]] = {}
        for one in ids:
            path, _, number = one.partition(".")
            by_list.setdefault(path, []).append(number)
        for path in _NOTE_LISTS:
            wanted = by_list.get(path, [])
            for start in range(0, len(wanted), PAGE):
                params = [("filter[ids][]", one) for one in wanted[start : start + PAGE]]
                body = self._line.get(f"{path}/notes", [*params, ("limit", str(PAGE))])
                yield from (_typed(note, path) for note in listed(body, "notes"))
        wanted = by_list.get("orders", [])
        orders = list(dict.fromkeys(one.partition(".")[0] for one in wanted))
        for order in self._walker.by_ids(Kind.DEAL, [one for one in orders if one.isdigit()]):
            yield from (note for note in paragraphs(order) if note["id"] in wanted)

    def _all_notes(self, cursor: str | None) -> Iterator[Chunk]:
        """The notes of people and companies; those of orders are parts of the orders."""
        for place, path in enumerate(_NOTE_LISTS):
            if cursor and int(cursor) > place:
                continue
            sheets = Sheets(self._line, self._walker.clock, f"{path}/notes", "notes")
            for sheet in sheets.ahead(1):
                if sheet.items:
                    yield Chunk([_typed(note, path) for note in sheet.items], str(place))

    def _unsupported(self, kind: Kind, names: Sequence[str]) -> Unsupported:
        what = f"look for records of kind {kind.value} by {', '.join(names)}"
        return unsupported(self._key, what, "Iterate over them and choose.")


def _typed(note: dict[str, Any], path: str) -> dict[str, Any]:
    """A note that says whose it is, which the vendor leaves out in places."""
    type_ = CORPORATE if path == "customers-corporate" else "customer"
    return {**note, "customer": {**as_map(note.get("customer")), "type": type_}}


def _digits(phone: str) -> str:
    # People type the letter O for a zero.
    return re.sub(r"\D", "", re.sub("[OoОо]", "0", phone))


def _spellings(phone: str) -> list[str]:
    """How a number may stand in the CRM, which looks for parts of what was typed.

    The last ten digits find every number without punctuation; the last seven, as people write them, most of the rest.
    Source: retailCRM API v5, `filter[name]` of customers looks at names and phones.
    """
    digits = re.sub(r"\D", "", phone)[-10:]
    if len(digits) < 10:
        return [phone]
    tail = digits[-7:]
    return [
        digits,
        f"{tail[:3]}-{tail[3:5]}-{tail[5:]}",
        f"{tail[:3]} {tail[3:5]} {tail[5:]}",
        f"{tail[:3]} {tail[3:5]}-{tail[5:]}",
    ]
