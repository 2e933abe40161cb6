"""How records of a CRM are looked at: which kind, what of them is compared, under which keys they are found."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, TypeVar

from crmkit.models import Company, Contact, Record
from crmkit.values import Kind
from crmkit_dedup.exclusions import Seen, print_of
from crmkit_dedup.firm import CompanyProfile, CompanyReader, firm_index_keys
from crmkit_dedup.firm_holders import holders_of_firms
from crmkit_dedup.found import Profile, Rules
from crmkit_dedup.holders import holders_of
from crmkit_dedup.keys import index_keys
from crmkit_dedup.profile import PersonProfile, PersonReader
from crmkit_dedup.rows import company_row, person_row
from crmkit_dedup.scan import COMPANIES, PEOPLE

R = TypeVar("R", bound=Record)
P = TypeVar("P", bound=Profile)

KEYS_VERSION = 2
"""Raised whenever the same record gives other keys: indexes are then filled anew."""


@dataclass(frozen=True, slots=True)
class Sight(Generic[R, P]):
    """One kind of records as the live check sees it, in one account.

    Args:
        record: the class of the records.
        fields: what of a record is compared; a change of anything else is no reason to look again.
        profile: a record in comparable form.
        keys: under which keys a profile is found.
        rules: how two profiles are compared.
        reach: how the keys begin under which a number or a mailbox stands: what several may hold together.
        holders: of groups of positions by key, how many clearly different ones hold each key that several hold.
    """

    record: type[R]
    fields: frozenset[str]
    profile: Callable[[R], P]
    keys: Callable[[P], Sequence[str]]
    rules: Rules[P]
    reach: tuple[str, ...]
    holders: Callable[[Mapping[str, Sequence[int]], Sequence[P]], Mapping[str, int]]

    @property
    def kind(self) -> Kind:
        """The kind of the records."""
        return self.record.kind

    def seen(self, record: R) -> Seen:
        """The record with the print of what it is compared by."""
        return Seen(record.ref, print_of(self.keys(self.profile(record))))


AnySight = Sight[Any, Any]


@lru_cache(maxsize=64)
def sight_of(kind: Kind, country: str, own_phones: tuple[str, ...] = ()) -> AnySight:
    """How records of a kind are looked at in an account of that country; readers keep what they have worked out.

    Raises KeyError for a kind that has no live check.
    """
    return _SIGHTS[kind](country, own_phones)


def _people(country: str, own_phones: tuple[str, ...]) -> Sight[Contact, PersonProfile]:
    read = PersonReader(country, own_phones)
    return Sight(
        record=Contact,
        fields=frozenset({"name", "first_name", "middle_name", "last_name", "phones", "emails", "company", "birthday"}),
        profile=lambda contact: read(person_row(contact)),
        keys=index_keys,
        rules=PEOPLE,
        reach=("p:", "m:", "x:"),
        holders=holders_of,
    )


def _companies(country: str, own_phones: tuple[str, ...]) -> Sight[Company, CompanyProfile]:
    read = CompanyReader(country, own_phones)
    return Sight(
        record=Company,
        fields=frozenset({"name", "phones", "emails", "site", "inn", "kpp"}),
        profile=lambda company: read(company_row(company)),
        # People and companies stand in one index: a firm is not found by a person's number.
        keys=lambda profile: [f"f{key}" for key in firm_index_keys(profile)],
        rules=COMPANIES,
        reach=("fi:", "fp:", "fm:", "fd:"),
        holders=holders_of_firms,
    )


_SIGHTS: dict[Kind, Callable[[str, tuple[str, ...]], AnySight]] = {
    Kind.CONTACT: _people,
    Kind.COMPANY: _companies,
}

LIVE_KINDS = frozenset(_SIGHTS)
"""The kinds that are checked as they come."""
