"""Writes of cards as commands: deals by the universal methods, people and leads by the classic ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crmkit.errors import AccountBlocked, AuthError, CrmKitError, RateLimited, Rejected, VendorDown
from crmkit.values import Json, Kind, Ref
from crmkit.write import Verb, Write
from crmkit_bitrix24.client.directory import Directory
from crmkit_bitrix24.client.line import Line
from crmkit_bitrix24.client.links import Linker
from crmkit_bitrix24.client.marker import marker_of
from crmkit_bitrix24.translate import Draft, added, drafted, patch
from crmkit_bitrix24.wire import COMPANY_TYPE, DEAL_TYPE, ENTITIES, ORIGINATOR, Command, mapping, rows

_REQUISITES, _BUSINESSMAN_INN = 8, 12
"""Entity type of requisites' templates; digits of a tax number of a person in business, an organisation's has ten."""

_OF_NEW_PORTALS = 1
"""The template for organisations in a new portal; taken where our user may not see the templates."""


@dataclass(slots=True)
class Job:
    """One write on its way: its command, and what follows once it is done; no command when only that is to be done."""

    index: int
    write: Write
    command: Command | None
    follow: Callable[[Ref], None] | None = None
    is_repeatable: bool = False


class Cards:
    """Prepares writes of one account's cards.

    Args:
        line: the way to the portal.
        names: what the account has by name.
        linker: connects cards.
    """

    def __init__(self, line: Line, names: Directory, linker: Linker) -> None:
        self._line = line
        self._names = names
        self._linker = linker

    def create(self, index: int, write: Write) -> Job:
        """A new card; what the portal keeps apart follows."""
        draft = drafted(write.kind, write.values(), write.extra, self._names)
        marker = marker_of(write)
        follow = self._follow(write.kind, draft)
        if write.kind is Kind.DEAL:
            origin: dict[str, Json] = {"originatorId": ORIGINATOR, "originId": marker}
            return Job(index, write, _universal("crm.item.add", {**origin, **draft.fields}), follow)
        fields: dict[str, Any] = {"ORIGINATOR_ID": ORIGINATOR, "ORIGIN_ID": marker, **draft.fields}
        for name, wanted in draft.multifields.items():
            if wanted:
                fields.setdefault(name, added(wanted))
        return Job(index, write, Command(f"crm.{ENTITIES[write.kind].name}.add", {"fields": fields}), follow)

    def update(self, index: int, write: Write, ref: Ref, current: Mapping[str, Any]) -> Job:
        """A changed card; `current` holds its multifields as they are, where some of them change."""
        draft = drafted(write.kind, write.values(), write.extra, self._names)
        follow = self._follow(write.kind, draft)
        if write.kind is Kind.DEAL:
            change = _universal("crm.item.update", draft.fields, int(ref.id))
            return Job(index, write, change if draft.fields else None, follow, is_repeatable=True)
        fields: dict[str, Any] = dict(draft.fields)
        is_repeatable = True
        for name, wanted in draft.multifields.items():
            changes = patch(current.get(name), wanted)
            if changes:
                fields[name] = changes
                # Added twice, a value would be there twice.
                is_repeatable = is_repeatable and all("ID" in one for one in changes)
        command = Command(f"crm.{ENTITIES[write.kind].name}.update", {"id": int(ref.id), "fields": fields})
        return Job(index, write, command if fields else None, follow, is_repeatable)

    def current(self, writes: Sequence[Write]) -> Mapping[Ref, Mapping[str, Any]]:
        """The cards whose multifields are about to change, as they are now. Raises NotFound for one that is gone."""
        refs = [write.ref for write in writes if write.ref is not None and _changes_multifields(write)]
        commands = [Command(f"crm.{ENTITIES[ref.kind].name}.get", {"id": int(ref.id)}) for ref in refs]
        return dict(zip(refs, (mapping(found) for found in self._line.every(commands)), strict=True))

    def delete(self, index: int, write: Write, ref: Ref) -> Job:
        """A card thrown away."""
        return Job(index, write, Command(f"crm.{ENTITIES[write.kind].name}.delete", {"id": int(ref.id)}))

    def _follow(self, kind: Kind, draft: Draft) -> Callable[[Ref], None] | None:
        items, requisites, contacts = draft.items, draft.requisites, draft.contacts
        if kind is Kind.DEAL and items is not None:
            return lambda ref: self._set_rows(ref, items)
        if kind is not Kind.COMPANY or not (requisites or contacts):
            return None

        def follow(ref: Ref) -> None:
            if requisites:
                self._set_requisites(ref, requisites)
            if contacts:
                self._linker.people(ref, contacts)

        return follow

    def _set_rows(self, ref: Ref, items: Sequence[Json]) -> None:
        self._line.call("crm.deal.productrows.set", {"id": int(ref.id), "rows": items})

    def _set_requisites(self, ref: Ref, numbers: Mapping[str, str]) -> None:
        """Tax numbers live in a company's requisites; the first of them, or new ones by a template of the portal."""
        owner = {"ENTITY_TYPE_ID": COMPANY_TYPE, "ENTITY_ID": int(ref.id)}
        order = {"SORT": "ASC", "ID": "ASC"}
        active = {"ENTITY_TYPE_ID": _REQUISITES, "ACTIVE": "Y"}
        own, presets = self._line.batch(
            [
                Command("crm.requisite.list", {"filter": owner, "select": ["ID"], "order": {"ID": "ASC"}}),
                Command("crm.requisite.preset.list", {"filter": active, "select": ["ID", "XML_ID"], "order": order}),
            ]
        )
        if isinstance(own, CrmKitError):
            raise own
        if found := rows(own):
            self._line.call("crm.requisite.update", {"id": int(found[0]["ID"]), "fields": dict(numbers)})
        elif any(numbers.values()):
            preset = _preset(presets, numbers.get("RQ_INN") or "")
            fields = {**owner, "PRESET_ID": preset, "NAME": "Реквизиты", **numbers}
            self._line.call("crm.requisite.add", {"fields": fields}, is_safe=False)


def made_id(kind: Kind, result: Json) -> str:
    """The id in the answer to a creation. Raises KeyError for an answer without one."""
    found = mapping(mapping(result).get("item")).get("id") if kind is Kind.DEAL else result
    if not str(found).isdigit():
        raise KeyError("id")
    return str(found)


def addressed(write: Write) -> Ref:
    """The record that a write is about. Raises Rejected for none."""
    if write.ref is None or not write.ref.id:
        what = f"a {write.verb.value} of kind {write.kind.value} names no record"
        raise Rejected(what, remedy="Give the record's ref.")
    return write.ref


def _preset(presets: Json | CrmKitError, inn: str) -> int:
    """The template for such a tax number: the vendor's own for organisations or people in business, else the first.

    Raises Rejected for a portal without templates, and what says that the portal is not there now.
    """
    if isinstance(presets, VendorDown | RateLimited | AuthError | AccountBlocked):
        raise presets
    if isinstance(presets, CrmKitError):
        return _OF_NEW_PORTALS
    found = rows(presets)
    wanted = "INDIVIDUAL" if len(inn) == _BUSINESSMAN_INN else "COMPANY"
    named = (row for row in found if str(row.get("XML_ID") or "").endswith(f"_{wanted}#"))
    chosen = next(named, next(iter(found), None))
    if chosen is None:
        reason = "the portal has no active template of requisites"
        raise Rejected(
            f"inn: {reason}", fields={"inn": reason}, remedy="Let an administrator make one in the CRM's settings."
        )
    return int(chosen["ID"])


def _changes_multifields(write: Write) -> bool:
    is_person = write.verb is Verb.UPDATE and write.kind in (Kind.CONTACT, Kind.COMPANY, Kind.LEAD)
    return is_person and not {"phones", "emails", "site"}.isdisjoint(write.changes)


def _universal(method: str, fields: Mapping[str, Json], record_id: int | None = None) -> Command:
    params: dict[str, Any] = {"entityTypeId": DEAL_TYPE, "useOriginalUfNames": "Y", "fields": dict(fields)}
    return Command(method, params if record_id is None else {**params, "id": record_id})
