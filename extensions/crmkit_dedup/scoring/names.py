"""What the names of two people say: agreement, slips, initials, contradictions."""

from __future__ import annotations

from enum import IntEnum

from rapidfuzz.distance import OSA

from crmkit_dedup.profile import PersonProfile
from crmkit_dedup.rarity import Rarity
from crmkit_dedup.scoring import weights
from crmkit_dedup.scoring.weighed import Points


class Fit(IntEnum):
    """How two words of a name go together."""

    MISSING = 0
    AGREE = 1
    SLIP = 2
    INITIAL = 3
    DIFFER = 4
    ODD = 5
    """They differ, but one of them may be no name, a short name's letter, or the other with a slip."""


MISSING, AGREE, SLIP, INITIAL, DIFFER, ODD = Fit
# By names of their own: looking a member up in its class takes longer than comparing two names.

_SHORT = 4
"""Signs of a name in which one letter more or less makes another."""


NameFit = tuple[Fit, Fit, Fit]
"""How the first names, the surnames and the patronymics of two names go together."""


def is_slip(one: str, other: str) -> bool:
    """The words differ as by a slip of the hand: one sign, or two in words of eight signs and more."""
    shorter = min(len(one), len(other))
    if shorter < 3:
        return False
    allowed = 2 if shorter >= 8 else 1
    return OSA.distance(one, other, score_cutoff=allowed) <= allowed


def fit_of_given(a: PersonProfile, b: PersonProfile) -> Fit:
    """How the first names go together; forms of one name agree, two listed names that do not meet never do."""
    names, others = a.given, b.given
    if names and others:
        if names is others or not names.isdisjoint(others):
            return AGREE
        word, other_word = a.given_word, b.given_word
        if not (a.is_listed and b.is_listed):
            return SLIP if is_slip(word, other_word) else ODD
        # A slip may make another name of one: Диана and Дана. In a short one a letter is too much: Оля, Юля.
        is_near = word == other_word or (min(len(word), len(other_word)) > _SHORT and is_slip(word, other_word))
        return ODD if is_near else DIFFER
    one, other = a.given_initials, b.given_initials
    if one and other:
        return INITIAL if any(letter in other for letter in one) else ODD
    return MISSING


def fit_of_surname(a: PersonProfile, b: PersonProfile) -> Fit:
    """How the surnames go together; a double surname agrees with each of its halves."""
    one, other = a.surname, b.surname
    if not one or not other:
        return MISSING
    if one == other:
        return AGREE
    if is_slip(one, other) or ("-" in one + other and not set(one.split("-")).isdisjoint(other.split("-"))):
        return SLIP
    return DIFFER


def fit_of_patronymic(a: PersonProfile, b: PersonProfile) -> Fit:
    """How the patronymics go together."""
    one, other = a.patronymic, b.patronymic
    if one and other:
        if one == other:
            return AGREE
        return SLIP if is_slip(one, other) else DIFFER
    if a.patronymic_initial and b.patronymic_initial:
        return INITIAL if a.patronymic_initial == b.patronymic_initial else DIFFER
    return MISSING


def weigh_names(a: PersonProfile, b: PersonProfile, fit: NameFit, rarity: Rarity, points: Points) -> None:
    """Add what the names say; contradictions that are vetoes have been seen before."""
    given, surname, patronymic = fit
    _weigh_given(a, b, given, rarity, points)
    _weigh_surname(a, b, surname, rarity, points)
    if patronymic is AGREE:
        points.append(("patronymic", min(rarity.fields["patronymic"].bits(a.patronymic), weights.PATRONYMIC_MOST)))
    elif patronymic is SLIP:
        counted = rarity.fields["patronymic"]
        bits = min(counted.bits(a.patronymic), counted.bits(b.patronymic))
        points.append(("patronymic_slip", min(bits, weights.PATRONYMIC_MOST) + weights.PATRONYMIC_SLIP))
    elif patronymic is INITIAL:
        points.append(("patronymic_initial", weights.INITIAL))


def _weigh_given(a: PersonProfile, b: PersonProfile, fit: Fit, rarity: Rarity, points: Points) -> None:
    if fit is AGREE:
        names, others = a.given, b.given
        shared = names if names is others else names & others
        bits = min(rarity.fields["given"].bits_of_any(shared), weights.GIVEN_MOST)
        if len(names) == len(others) == 1:
            points.append(("given", bits))
        else:
            points.append(("given_short", bits + weights.GIVEN_SHORT))
    elif fit is SLIP:
        listed = a.given if a.is_listed else b.given
        bits = min(rarity.fields["given"].bits_of_any(listed), weights.GIVEN_MOST)
        points.append(("given_slip", bits + weights.GIVEN_SLIP))
    elif fit is INITIAL:
        points.append(("given_initial", weights.INITIAL))
    elif fit is ODD:
        points.append(("given_differs", weights.GIVEN_ODD))


def _weigh_surname(a: PersonProfile, b: PersonProfile, fit: Fit, rarity: Rarity, points: Points) -> None:
    if fit is AGREE or fit is SLIP:
        counted = rarity.fields["surname"]
        bits = min(counted.bits(a.surname), weights.SURNAME_MOST)
        if fit is AGREE:
            points.append(("surname", bits))
        else:
            bits = min(counted.bits(b.surname), bits)
            points.append(("surname_slip", bits + weights.SURNAME_SLIP))
    elif fit is DIFFER:
        is_woman = a.gender == b.gender == "f"
        points.append(
            ("surname_changed", weights.SURNAME_CHANGED) if is_woman else ("surname_differs", weights.SURNAME_DIFFERS)
        )
