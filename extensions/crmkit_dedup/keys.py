"""Under which keys a person can be found again: what two records of one person are likely to have in common."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from crmkit_dedup.candidates import Beside, Family, wider_than
from crmkit_dedup.profile import LIKELY, PersonProfile, line_of
from crmkit_dedup.rarity import Rarity
from crmkit_dedup.scoring import weights

WIDEST = 60
"""A key that more records hold tells little by itself: its holders are compared where they share more than it."""

SELDOM = 6
"""The same for keys that prove little: a bare surname, a mailbox name without its provider."""

NEARLY = 1.0
"""A surname with a first name that lacks more points does not make two records one by itself."""

TOO_FAR = 9.0
"""A surname that lacks more stays too far from it whatever is shared: a town and a firm together give no more."""


def _phones(profile: PersonProfile) -> Iterable[str]:
    if not profile.has_extension:
        return profile.phones
    return {*profile.phones, *map(line_of, profile.phones)}


def _mailboxes(profile: PersonProfile) -> Iterable[str]:
    return [mailbox.removeprefix(LIKELY) for mailbox in profile.mailboxes]


def _papers(profile: PersonProfile) -> Iterable[str]:
    found = [*profile.messengers]
    if profile.inn:
        found.append(f"i{profile.inn}")
    if profile.external:
        found.append(f"e{profile.external}")
    return found


def _names(profile: PersonProfile) -> Iterable[str]:
    return [f"{profile.surname} {given}" for given in profile.given] if profile.surname else ()


def _born(profile: PersonProfile) -> Iterable[str]:
    if not profile.birthday:
        return ()
    found = [f"{profile.birthday} {given}" for given in profile.given]
    if profile.surname:
        found.append(f"{profile.birthday} {profile.surname}")
    return found


def _locals(profile: PersonProfile) -> Iterable[str]:
    return [mailbox.removeprefix(LIKELY).partition("@")[0] for mailbox in profile.mailboxes]


def _surname(profile: PersonProfile) -> Iterable[str]:
    return (profile.surname,) if profile.surname else ()


def _all_beside(profile: PersonProfile) -> Iterator[str]:
    for given in profile.given:
        yield f"{profile.surname} {given}"
    if profile.birthday:
        yield str(profile.birthday)
    for mailbox in profile.mailboxes:
        yield mailbox.removeprefix(LIKELY).partition("@")[0]
    yield from _town_and_more(profile)


def _town_and_more(profile: PersonProfile) -> list[str]:
    return [*_firm_and_more(profile), profile.city] if profile.city else _firm_and_more(profile)


def _firm_and_more(profile: PersonProfile) -> list[str]:
    found = [word for word in (profile.patronymic, profile.company) if word]
    for phone in profile.phones:
        # A slip leaves the beginning or the end.
        found += (phone[:7], phone[-4:])
    return found


def _nothing(_profile: PersonProfile) -> tuple[str, ...]:
    return ()


_ALL = Beside(_all_beside)
_TOWN = Beside(_town_and_more)
_FIRM = Beside(_firm_and_more)
_NOTHING = Beside(_nothing)
# Two listed first names that differ are two people's; holders of one name have met by it.
_ODD = Beside(_town_and_more, leads=lambda profile: not profile.is_listed)


def _of_name(rarity: Rarity, key: str, holders: int) -> Beside[PersonProfile] | None:
    surname, _, given = key.rpartition(" ")
    bits = rarity.fields["surname"].bits(surname) + rarity.fields["given"].bits(given)
    lacking = rarity.base_bits - bits
    if lacking > weights.CITY_MOST - weights.REVIEW:
        return _FIRM
    return _TOWN if lacking > NEARLY or holders > WIDEST else None


def _of_surname(rarity: Rarity, key: str, holders: int) -> Beside[PersonProfile] | None:
    if holders <= SELDOM:
        return None
    return _ODD if rarity.base_bits - rarity.fields["surname"].bits(key) <= TOO_FAR else _NOTHING


FAMILIES = (
    Family("p", _phones, WIDEST, wider_than(WIDEST, _ALL)),
    Family("m", _mailboxes, WIDEST, wider_than(WIDEST, _ALL)),
    Family("x", _papers, WIDEST, wider_than(WIDEST, _ALL)),
    Family("n", _names, WIDEST, _of_name),
    Family("b", _born, WIDEST, wider_than(WIDEST, _ALL)),
    Family("l", _locals, SELDOM, wider_than(SELDOM, _ALL)),
    Family("s", _surname, SELDOM, _of_surname),
)
"""All kinds of keys, the surest first."""


def index_keys(profile: PersonProfile) -> tuple[str, ...]:
    """The keys under which a person is put into an index, each once and in a fixed order; none for junk.

    Two people who are one share a key. A key that more than `WIDEST` records hold may be left out of a search, for
    names have narrower ones beside: with the patronymic, the town, the end of a phone.
    """
    if profile.junk:
        return ()
    found = [f"{family.code}:{key}" for family in FAMILIES for key in family.keys(profile)]
    for name in _names(profile):
        beside = [f"q{profile.patronymic}"] if profile.patronymic else []
        beside += [f"c{profile.city}"] if profile.city else []
        beside += [f"t{phone[-4:]}" for phone in profile.phones]
        found += [f"n:{name} {narrow}" for narrow in beside]
    return tuple(dict.fromkeys(found))
