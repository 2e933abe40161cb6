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

_LEGAL, _PRIVATE = "legal-entity", "individual"
"""What an order's payer is. Source: retailCRM API v5, `contragentType`."""


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
                    raise self._unsupported("connect", write.ref, other)
        return write.ref

    def unlink(self, write: Write) -> Ref | None:
        """Take an order's company or contact off it, or a person out of a company; what is not connected stays.

        Raises Unsupported for an order's only customer: the CRM keeps no order without one.
        """
        for other in write.others:
            sides = {ref.kind: ref for ref in (write.ref, other) if ref is not None}
            match sides:
                case {Kind.DEAL: deal, Kind.CONTACT: person}:
                    self._drop_person(deal, person)
                case {Kind.DEAL: deal, Kind.COMPANY: company}:
                    self._drop_company(deal, company)
                case {Kind.CONTACT: person, Kind.COMPANY: company}:
                    self._part(person, company)
                case _:
                    raise self._unsupported("disconnect", write.ref, other)
        return write.ref

    def join(self, person: Ref, company: Ref) -> None:
        """Make a person a contact of a company; once is enough."""
        company, known = self._reader.present(company)
        contacts = known.get("customerContacts") or []
        if any(str(as_map(one.get("customer")).get("id")) == person.id for one in contacts):
            return
        form: dict[str, Json] = {"by": "id", "contact": {"customer": {"id": int(person.id)}, "isMain": not contacts}}
        self._line.post(f"customers-corporate/{company.id}/contacts/create", form)

    def legal(self, company: Ref, values: Mapping[str, Any]) -> None:
        """Write fields of a company's main legal entity; make one where there is none."""
        company, known = self._reader.present(company)
        main, path = main_company(known), f"customers-corporate/{company.id}/companies"
        if main.get("id"):
            form: dict[str, Json] = {"by": "id", "entityBy": "id", "company": dict(values)}
            self._line.post(f"{path}/{main['id']}/edit", form, is_repeatable=True)
        else:
            made: dict[str, Json] = {"name": str(known.get("nickName") or ""), "isMain": True, **values}
            self._line.post(f"{path}/create", {"by": "id", "company": made})

    def complete_party(self, order: dict[str, Any]) -> None:
        """Give a corporate order its company's main legal entity and the type of that, unless it names them."""
        customer = as_map(order.get("customer"))
        if customer.get("type") != CORPORATE:
            return
        company = Ref(self._directory.account().key, Kind.COMPANY, str(customer["id"]))
        known = next((item for _, item in self._reader.load([company])), {})
        main = main_company(known)
        if main.get("id"):
            order.setdefault("company", {"id": main["id"]})
        type_ = as_map(main.get("contragent")).get("contragentType") or _LEGAL
        order["contragent"] = {"contragentType": type_, **as_map(order.get("contragent"))}

    def _set_person(self, deal: Ref, person: Ref) -> None:
        order = self._order(deal)
        side = "contact" if as_map(order.get("customer")).get("type") == CORPORATE else "customer"
        if str(as_map(order.get(side)).get("id")) != person.id:
            self._edit(deal, {side: {"id": int(person.id), "type": "customer"}})

    def _set_company(self, deal: Ref, company: Ref) -> None:
        order = self._order(deal)
        customer = as_map(order.get("customer"))
        if str(customer.get("id")) == company.id and customer.get("type") == CORPORATE:
            return
        item: dict[str, Any] = {"customer": {"id": int(company.id), "type": CORPORATE}}
        if customer.get("id") and customer.get("type") != CORPORATE:
            item["contact"] = {"id": customer["id"], "type": "customer"}
        self.complete_party(item)
        self._edit(deal, item)

    def _drop_person(self, deal: Ref, person: Ref) -> None:
        order = self._order(deal)
        customer = as_map(order.get("customer"))
        if str(customer.get("id")) == person.id and customer.get("type") != CORPORATE:
            raise self._unsupported("disconnect", deal, person)
        if str(as_map(order.get("contact")).get("id")) == person.id:
            self._edit(deal, {"contact": None})

    def _drop_company(self, deal: Ref, company: Ref) -> None:
        order = self._order(deal)
        customer, person = as_map(order.get("customer")), as_map(order.get("contact")).get("id")
        if str(customer.get("id")) != company.id or customer.get("type") != CORPORATE:
            return
        if not person:
            raise self._unsupported("disconnect", deal, company)
        own: dict[str, Any] = {"id": person, "type": "customer"}
        legal = {"company": None, "contragent": {"contragentType": _PRIVATE}}
        self._edit(deal, {"customer": own, "contact": own, **legal})

    def _part(self, person: Ref, company: Ref) -> None:
        """The API has no call for this: the list of contacts is written without the person, and looked at again."""
        company, known = self._reader.present(company)
        contacts = [as_map(one) for one in known.get("customerContacts") or []]
        kept = [one for one in contacts if str(as_map(one.get("customer")).get("id")) != person.id]
        if len(kept) == len(contacts):
            return
        main = next((one for one in kept if one.get("isMain")), kept[0] if kept else None)
        left: list[Json] = [{"customer": {"id": one["customer"]["id"]}, "isMain": one is main} for one in kept]
        form: dict[str, Json] = {"by": "id", "customerCorporate": {"customerContacts": left}}
        self._line.post(f"customers-corporate/{company.id}/edit", form, is_repeatable=True)
        _, after = self._reader.present(company)
        if any(str(as_map(as_map(one).get("customer")).get("id")) == person.id for one in after["customerContacts"]):
            raise self._unsupported("disconnect", person, company)

    def _order(self, deal: Ref) -> dict[str, Any]:
        order = self._reader.order(deal.id)
        if order is None:
            raise gone(deal.account, str(deal))
        return order

    def _edit(self, deal: Ref, item: dict[str, Any]) -> None:
        form: dict[str, Json] = {"by": "id", "order": item}
        self._line.post(f"orders/{deal.id}/edit", form, is_repeatable=True)

    def _unsupported(self, what: str, one: Ref | None, other: Ref) -> Exception:
        pair = f"a {one.kind.value if one else 'record'} and a {other.kind.value}"
        return unsupported(
            self._directory.account().key,
            f"{what} {pair}",
            "Link another person or company in its place, or let somebody do it in retailCRM.",
        )
