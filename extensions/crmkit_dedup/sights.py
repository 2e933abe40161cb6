"""How records of a CRM are looked at: which kind, what of them is compared, under which keys they are found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, TypeVar

from crmkit.models import Contact, Record
from crmkit.values import Kind
from crmkit_dedup.exclusions import Seen, print_of
from crmkit_dedup.found import Profile, Rules
from crmkit_dedup.holders import people_among
from crmkit_dedup.keys import index_keys
from crmkit_dedup.profile import PersonProfile, PersonReader
from crmkit_dedup.rows import person_row
from crmkit_dedup.scan import PEOPLE

R = TypeVar("R", bound=Record)
P = TypeVar("P", bound=Profile)

KEYS_VERSION = 1
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
        holders: how many clearly different ones there are among profiles; None where it does not matter.
    """

    record: type[R]
    fields: frozenset[str]
    profile: Callable[[R], P]
    keys: Callable[[P], Sequence[str]]
    rules: Rules[P]
    holders: Callable[[Sequence[P]], int] | None = None

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
        holders=people_among,
    )


_SIGHTS: dict[Kind, Callable[[str, tuple[str, ...]], AnySight]] = {Kind.CONTACT: _people}

LIVE_KINDS = frozenset(_SIGHTS)
"""The kinds that are checked as they come."""
