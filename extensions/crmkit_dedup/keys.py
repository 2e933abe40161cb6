"""Under which keys a person can be found again: what two records of one person are likely to have in common."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from crmkit_dedup.candidates import Family
from crmkit_dedup.profile import LIKELY, PersonProfile, line_of
from crmkit_dedup.rarity import Rarity

WIDEST = 60
"""A key that more records hold tells little by itself: its holders are compared where they share more than it."""

NEARLY = 4.0
"""Points that a name may lack: as many as a town in common gives, which narrows the key by itself."""

SELDOM = 6
"""The same for keys that prove little: a bare surname, a mailbox name without its provider."""


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


FAMILIES = (
    Family("p", _phones, WIDEST),
    Family("m", _mailboxes, WIDEST),
    Family("x", _papers, WIDEST),
    Family("n", _names, WIDEST),
    Family("b", _born, WIDEST),
    Family("l", _locals, SELDOM),
    Family("s", _surname, SELDOM),
)
"""All kinds of keys, the surest first."""


def is_telling_name(rarity: Rarity, key: str) -> bool:
    """A surname with a first name is rare enough in the base for one more agreement to decide."""
    surname, _, given = key.rpartition(" ")
    bits = rarity.fields["surname"].bits(surname) + rarity.fields["given"].bits(given)
    return bits >= rarity.base_bits - NEARLY


def narrow_keys(profile: PersonProfile) -> Iterator[str]:
    """What holders of a wide key must share besides it to be compared."""
    for given in profile.given:
        yield f"n{profile.surname} {given}"
    if profile.patronymic:
        yield f"q{profile.patronymic}"
    if profile.birthday:
        yield f"b{profile.birthday}"
    if profile.city:
        yield f"c{profile.city}"
    if profile.company:
        yield f"o{profile.company}"
    for phone in profile.phones:
        yield f"h{phone[:7]}"
        yield f"t{phone[-4:]}"
    for mailbox in profile.mailboxes:
        yield f"l{mailbox.removeprefix(LIKELY).partition('@')[0]}"


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
