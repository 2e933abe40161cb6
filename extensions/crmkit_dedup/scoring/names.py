"""What the names of two people say: agreement, slips, initials, contradictions."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

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
    """They differ, but one of them may be no name, or a short name's letter."""


class NameFit(NamedTuple):
    """How the parts of two names go together."""

    given: Fit
    surname: Fit
    patronymic: Fit


def is_slip(one: str, other: str) -> bool:
    """The words differ as by a slip of the hand: one sign, or two in words of eight signs and more."""
    shorter = min(len(one), len(other))
    if shorter < 3:
        return False
    allowed = 2 if shorter >= 8 else 1
    return OSA.distance(one, other, score_cutoff=allowed) <= allowed


def fit_of_given(a: PersonProfile, b: PersonProfile) -> Fit:
    """How the first names go together; forms of one name agree, two listed names that do not meet never do."""
    if a.given and b.given:
        if a.given is b.given or not a.given.isdisjoint(b.given):
            return Fit.AGREE
        if a.is_listed and b.is_listed:
            return Fit.DIFFER
        return Fit.SLIP if is_slip(a.given_word, b.given_word) else Fit.ODD
    one, other = a.given_initials, b.given_initials
    if one and other:
        return Fit.INITIAL if any(letter in other for letter in one) else Fit.ODD
    return Fit.MISSING


def fit_of_surname(a: PersonProfile, b: PersonProfile) -> Fit:
    """How the surnames go together; a double surname agrees with each of its halves."""
    one, other = a.surname, b.surname
    if not one or not other:
        return Fit.MISSING
    if one == other:
        return Fit.AGREE
    if is_slip(one, other) or ("-" in one + other and not set(one.split("-")).isdisjoint(other.split("-"))):
        return Fit.SLIP
    return Fit.DIFFER


def fit_of_patronymic(a: PersonProfile, b: PersonProfile) -> Fit:
    """How the patronymics go together."""
    one, other = a.patronymic, b.patronymic
    if one and other:
        if one == other:
            return Fit.AGREE
        return Fit.SLIP if is_slip(one, other) else Fit.DIFFER
    if a.patronymic_initial and b.patronymic_initial:
        return Fit.INITIAL if a.patronymic_initial == b.patronymic_initial else Fit.DIFFER
    return Fit.MISSING


def weigh_names(a: PersonProfile, b: PersonProfile, fit: NameFit, rarity: Rarity, points: Points) -> None:
    """Add what the names say; contradictions that are vetoes have been seen before."""
    _weigh_given(a, b, fit.given, rarity, points)
    _weigh_surname(a, b, fit, rarity, points)
    if fit.patronymic is Fit.AGREE:
        points.append(("patronymic", min(rarity.fields["patronymic"].bits(a.patronymic), weights.PATRONYMIC_MOST)))
    elif fit.patronymic is Fit.SLIP:
        bits = rarity.fields["patronymic"].bits(a.patronymic)
        points.append(("patronymic_slip", min(bits, weights.PATRONYMIC_MOST) + weights.PATRONYMIC_SLIP))
    elif fit.patronymic is Fit.INITIAL:
        points.append(("patronymic_initial", weights.INITIAL))


def _weigh_given(a: PersonProfile, b: PersonProfile, fit: Fit, rarity: Rarity, points: Points) -> None:
    if fit is Fit.AGREE:
        shared = a.given if a.given is b.given else a.given & b.given
        bits = min(rarity.fields["given"].bits_of_any(shared), weights.GIVEN_MOST)
        if len(a.given) == len(b.given) == 1:
            points.append(("given", bits))
        else:
            points.append(("given_short", bits + weights.GIVEN_SHORT))
    elif fit is Fit.SLIP:
        listed = a.given if a.is_listed else b.given
        bits = min(rarity.fields["given"].bits_of_any(listed), weights.GIVEN_MOST)
        points.append(("given_slip", bits + weights.GIVEN_SLIP))
    elif fit is Fit.INITIAL:
        points.append(("given_initial", weights.INITIAL))
    elif fit is Fit.ODD:
        points.append(("given_differs", weights.GIVEN_ODD))


def _weigh_surname(a: PersonProfile, b: PersonProfile, fit: NameFit, rarity: Rarity, points: Points) -> None:
    if fit.surname is Fit.AGREE or fit.surname is Fit.SLIP:
        counted = rarity.fields["surname"]
        bits = min(counted.bits(a.surname), counted.bits(b.surname), weights.SURNAME_MOST)
        if fit.surname is Fit.AGREE:
            points.append(("surname", bits))
        else:
            points.append(("surname_slip", bits + weights.SURNAME_SLIP))
    elif fit.surname is Fit.DIFFER:
        is_woman = a.gender == b.gender == "f"
        points.append(
            ("surname_changed", weights.SURNAME_CHANGED) if is_woman else ("surname_differs", weights.SURNAME_DIFFERS)
        )
