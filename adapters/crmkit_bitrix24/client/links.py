"""Links between cards: which method connects a pair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crmkit.errors import Rejected
from crmkit.values import Json, Kind, Ref
from crmkit.write import Verb, Write
from crmkit_bitrix24.client.line import Line
from crmkit_bitrix24.errors.refusals import VENDOR
from crmkit_bitrix24.wire import DEAL_TYPE, Command

_BY_METHOD = {(Kind.DEAL, Kind.CONTACT), (Kind.LEAD, Kind.CONTACT), (Kind.CONTACT, Kind.COMPANY)}
"""Pairs with methods of their own. Source: Bitrix24 REST, page "crm.deal.contact.add" and its like."""


class Linker:
    """Connects and disconnects cards of one account.

    Args:
        line: the way to the portal.
    """

    def __init__(self, line: Line) -> None:
        self._line = line

    def write(self, write: Write) -> None:
        """Carry out a link or an unlink; doing it twice is the same.

        Raises Rejected for a pair that Bitrix24 does not connect.
        """
        ref = write.ref
        if ref is None:
            raise _no_pair(write, None)
        self._line.every([_command(write, ref, other) for other in write.others])

    def people(self, company: Ref, contacts: Sequence[Ref]) -> None:
        """Make people members of a company."""
        self._line.every([_command(Write(Verb.LINK, Kind.CONTACT), contact, company) for contact in contacts])


def _command(write: Write, ref: Ref, other: Ref) -> Command:
    is_link = write.verb is Verb.LINK
    for side, end in ((ref, other), (other, ref)):
        if (side.kind, end.kind) in _BY_METHOD:
            method = f"crm.{side.kind.value}.{end.kind.value}.{'add' if is_link else 'delete'}"
            fields = {f"{end.kind.value.upper()}_ID": int(end.id), **_worded(write.extra)}
            return Command(method, {"id": int(side.id), "fields": fields})
        if (side.kind, end.kind) == (Kind.DEAL, Kind.COMPANY):
            fields = {"companyId": int(end.id) if is_link else 0}
            return Command("crm.item.update", {"entityTypeId": DEAL_TYPE, "id": int(side.id), "fields": fields})
        if (side.kind, end.kind) == (Kind.LEAD, Kind.COMPANY):
            fields = {"COMPANY_ID": int(end.id) if is_link else 0}
            return Command("crm.lead.update", {"id": int(side.id), "fields": fields})
    raise _no_pair(write, other)


def _worded(extra: Mapping[str, Json]) -> dict[str, Json]:
    """What is asked of a link, in the vendor's words: `is_main` makes the person the first of the deal."""
    words = {name: value for name, value in extra.items() if name != "is_main"}
    return {**words, "IS_PRIMARY": "Y"} if extra.get("is_main") else words


def _no_pair(write: Write, other: Ref | None) -> Rejected:
    return Rejected(
        f"Bitrix24 does not connect {write.ref} and {other}",
        account=write.ref.account if write.ref else None,
        vendor=VENDOR,
        ref=str(write.ref),
        remedy="Deals and leads are connected with contacts and companies, contacts with companies.",
    )
