"""What Bitrix24 keeps apart from a body and a record has: field definitions, rows, requisites, people, stages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crmkit.errors import Rejected, Unsupported
from crmkit.values import Kind
from crmkit_bitrix24.client.directory import Directory
from crmkit_bitrix24.client.line import Line, answered
from crmkit_bitrix24.client.walk import Items, Listing, Walker
from crmkit_bitrix24.translate import filled
from crmkit_bitrix24.wire import ALSO, COMPANY_TYPE, ENTITIES, PAGE, Command, is_empty, rows, stage_dictionary


class Enricher:
    """Lays what belongs to bodies under their key `ALSO`, so that a stored body can be read without asking again.

    Args:
        line: the way to the portal.
        walker: walks over lists.
        directory: the user fields by kind.
    """

    def __init__(self, line: Line, walker: Walker, directory: Directory) -> None:
        self._line = line
        self._walker = walker
        self._directory = directory
        self._undefined: set[str] = set()

    def complete(self, kind: Kind, items: Items) -> Items:
        """The same bodies, each with what belongs to it."""
        return self.define(kind, self.gather(kind, items))

    def gather(self, kind: Kind, items: Items) -> Items:
        """The same bodies with what other lists hold of them; asked for in batches, the more bodies the better."""
        if not items:
            return items
        if kind is Kind.DEAL:
            self._product_rows(items)
        elif kind is Kind.COMPANY:
            self._company_cards(items)
        elif kind is Kind.PIPELINE:
            self._stages(items)
        elif kind is Kind.USER:
            self._rights(items)
        return items

    def define(self, kind: Kind, items: Items) -> Items:
        """The same bodies with the definitions of their user fields.

        Best done with few bodies, just before they are translated: reading a body for the first time costs the most.
        """
        if not items or kind not in ENTITIES:
            return items
        definitions = self._directory.definitions(kind)
        unknown = {name for name in items[0] if name.startswith("UF_CRM") and name not in definitions}
        if unknown - self._undefined:
            # A field that somebody has made since the definitions were read; or one that is none to us, asked for once.
            definitions = self._directory.definitions(kind, afresh=True)
            self._undefined |= unknown - definitions.keys()
        for item in items:
            found = filled(item, definitions)
            if found:
                _also(item)["fields"] = found
        return items

    def _product_rows(self, deals: Items) -> None:
        """Rows of the deals whose amount the portal counts from them: others keep theirs for documents only."""
        counted = [deal for deal in deals if deal.get("isManualOpportunity") == "N" and _is_worth(deal)]
        found = self._line.every([Command("crm.deal.productrows.get", {"id": deal["id"]}) for deal in counted])
        for deal, result in zip(counted, found, strict=True):
            if items := rows(result):
                _also(deal)["items"] = items

    def _company_cards(self, companies: Items) -> None:
        by_id = {str(company["ID"]): company for company in companies}
        listings: list[tuple[str, str, Listing]] = []
        for start in range(0, len(by_id), PAGE):
            ids = list(by_id)[start : start + PAGE]
            owned = {"ENTITY_TYPE_ID": COMPANY_TYPE, "@ENTITY_ID": ids}
            names = ("ID", "ENTITY_ID", "NAME", "RQ_INN", "RQ_KPP")
            listings.append(("requisites", "ENTITY_ID", Listing("crm.requisite.list", names, owned)))
            listings.append(
                ("contacts", "COMPANY_ID", Listing("crm.contact.list", ("ID", "COMPANY_ID"), {"@COMPANY_ID": ids}))
            )
        found = self._line.batch([listing.command("0") for _, _, listing in listings])
        for (name, owner, listing), first in zip(listings, found, strict=True):
            if name == "requisites" and isinstance(first, Rejected | Unsupported):
                # Requisites have rights of their own; a company without them is a company still.
                continue
            for row in self._walker.every(listing, rows(answered([first])[0])):
                _add(by_id.get(str(row.get(owner))), name, row if name == "requisites" else str(row["ID"]))

    def _rights(self, users: Items) -> None:
        administrator = self._directory.administrator()
        for user in users:
            if str(user.get("ID")) == administrator:
                _also(user)["is_admin"] = True

    def _stages(self, pipelines: Items) -> None:
        commands = [
            Command("crm.status.list", {"filter": {"ENTITY_ID": stage_dictionary(str(pipeline["id"]))}})
            for pipeline in pipelines
        ]
        for pipeline, result in zip(pipelines, self._line.every(commands), strict=True):
            _also(pipeline)["stages"] = rows(result)


def _add(body: dict[str, Any] | None, name: str, value: Any) -> None:
    if body is not None:
        _also(body).setdefault(name, []).append(value)


def _also(body: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = body.setdefault(ALSO, {})
    return found


def _is_worth(deal: Mapping[str, Any]) -> bool:
    return not is_empty(deal.get("opportunity")) and deal.get("opportunity") != "0.00"
