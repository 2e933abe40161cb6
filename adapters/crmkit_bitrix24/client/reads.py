"""Reading records: by address in batches, whole kinds page by page, by what people know of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from crmkit.adapter import Query
from crmkit.clock import Clock
from crmkit.errors import CrmKitError, NotFound
from crmkit.identity import parse_phone
from crmkit.values import Kind, Ref
from crmkit_bitrix24.client.directory import Directory
from crmkit_bitrix24.client.enrich import Enricher
from crmkit_bitrix24.client.line import Line, answered, in_batches
from crmkit_bitrix24.client.participants import Participants
from crmkit_bitrix24.client.walk import DEALS, Listing, Walker
from crmkit_bitrix24.errors.refusals import unsupported
from crmkit_bitrix24.wire import (
    COMPANY_TYPE,
    ENTITIES,
    PAGE,
    TASK_PREFIX,
    TODO,
    Command,
    mapping,
    rows,
)

_PEOPLE = ("*", "UF_*", "PHONE", "EMAIL", "WEB", "IM", "LINK")
_CALLS = "voximplant.statistic.get"
_MODULE_FIELDS = ("*", "UF_CRM_TASK")

LISTINGS: Mapping[Kind, Listing] = {
    Kind.DEAL: DEALS,
    Kind.CONTACT: Listing("crm.contact.list", _PEOPLE, {}),
    Kind.COMPANY: Listing("crm.company.list", _PEOPLE, {}),
    Kind.LEAD: Listing("crm.lead.list", _PEOPLE, {}),
    Kind.TASK: Listing("crm.activity.list", ("*",), {"PROVIDER_ID": TODO}),
}
CHANGED_AT: Mapping[Kind, str] = {
    Kind.DEAL: "updatedTime",
    Kind.CONTACT: "DATE_MODIFY",
    Kind.COMPANY: "DATE_MODIFY",
    Kind.LEAD: "DATE_MODIFY",
    Kind.TASK: "LAST_UPDATED",
}
"""The field that tells when a record was changed."""

_QUERIES: Mapping[Kind, frozenset[str]] = {
    Kind.CONTACT: frozenset({"phone", "email", "name", "company", "owner_id"}),
    Kind.COMPANY: frozenset({"phone", "email", "name", "inn", "contact", "owner_id"}),
    Kind.LEAD: frozenset({"phone", "email", "contact", "company", "owner_id"}),
    Kind.DEAL: frozenset({"contact", "company", "owner_id", "is_open", "name"}),
    Kind.TASK: frozenset({"about", "owner_id", "is_open"}),
    Kind.NOTE: frozenset({"about"}),
    Kind.CALL: frozenset({"about"}),
}
"""What can be asked for, by kind."""


class Chunk(NamedTuple):
    """Bodies of one kind and the cursor behind them."""

    items: list[dict[str, Any]]
    cursor: str


class Reader:
    """Reads the records of one account, as wire shapes.

    Args:
        line: the way to the portal.
        directory: what the account has by name.
        clock: the time.
        key: the account's key.
    """

    def __init__(self, line: Line, directory: Directory, clock: Clock, key: str) -> None:
        self._line = line
        self._walker = Walker(line)
        self._participants = Participants(clock)
        self._directory = directory
        self._enricher = Enricher(line, self._walker, directory)
        self._key = key

    def load(self, refs: Sequence[Ref]) -> Iterator[tuple[Kind, list[dict[str, Any]]]]:
        """Those of the records that exist, some of a kind at a time; fifty ids a command, fifty commands a request."""
        by_kind: dict[Kind, list[str]] = {}
        for ref in dict.fromkeys(refs):
            by_kind.setdefault(ref.kind, []).append(ref.id)
        for kind, ids in by_kind.items():
            # What was answered first is translated while the rest is under way.
            for items in self._parts_by_id(kind, ids):
                self._enricher.gather(kind, items)
                for start in range(0, len(items), PAGE):
                    yield kind, self._enricher.define(kind, items[start : start + PAGE])

    def pages(self, kind: Kind, since: str | None, cursor: str | None) -> Iterator[Chunk]:
        """A whole kind, or what changed in it since a moment, by rising id; complete while others change it."""
        if kind in (Kind.USER, Kind.PIPELINE):
            yield Chunk(self._enricher.complete(kind, self._small(kind)), "")
            return
        if kind is Kind.CALL:
            yield from self._calls(since, cursor)
            return
        listing = self._listing(kind)
        if since is not None:
            listing = listing.matching({f">={CHANGED_AT[kind]}": since})
        first, edge = self._first(kind, listing, cursor or "0", is_whole=since is None)
        last = str(first[-1][listing.id_name]) if first else cursor or "0"
        yield Chunk(self._enricher.complete(kind, first), last)
        for page in self._walker.whole(listing, first, edge, lambda items: self._enricher.gather(kind, items)):
            yield Chunk(self._enricher.define(kind, page), str(page[-1][listing.id_name]))

    def find(self, kind: Kind, query: Query) -> list[dict[str, Any]]:
        """Candidates for a query, which must be checked again.

        Raises Unsupported for what cannot be looked for.
        """
        asked = query.asked().keys()
        known = _QUERIES.get(kind, frozenset())
        if not asked <= known or not asked:
            names = ", ".join(sorted(asked - known)) or "nothing"
            what = f"look for records of kind {kind.value} by {names}"
            raise unsupported(self._key, what, "Iterate over them and choose.")
        return self._enricher.complete(kind, list(self._candidates(kind, query)))

    def comments(self, about: Ref) -> Iterator[dict[str, Any]]:
        """The remarks on a card, oldest first."""
        filter_ = {"ENTITY_ID": about.id, "ENTITY_TYPE": self._entity_name(about)}
        return self._walker.every(Listing("crm.timeline.comment.list", ("*",), filter_))

    def statistics(self, filter_: Mapping[str, Any], after: int = 0) -> Iterator[list[dict[str, Any]]]:
        """Pages of the telephony's rows behind an id."""
        while True:
            params = {"FILTER": {**filter_, ">ID": after}, "SORT": "ID", "ORDER": "ASC", "start": 0}
            page = rows(self._line.call(_CALLS, params))
            page = [row for row in page if int(row["ID"]) > after]
            if page:
                yield page
            if len(page) < PAGE:
                return
            after = int(page[-1]["ID"])

    def _first(
        self, kind: Kind, listing: Listing, after: str, *, is_whole: bool
    ) -> tuple[list[dict[str, Any]], int | None]:
        """The first page and, of a whole kind, its highest id; what the translation needs comes along."""
        unread, newest = self._directory.unread(kind), [listing.newest()] if is_whole else []
        if not unread and not newest:
            return rows(self._line.call(*listing.command(after))), None
        page, *answers = self._line.batch([listing.command(after), *newest, *unread])
        self._directory.take(kind, unread, answers[len(newest) :])
        if isinstance(page, CrmKitError):
            raise page
        top = rows(answers[0]) if newest and not isinstance(answers[0], CrmKitError) else []
        return rows(page), int(top[0][listing.id_name]) if top else None

    def _listing(self, kind: Kind) -> Listing:
        if kind not in LISTINGS:
            raise unsupported(
                self._key,
                f"list all records of kind {kind.value}",
                "Read them card by card: crm.notes.find(about=...).",
            )
        return LISTINGS[kind]

    def _by_id(self, kind: Kind, ids: list[str]) -> list[dict[str, Any]]:
        return [item for items in self._parts_by_id(kind, ids) for item in items]

    def _parts_by_id(self, kind: Kind, ids: list[str]) -> Iterator[list[dict[str, Any]]]:
        if kind in (Kind.USER, Kind.PIPELINE):
            name = "ID" if kind is Kind.USER else "id"
            yield [item for item in self._small(kind) if str(item[name]) in ids]
        elif kind is Kind.CALL:
            found = self._line.every([Command(_CALLS, {"FILTER": {"CALL_ID": one}}) for one in ids])
            yield [row for one, result in zip(ids, found, strict=True) for row in rows(result) if row["CALL_ID"] == one]
        elif kind is Kind.NOTE:
            yield self._one_by_one("crm.timeline.comment.get", [one for one in ids if one.isdigit()])
        else:
            yield from self._in_fifties(kind, [one for one in ids if one.isdigit() and one != "0"])
        if kind is Kind.TASK:
            module = [one.removeprefix(TASK_PREFIX) for one in ids if one.startswith(TASK_PREFIX)]
            yield self._module_tasks([one for one in module if one.isdigit()])

    def _in_fifties(self, kind: Kind, ids: list[str]) -> Iterator[list[dict[str, Any]]]:
        listing = LISTINGS[kind]
        lists = [ids[start : start + PAGE] for start in range(0, len(ids), PAGE)]
        commands = [listing.matching({f"@{listing.id_name}": some}).command("") for some in lists]
        unread = self._directory.unread(kind) if commands else []
        if len(commands) == 1 and not unread:
            yield rows(self._line.call(*commands[0]))
            return
        for found in self._line.batches(in_batches([*unread, *commands])):
            if unread:
                self._directory.take(kind, unread, found[: len(unread)])
            yield [row for result in answered(found[len(unread) :]) for row in rows(result)]
            unread = []

    def _one_by_one(self, method: str, ids: list[str]) -> list[dict[str, Any]]:
        found = []
        for result in self._line.batch([Command(method, {"id": one}) for one in ids]):
            if isinstance(result, CrmKitError):
                if not isinstance(result, NotFound):
                    raise result
            elif mapping(result):
                found.append(dict(mapping(result)))
        return found

    def _module_tasks(self, ids: list[str]) -> list[dict[str, Any]]:
        commands = [
            Command("tasks.task.list", {"filter": {"ID": ids[start : start + PAGE]}, "select": list(_MODULE_FIELDS)})
            for start in range(0, len(ids), PAGE)
        ]
        return [task for result in self._line.every(commands) for task in rows(result) if str(task["id"]) in ids]

    def _small(self, kind: Kind) -> list[dict[str, Any]]:
        if kind is Kind.USER:
            return [dict(user) for user in self._directory.users(afresh=True)]
        return rows(self._line.call("crm.category.list", {"entityTypeId": ENTITIES[Kind.DEAL].type_id}))

    def _calls(self, since: str | None, cursor: str | None) -> Iterator[Chunk]:
        filter_ = {">=CALL_START_DATE": since} if since is not None else {}
        position = int(cursor or 0)
        for page in self.statistics(filter_, position):
            yield Chunk(page, str(page[-1]["ID"]))

    def _candidates(self, kind: Kind, query: Query) -> Iterable[dict[str, Any]]:
        if kind is Kind.NOTE and query.about is not None:
            return self.comments(query.about)
        if kind is Kind.CALL and query.about is not None:
            card = {"CRM_ENTITY_TYPE": self._entity_name(query.about).upper(), "CRM_ENTITY_ID": query.about.id}
            return (row for page in self.statistics(card) for row in page)
        if kind is Kind.TASK:
            return self._walker.every(self._todos(query))
        if kind is Kind.DEAL:
            return self._deals(query)
        if query.phone or query.email:
            return self._by_id(kind, self._by_communication(kind, query))
        if query.inn:
            return self._by_id(kind, self._by_inn(query.inn))
        if kind is Kind.COMPANY and query.contact is not None:
            # A person may belong to several; lists know the main one only.
            links = rows(self._line.call("crm.contact.company.items.get", {"id": int(query.contact.id)}))
            return self._by_id(kind, [str(link["COMPANY_ID"]) for link in links])
        return self._people(kind, query)

    def _todos(self, query: Query) -> Listing:
        conditions: dict[str, Any] = {}
        if query.about is not None:
            conditions["OWNER_TYPE_ID"] = ENTITIES[query.about.kind].type_id
            conditions["OWNER_ID"] = query.about.id
        if query.owner_id is not None:
            conditions["RESPONSIBLE_ID"] = query.owner_id
        if query.is_open is not None:
            conditions["COMPLETED"] = "N" if query.is_open else "Y"
        return LISTINGS[Kind.TASK].matching(conditions)

    def _deals(self, query: Query) -> Iterator[dict[str, Any]]:
        conditions: dict[str, Any] = {}
        if query.company is not None:
            conditions["companyId"] = query.company.id
        if query.owner_id is not None:
            conditions["assignedById"] = query.owner_id
        if query.name is not None:
            conditions["title"] = query.name
        if query.contact is None:
            yield from self._walker.every(DEALS.matching(conditions))
            return
        main, news = DEALS.matching({**conditions, "contactId": query.contact.id}), self._participants.news()
        found, changed = self._line.every([main.command("0"), news.command("0")])
        self._participants.learn(self._walker.every(news, rows(changed)))
        seen: set[str] = set()
        for deal in self._walker.every(main, rows(found)):
            seen.add(str(deal["id"]))
            yield deal
        beside = [one for one in self._participants.deals_of(query.contact.id) if one not in seen]
        yield from self._by_id(Kind.DEAL, beside)

    def _people(self, kind: Kind, query: Query) -> Iterator[dict[str, Any]]:
        conditions: dict[str, Any] = {}
        if query.owner_id is not None:
            conditions["ASSIGNED_BY_ID"] = query.owner_id
        if query.company is not None:
            conditions["COMPANY_ID"] = query.company.id
        if query.contact is not None:
            conditions["CONTACT_ID"] = query.contact.id
        seen: set[str] = set()
        for named in _names(kind, query.name):
            for item in self._walker.every(LISTINGS[kind].matching({**conditions, **named})):
                if item["ID"] not in seen:
                    seen.add(item["ID"])
                    yield item

    def _by_communication(self, kind: Kind, query: Query) -> list[str]:
        """Ids of those who have the phone or e-mail; one value a command, since an answer ends at twenty hits."""
        name = ENTITIES[kind].name.upper()
        type_, values = "EMAIL", [query.email or ""]
        if query.phone:
            type_, values = "PHONE", _spellings(query.phone, self._directory.account().country)
        commands = [
            Command("crm.duplicate.findbycomm", {"type": type_, "values": [value], "entity_type": name})
            for value in values
        ]
        found = (mapping(result).get(name) for result in self._line.every(commands))
        return list(dict.fromkeys(str(one) for ids in found for one in ids or ()))

    def _by_inn(self, inn: str) -> list[str]:
        filter_ = {"RQ_INN": inn, "ENTITY_TYPE_ID": COMPANY_TYPE}
        listing = Listing("crm.requisite.list", ("ID", "ENTITY_ID"), filter_)
        return list(dict.fromkeys(str(row["ENTITY_ID"]) for row in self._walker.every(listing)))

    def _entity_name(self, about: Ref) -> str:
        if about.kind not in ENTITIES:
            raise unsupported(
                self._key, f"keep remarks on a {about.kind.value}", "Name a deal, lead, contact, company."
            )
        return ENTITIES[about.kind].name


def _spellings(raw: str, country: str) -> list[str]:
    """How a number may be spelled in the portal's own index: it is compared by digits, with or without the country."""
    found = parse_phone(raw, country=country)
    spellings = [raw]
    if found is not None:
        spellings += [found.e164, found.e164.lstrip("+")]
        if found.e164.startswith("+7"):
            spellings += [f"8{found.e164[2:]}", found.e164[2:]]
    return list(dict.fromkeys(spellings))


def _names(kind: Kind, name: str | None) -> Iterator[dict[str, str]]:
    """The ways in which a whole name may lie in the name fields."""
    words = (name or "").split()
    if kind is not Kind.CONTACT or not words:
        yield {"TITLE": " ".join(words)} if words else {}
        return
    whole = " ".join(words)
    yield from ({"NAME": whole}, {"LAST_NAME": whole})
    for place in range(1, len(words)):
        one, other = " ".join(words[:place]), " ".join(words[place:])
        yield from ({"NAME": one, "LAST_NAME": other}, {"NAME": one, "SECOND_NAME": other})
    if len(words) == 3:
        yield {"NAME": words[0], "SECOND_NAME": words[1], "LAST_NAME": words[2]}
