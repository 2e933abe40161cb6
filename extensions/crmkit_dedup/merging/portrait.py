"""Portraits: all that a merge may touch of one record, as it is at one moment."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import blake2b
from typing import Any, cast

from crmkit.adapter import Capability, Level
from crmkit.crm import Companies, Contacts, Crm, Deals
from crmkit.errors import NotFound, Unsupported
from crmkit.models import RECORDS, Call, Company, Contact, Deal, File, Lead, Note, Task
from crmkit.values import Json, Kind, Ref
from crmkit.write import Native

Card = Contact | Company | Deal


@dataclass(frozen=True, slots=True)
class DealLink:
    """A deal of a person or a company; `is_main`: the person is its main one."""

    ref: Ref
    title: str = ""
    is_main: bool = True
    is_open: bool = True
    owner_id: str | None = None


@dataclass(frozen=True, slots=True)
class Portrait:
    """A record with what hangs on it.

    Args:
        record: the record, its body included.
        natives: its fields that only the vendor's words tell.
        deals: the deals of a person or a company.
        firms: the companies of a person, all that it belongs to.
        leads: requests of a person or a company that nobody has accepted yet.
        files: documents on its card, each with all cards that it stands on.
        tasks, calls: addresses of what stands on its card.
        notes: the remarks on its card.
    """

    record: Card
    natives: tuple[Native, ...] = ()
    deals: tuple[DealLink, ...] = ()
    firms: tuple[Ref, ...] = ()
    leads: tuple[Ref, ...] = ()
    files: tuple[tuple[Ref, tuple[Ref, ...]], ...] = ()
    tasks: tuple[Ref, ...] = ()
    notes: tuple[Note, ...] = ()
    calls: tuple[Ref, ...] = ()

    @property
    def ref(self) -> Ref:
        """The record's address."""
        return self.record.ref

    @property
    def people(self) -> tuple[Ref, ...]:
        """The people of a company or a deal."""
        return () if isinstance(self.record, Contact) else self.record.contacts

    @property
    def company(self) -> Ref | None:
        """The company of a person or a deal."""
        return None if isinstance(self.record, Company) else self.record.company

    @property
    def print(self) -> str:
        """Equal for equal content: what stands in the record and what hangs on it, but for tags and owner."""
        record = self.record
        parts = {
            "phones": [] if isinstance(record, Deal) else [phone.raw for phone in record.phones],
            "emails": [] if isinstance(record, Deal) else [email.value for email in record.emails],
            "natives": [[one.name, one.value] for one in self.natives],
            "hung": sorted(map(str, (*(link.ref for link in self.deals), *self.tasks, *self.leads))),
            "notes": sorted(str(note.ref) for note in self.notes),
        }
        text = json.dumps(parts, sort_keys=True, ensure_ascii=False, default=str)
        return blake2b(text.encode(), digest_size=12).hexdigest()

    def native(self, name: str) -> Native | None:
        """One of the vendor's own fields, when it is filled."""
        return next((one for one in self.natives if one.name == name), None)

    def renewed(self, old: Ref, new: Ref) -> Portrait:
        """The portrait under another address, when it is that of `old`."""
        return replace(self, record=self.record.model_copy(update={"ref": new})) if self.ref == old else self

    def to_json(self) -> dict[str, Json]:
        """The portrait as the journal keeps it."""
        return {
            "record": self.record.model_dump(mode="json"),
            "natives": [asdict(one) for one in self.natives],
            "deals": [{**asdict(one), "ref": str(one.ref)} for one in self.deals],
            "firms": [str(ref) for ref in self.firms],
            "leads": [str(ref) for ref in self.leads],
            "files": [[str(ref), [str(card) for card in on]] for ref, on in self.files],
            "tasks": [str(ref) for ref in self.tasks],
            "notes": [note.model_dump(mode="json") for note in self.notes],
            "calls": [str(ref) for ref in self.calls],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Portrait:
        """Read back what `to_json` wrote."""
        record = RECORDS[Kind(data["record"]["ref"]["kind"])].model_validate(data["record"])
        return cls(
            record=cast("Card", record),
            natives=tuple(Native(**{**one, "tells": tuple(one["tells"])}) for one in data["natives"]),
            deals=tuple(DealLink(**{**one, "ref": Ref.parse(one["ref"])}) for one in data["deals"]),
            firms=tuple(Ref.parse(ref) for ref in data["firms"]),
            leads=tuple(Ref.parse(ref) for ref in data["leads"]),
            files=tuple((Ref.parse(ref), tuple(Ref.parse(card) for card in on)) for ref, on in data["files"]),
            tasks=tuple(Ref.parse(ref) for ref in data["tasks"]),
            notes=tuple(Note.model_validate(note) for note in data["notes"]),
            calls=tuple(Ref.parse(ref) for ref in data["calls"]),
        )


def port(crm: Crm, kind: Kind) -> Contacts | Companies | Deals:
    """The port of cards of a kind. Raises Unsupported for what is no card."""
    ports: Mapping[Kind, Contacts | Companies | Deals] = {
        Kind.CONTACT: crm.contacts,
        Kind.COMPANY: crm.companies,
        Kind.DEAL: crm.deals,
    }
    if kind not in ports:
        raise Unsupported(
            f"records of kind {kind.value} are not merged",
            account=crm.account.key,
            vendor=crm.vendor,
            remedy="Name contacts, companies or deals.",
        )
    return ports[kind]


def cards(crm: Crm, refs: Sequence[Ref]) -> Mapping[Ref, Card]:
    """Those of the records that exist, all of one kind; one request where the CRM allows it."""
    found = port(crm, refs[0].kind).get_many(list(refs)) if refs else {}
    return cast("Mapping[Ref, Card]", {ref: card for ref, card in found.items() if not card.is_deleted})


def portrait(crm: Crm, card: Card) -> Portrait:
    """The record with all that hangs on it; a request for each sort of thing."""
    ref = card.ref
    return Portrait(
        record=card,
        natives=tuple(crm.natives(card)),
        deals=tuple(_link(deal, ref) for deal in deals_of(crm, ref)),
        firms=tuple(firms_of(crm, card)),
        leads=tuple(lead.ref for lead in leads_of(crm, ref)),
        files=tuple((file.ref, file.cards) for file in files_of(crm, ref)),
        tasks=tuple(task.ref for task in tasks_of(crm, ref)),
        notes=tuple(notes_of(crm, ref)),
        calls=tuple(call.ref for call in calls_of(crm, ref)),
    )


def portraits(crm: Crm, refs: Sequence[Ref]) -> list[Portrait]:
    """Portraits in the order of the addresses. Raises NotFound for a record that is gone."""
    found = cards(crm, refs)
    for ref in refs:
        if ref not in found:
            raise NotFound(
                f"{ref} does not exist or is not visible to us",
                account=ref.account,
                vendor=crm.vendor,
                ref=str(ref),
                remedy="It may have been deleted or merged already; scan again.",
            )
    return [portrait(crm, found[ref]) for ref in refs]


def deals_of(crm: Crm, ref: Ref) -> Sequence[Deal]:
    """The deals of a person or a company; none of a deal."""
    if ref.kind is Kind.CONTACT:
        return crm.deals.find(contact=ref)
    return crm.deals.find(company=ref) if ref.kind is Kind.COMPANY else ()


def firms_of(crm: Crm, card: Card) -> Sequence[Ref]:
    """The companies that a person belongs to; where the vendor knows one only, that one."""
    if not isinstance(card, Contact):
        return ()
    own = (card.company,) if card.company else ()
    try:
        found = crm.companies.find(contact=card.ref) if _has(crm, Capability.COMPANIES) else ()
    except Unsupported:
        return own
    return tuple(dict.fromkeys((*own, *(firm.ref for firm in found))))


def leads_of(crm: Crm, ref: Ref) -> Sequence[Lead]:
    """The requests of a person or a company; none where the vendor cannot look for them."""
    if ref.kind is Kind.DEAL or not _has(crm, Capability.LEADS):
        return ()
    try:
        return crm.leads.find(contact=ref) if ref.kind is Kind.CONTACT else crm.leads.find(company=ref)
    except Unsupported:
        return ()


def files_of(crm: Crm, ref: Ref) -> Sequence[File]:
    """The documents on a card; none where the vendor keeps none there."""
    try:
        return crm.files.find(about=ref) if _has(crm, Capability.FILES) else ()
    except Unsupported:
        return ()


def tasks_of(crm: Crm, ref: Ref) -> Sequence[Task]:
    """The tasks on a card, done ones too."""
    return crm.tasks.find(about=ref) if _has(crm, Capability.TASKS) else ()


def notes_of(crm: Crm, ref: Ref) -> Sequence[Note]:
    """The remarks on a card; none where the vendor keeps none on such cards, or where there is no such card."""
    try:
        return crm.notes.find(about=ref) if _has(crm, Capability.NOTES) else ()
    except (NotFound, Unsupported):
        return ()


def calls_of(crm: Crm, ref: Ref) -> Sequence[Call]:
    """The calls on a card; none where the vendor does not tell."""
    try:
        return crm.calls.find(about=ref) if _has(crm, Capability.CALLS) else ()
    except Unsupported:
        return ()


def _has(crm: Crm, capability: Capability) -> bool:
    return crm.supports(capability) is not Level.ABSENT


def _link(deal: Deal, ref: Ref) -> DealLink:
    is_main = deal.contact == ref if ref.kind is Kind.CONTACT else True
    return DealLink(ref=deal.ref, title=deal.title, is_main=is_main, is_open=not deal.is_closed, owner_id=deal.owner_id)
