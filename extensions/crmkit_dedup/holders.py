"""Who holds a number or a mailbox together: how many clearly different people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter

from crmkit_dedup.profile import PersonProfile
from crmkit_dedup.scoring.names import AGREE, DIFFER, fit_of_given, fit_of_patronymic, fit_of_surname

MOST = 64
"""Counting stops here: a number of so many people is a place."""

LOOKED_AT = 300
"""Holders of one number that are looked at."""

_NAME = attrgetter(
    "surname", "given", "given_word", "is_listed", "given_initials", "patronymic", "patronymic_initial", "gender"
)


def holders_of(groups: Mapping[str, Sequence[int]], profiles: Sequence[PersonProfile]) -> dict[str, int]:
    """Number of clearly different people for each key that two or more of them hold."""
    found = {}
    for key, group in groups.items():
        count = people_among([profiles[position] for position in group])
        if count > 1:
            found[key] = count
    return found


def people_among(holders: Iterable[PersonProfile]) -> int:
    """How many of the holders are clearly different people; those without a name are anybody."""
    people: list[PersonProfile] = []
    # Most of them have one name, letter by letter.
    named = {_NAME(holder): holder for holder in holders if not (holder.junk or holder.is_nameless)}
    if len(named) < 3:
        return 1 + are_different(*named.values()) if len(named) == 2 else len(named)
    # Likeness is no equality, so who is met first decides who is counted: the best known, in an order of their own.
    for holder in sorted(named.values(), key=_rank)[:LOOKED_AT]:
        if all(are_different(holder, other) for other in people):
            people.append(holder)
            if len(people) == MOST:
                break
    return len(people)


def are_different(a: PersonProfile, b: PersonProfile) -> bool:
    """Their names cannot be one person's, but for a woman's new surname."""
    given = fit_of_given(a, b)
    if given is DIFFER or (a.gender and b.gender and a.gender != b.gender):
        return True
    if fit_of_patronymic(a, b) is DIFFER:
        return True
    if fit_of_surname(a, b) is not DIFFER:
        return False
    return given is not AGREE or "m" in (a.gender, b.gender)


def _rank(profile: PersonProfile) -> tuple[int, tuple[str, ...]]:
    known = 2 * profile.is_listed + bool(profile.surname) + bool(profile.patronymic)
    given = (min(profile.given, default=""), profile.given_word, profile.given_initials)
    return (-known, (profile.surname, *given, profile.patronymic, profile.patronymic_initial, profile.gender))
