"""How the names of two companies go together: agreement, slips, parts of one another, contradictions."""

from __future__ import annotations

from rapidfuzz.distance import OSA

from crmkit_dedup.firm import CompanyProfile
from crmkit_dedup.scoring.names import AGREE, DIFFER, INITIAL, MISSING, ODD, SLIP, Fit, is_slip

MIDDLING, LONG = 6, 10
"""From so many letters on a name with two signs wrong, and with three, is still known by the rest."""


def fit_of_firms(a: CompanyProfile, b: CompanyProfile) -> Fit:
    """How the names go together.

    INITIAL stands for a name that is a part of the other one, ODD for one that is mistyped more than once.
    """
    if a.surname and b.surname:
        return _fit_of_traders(a, b)
    if not a.core or not b.core:
        return MISSING
    if a.surname or b.surname:
        return _fit_with_trader(a, b)
    if a.core == b.core:
        return AGREE
    if _digits(a) != _digits(b):
        return _fit_of_numbered(a, b)
    fewer, more = sorted((a.words, b.words), key=len)
    is_one_word = len(more) == 1
    if is_one_word or not all(word in more or any(is_slip(word, near) for near in more) for word in fewer):
        return SLIP if is_slip(a.core, b.core) else ODD if _are_alike(a, b) else DIFFER
    beside = {word for word in more if word not in fewer and not any(is_slip(word, near) for near in fewer)}
    return SLIP if beside <= {a.city, b.city} else INITIAL


def _digits(firm: CompanyProfile) -> str:
    return "".join(filter(str.isdecimal, firm.core)) if not firm.core.isalpha() else ""


def _fit_of_numbered(a: CompanyProfile, b: CompanyProfile) -> Fit:
    """Numbers tell firms apart; one digit behind a name may be what a person has marked a second card with."""
    beside = a.words ^ b.words
    is_mark = len(beside) == 1 and all(len(word) == 1 and word.isdecimal() for word in beside)
    return ODD if is_mark else DIFFER


def _are_alike(a: CompanyProfile, b: CompanyProfile) -> bool:
    """The names are near; of names with a word in common, what is left of them: firms of one house share the rest."""
    if a.words.isdisjoint(b.words):
        return _is_near(a.core, b.core)
    return _is_near("".join(sorted(a.words - b.words)), "".join(sorted(b.words - a.words)))


def _is_near(one: str, other: str) -> bool:
    """The words may be one mistyped twice, or mistyped and romanised."""
    shorter = min(len(one), len(other))
    allowed = 3 if shorter >= LONG else 2 if shorter >= MIDDLING else 0
    return allowed > 0 and OSA.distance(one, other, score_cutoff=allowed) <= allowed


def _fit_with_trader(a: CompanyProfile, b: CompanyProfile) -> Fit:
    """A bare surname may be a sole trader's, unless its form is an organisation's."""
    is_apart = bool(a.forms and b.forms and a.forms.isdisjoint(b.forms))
    return INITIAL if not is_apart and (a.core == b.core or is_slip(a.core, b.core)) else DIFFER


def _fit_of_traders(a: CompanyProfile, b: CompanyProfile) -> Fit:
    if a.surname != b.surname and not is_slip(a.surname, b.surname) and not _is_near(a.surname, b.surname):
        return DIFFER
    if a.patronymic_initial and b.patronymic_initial and a.patronymic_initial != b.patronymic_initial:
        return DIFFER
    given = _fit_of_given(a, b)
    if a.surname == b.surname or given is DIFFER:
        return given
    return SLIP if is_slip(a.surname, b.surname) else ODD


def _fit_of_given(a: CompanyProfile, b: CompanyProfile) -> Fit:
    if a.given and b.given:
        if not a.given.isdisjoint(b.given):
            return AGREE
        is_mistyped = not (a.is_listed and b.is_listed) and is_slip(a.given_word, b.given_word)
        return SLIP if is_mistyped else DIFFER
    one, other = a.given_initials, b.given_initials
    return DIFFER if one and other and not set(one) & set(other) else AGREE
