"""Which corporate customer a person is a contact of: people do not tell, their companies do."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from crmkit_retailcrm.client.line import Line
from crmkit_retailcrm.wire import PAGE, as_map

MOST_PAGES = 50
"""Of an account with more pages of companies than these not all are read beforehand."""

_LIST, _NAME = "customers-corporate", "customersCorporate"


class Firms:
    """Looks up the companies of people of one account.

    Args:
        line: the way to the account.
        is_walk: many people will be asked for: the companies are read once, beforehand.
    """

    def __init__(self, line: Line, *, is_walk: bool = False) -> None:
        self._line = line
        self._is_walk = is_walk
        self._mains: Mapping[int, int] | None = None

    def for_walk(self) -> Firms:
        """The same, for a walk over all people."""
        return Firms(self._line, is_walk=True)

    def of(self, people: Collection[int]) -> Mapping[int, int]:
        """Companies by the people who are their contacts; of several the one whose main contact they are.

        Most people are main contacts, which lists of companies name. For others it costs one request a hundred, and
        one for each company that has such contacts.
        """
        known = self._known_mains() if people and self._is_walk else {}
        found = {person: known[person] for person in people if person in known}
        rest = [person for person in people if person not in found]
        for start in range(0, len(rest), PAGE):
            asked = set(rest[start : start + PAGE])
            firms = list(self._line.every(_LIST, _NAME, [("filter[contactIds][]", str(one)) for one in sorted(asked)]))
            mains = _mains(firms)
            found |= {person: mains[person] for person in asked if person in mains}
            for firm in firms:
                if asked <= found.keys():
                    break
                for person in self._contacts(firm):
                    if person in asked:
                        found.setdefault(person, firm["id"])
        return found

    def _known_mains(self) -> Mapping[int, int]:
        if self._mains is None:
            firms, pages = self._line.page(_LIST, _NAME)
            for number in range(2, pages + 1 if pages <= MOST_PAGES else 0):
                firms += self._line.page(_LIST, _NAME, number=number)[0]
            self._mains = _mains(firms)
        return self._mains

    def _contacts(self, firm: Mapping[str, Any]) -> Iterator[int]:
        path = f"{_LIST}/{firm['id']}/contacts"
        told = firm.get("customerContacts")
        contacts = self._line.every(path, "contacts", [("by", "id")]) if told is None else told
        for contact in contacts:
            yield int(as_map(as_map(contact).get("customer")).get("id") or 0)


def _mains(firms: Collection[Mapping[str, Any]]) -> dict[int, int]:
    """Companies by their main contacts; of several companies the newest, which comes first."""
    found: dict[int, int] = {}
    for firm in firms:
        main = as_map(as_map(firm.get("mainCustomerContact")).get("customer")).get("id")
        if main:
            found.setdefault(int(main), firm["id"])
    return found
