"""What an entity alone does not tell is read beside it and put into it: outcome, company, names of its fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crmkit.models import Outcome
from crmkit.values import Kind
from crmkit_retailcrm.client.directory import Directory
from crmkit_retailcrm.client.firms import Firms
from crmkit_retailcrm.client.line import Line
from crmkit_retailcrm.translate import known_fields
from crmkit_retailcrm.wire import OURS

_ROLES: Mapping[Kind, tuple[str, ...]] = {Kind.DEAL: ("title",), Kind.COMPANY: ("phone", "email")}


class Enricher:
    """Completes entities of one account, so that a record can be made of each without asking again.

    Args:
        line: the way to the account.
        directory: what the account has by name.
    """

    def __init__(self, line: Line, directory: Directory) -> None:
        self._line = line
        self._directory = directory
        self.firms = Firms(line)

    def completed(
        self, kind: Kind, items: Sequence[dict[str, Any]], firms: Firms | None = None
    ) -> list[dict[str, Any]]:
        """The entities, with what `wire.Known` names put into them; the vendor's own keys are untouched.

        Companies and legal entities cost requests: one for each hundred people who are contacts of companies, two for
        each corporate customer whose parts were left out of the list.
        """
        if kind not in (Kind.CONTACT, Kind.COMPANY, Kind.DEAL) or not items:
            return list(items)
        people = [item["id"] for item in items if item.get("isContact")] if kind is Kind.CONTACT else []
        companies = (firms or self.firms).of(people) if people else {}
        fields = self._directory.field_map(kind) if any(item.get("customFields") for item in items) else {}
        roles = {name: code for name in _ROLES.get(kind, ()) if (code := self._directory.role(name)) is not None}
        outcomes = self._directory.outcomes({str(one.get("status")) for one in items}) if kind is Kind.DEAL else {}
        done: list[dict[str, Any]] = []
        for item in items:
            known: dict[str, Any] = {"roles": roles} if roles else {}
            if fields and (named := known_fields(item, fields)):
                known["fields"] = named
            if kind is Kind.DEAL:
                known["outcome"] = outcomes.get(str(item.get("status")), Outcome.OPEN.value)
                if not item.get("orderType"):
                    known["pipeline"] = self._directory.main_pipeline()
            elif companies and (company := companies.get(item["id"])) is not None:
                known["company"] = company
            whole = self._with_parts(item) if kind is Kind.COMPANY else item
            if known:
                whole[OURS] = known
            done.append(whole)
        return done

    def _with_parts(self, firm: dict[str, Any]) -> dict[str, Any]:
        """A corporate customer with its contacts and legal entities, which lists name by their main ones only."""
        found = dict(firm)
        path = f"customers-corporate/{firm['id']}"
        for name, main, part in (
            ("customerContacts", "mainCustomerContact", "contacts"),
            ("companies", "mainCompany", "companies"),
        ):
            if name not in found:
                has_any = bool(firm.get(main))
                found[name] = list(self._line.every(f"{path}/{part}", part, [("by", "id")])) if has_any else []
        return found
