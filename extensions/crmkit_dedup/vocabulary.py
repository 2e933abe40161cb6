"""The words of a base, how often each is met: names, towns, firms, what mailboxes are called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from operator import attrgetter
from typing import NamedTuple

from crmkit_dedup.firm import CompanyProfile
from crmkit_dedup.firm_holders import bearers_of_names
from crmkit_dedup.profile import LIKELY, PersonProfile


class Vocabulary(NamedTuple):
    """How often each word of a field is met, and how many words of the field there are."""

    counts: Mapping[str, Mapping[str, int]]
    filled: Mapping[str, int]


def words_of_people(profiles: Sequence[PersonProfile]) -> Vocabulary:
    """The words of people; the name of a mailbox counts as often as there are addresses with it."""
    boxes = list(map(attrgetter("mailboxes"), profiles))
    counts = {
        **_counted(profiles, "surname", "patronymic", "city", "company"),
        "given": Counter(chain.from_iterable(map(attrgetter("given"), profiles))),
        "birthday": {str(day): count for day, count in Counter(map(attrgetter("birthday"), profiles)).items() if day},
    }
    filled = {field: sum(words.values()) for field, words in counts.items()}
    addresses = {box.removeprefix(LIKELY) for box in chain.from_iterable(boxes)}
    counts["local"] = Counter(address.partition("@")[0] for address in addresses)
    filled["local"] = sum(map(bool, boxes))
    return Vocabulary(counts, filled)


def words_of_companies(profiles: Sequence[CompanyProfile]) -> Vocabulary:
    """The words of companies; a name counts as often as clearly different firms bear it.

    A sole trader has a person's name instead of a firm's.
    """
    traders = [profile for profile in profiles if profile.surname]
    counts = {
        **_counted(profiles, "city"),
        **_counted(traders, "surname"),
        "given": Counter(chain.from_iterable(trader.given for trader in traders)),
    }
    filled = {field: sum(words.values()) for field, words in counts.items()}
    filled["company"] = sum(1 for profile in profiles if profile.core and not profile.surname)
    return Vocabulary({**counts, "company": bearers_of_names(profiles)}, filled)


def _counted(profiles: Iterable[object], *fields: str) -> dict[str, Counter[str]]:
    return {field: Counter(filter(None, map(attrgetter(field), profiles))) for field in fields}
