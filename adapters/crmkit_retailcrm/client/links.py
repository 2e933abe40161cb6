"""Who belongs to whom: the person and the company of an order, the contacts and legal entities of a company."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crmkit.values import Json, Kind, Ref
from crmkit.write import Write
from crmkit_retailcrm.client.directory import Directory
from crmkit_retailcrm.client.line import Line
from crmkit_retailcrm.client.reads import Reader
from crmkit_retailcrm.errors.refusals import gone, unsupported
from crmkit_retailcrm.translate import main_company
from crmkit_retailcrm.wire import CORPORATE, as_map


class Linker:
    """Connects records of one account.

    Args:
        line: the way to the account.
        reader: reads what is connected.
        directory: what the account has by name.
    """

    def __init__(self, line: Line, reader: Reader, directory: Directory) -> None:
        self._line = line
        self._reader = reader
        self._directory = directory

    def link(self, write: Write) -> Ref | None:
        """Connect an order with its person or company, or a person with a company."""
        for other in write.others:
            sides = {ref.kind: ref for ref in (write.ref, other) if ref is not None}
            match sides:
                case {Kind.DEAL: deal, Kind.CONTACT: person}:
                    self._set_person(deal, person)
                case {Kind.DEAL: deal, Kind.COMPANY: company}:
                    self._set_company(deal, company)
                case {Kind.CONTACT: person, Kind.COMPANY: company}:
                    self.join(person, company)
                case _:
                    raise self._unsupported("connect", write, other)
        return write.ref

    def unlink(self, write: Write) -> Ref | None:
        """Raise Unsupported: an order always has a customer, and contacts of a company cannot be taken out."""
        other = write.others[0] if write.others else None
        raise self._unsupported("disconnect", write, other)

    def join(self, person: Ref, company: Ref) -> None:
        """Make a person a contact of a company; once is enough."""
        known = next((item for _, item in self._reader.load([company])), None)
        if known is None:
            raise gone(company.account, str(company))
        contacts = known.get("customerContacts") or []
        if any(str(as_map(one.get("customer")).get("id")) == person.id for one in contacts):
            return
        form: dict[str, Json] = {"by": "id", "contact": {"customer": {"id": int(person.id)}, "isMain": not contacts}}
        self._line.post(f"customers-corporate/{company.id}/contacts/create", form)

    def legal(self, company: Ref, values: Mapping[str, Any]) -> None:
        """Write fields of a company's main legal entity; make one where there is none."""
        known = next((item for _, item in self._reader.load([company])), None)
        if known is None:
            raise gone(company.account, str(company))
        main, path = main_company(known), f"customers-corporate/{company.id}/companies"
        if main.get("id"):
            form: dict[str, Json] = {"by": "id", "entityBy": "id", "company": dict(values)}
            self._line.post(f"{path}/{main['id']}/edit", form, is_repeatable=True)
        else:
            made: dict[str, Json] = {"name": str(known.get("nickName") or ""), "isMain": True, **values}
            self._line.post(f"{path}/create", {"by": "id", "company": made})

    def complete_party(self, order: dict[str, Any]) -> None:
        """Give a corporate order its company's main legal entity, unless it names one."""
        customer = as_map(order.get("customer"))
        if customer.get("type") != CORPORATE or order.get("company"):
            return
        company = Ref(self._directory.account().key, Kind.COMPANY, str(customer["id"]))
        known = next((item for _, item in self._reader.load([company])), None)
        if known is not None and main_company(known).get("id"):
            order["company"] = {"id": main_company(known)["id"]}

    def _set_person(self, deal: Ref, person: Ref) -> None:
        order = self._reader.order(deal.id)
        if order is None:
            raise gone(deal.account, str(deal))
        side = "contact" if as_map(order.get("customer")).get("type") == CORPORATE else "customer"
        if str(as_map(order.get(side)).get("id")) != person.id:
            self._edit(deal, {side: {"id": int(person.id), "type": "customer"}})

    def _set_company(self, deal: Ref, company: Ref) -> None:
        order = self._reader.order(deal.id)
        if order is None:
            raise gone(deal.account, str(deal))
        customer = as_map(order.get("customer"))
        if str(customer.get("id")) == company.id and customer.get("type") == CORPORATE:
            return
        item: dict[str, Any] = {"customer": {"id": int(company.id), "type": CORPORATE}}
        if customer.get("id") and customer.get("type") != CORPORATE:
            item["contact"] = {"id": customer["id"], "type": "customer"}
        self.complete_party(item)
        self._edit(deal, item)

    def _edit(self, deal: Ref, item: dict[str, Any]) -> None:
        form: dict[str, Json] = {"by": "id", "order": item}
        self._line.post(f"orders/{deal.id}/edit", form, is_repeatable=True)

    def _unsupported(self, what: str, write: Write, other: Ref | None) -> Exception:
        pair = f"a {write.kind.value} and a {other.kind.value if other else 'record'}"
        return unsupported(
            self._directory.account().key,
            f"{what} {pair}",
            "Link another person or company in its place, or let somebody do it in retailCRM.",
        )
