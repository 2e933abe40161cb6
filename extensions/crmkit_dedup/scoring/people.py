"""Whether two people are one: contradictions first, then the sum of what speaks for it and against it."""

from __future__ import annotations

from rapidfuzz.distance import OSA

from crmkit_dedup.match import Band
from crmkit_dedup.profile import PersonProfile, is_landline, is_named_after_father, line_of
from crmkit_dedup.rarity import Rarity
from crmkit_dedup.scoring import weights
from crmkit_dedup.scoring.names import (
    AGREE,
    DIFFER,
    INITIAL,
    MISSING,
    SLIP,
    Fit,
    NameFit,
    fit_of_given,
    fit_of_patronymic,
    fit_of_surname,
    weigh_names,
)
from crmkit_dedup.scoring.reach import weigh_mailboxes, weigh_messengers, weigh_phones
from crmkit_dedup.scoring.weighed import Points, Weighed, vetoed

_SURE, _ASKED, _IGNORED = Band
_REACH = frozenset({"phone", "phone_extension", "phone_slip"})
_PLACES = frozenset({"phone_landline", "phone_shared", "company"})
_MAIL = frozenset({"mailbox", "mailbox_slip"})
_NAMED = frozenset({"mailbox_named", "messenger_named"})
_PAPERS = frozenset({"inn", "external", "birthday", "messenger"})
_DOUBTS = frozenset(
    {"given_differs", "surname_differs", "patronymic_differs", "extension_differs", "phone_reissued", "generations"}
)
_PARTS = frozenset({"phones_differ", "mailboxes_differ", "city_differs"})
"""What a whole name does not outweigh by itself: namesakes have numbers, mailboxes and towns of their own."""

_TOLD = frozenset(
    {"base", "phone", "phone_landline", "phone_extension", "phone_shared", "phone_sole", "birthday", "inn"}
    | {"mailbox", "mailbox_named", "mailbox_shared", "mailbox_role", "messenger", "messenger_named"}
)
"""Codes whose fact is told beside them."""


def weigh_people(a: PersonProfile, b: PersonProfile, rarity: Rarity) -> Weighed:
    """Compare two people.

    A veto: different first names, patronymics, genders, birthdays, tax numbers, or senior and junior. Junk is
    nobody, so it is never anyone else.
    """
    given = fit_of_given(a, b)
    if given is DIFFER:
        return vetoed("given_differs")
    if a.junk or b.junk:
        return vetoed("junk")
    birthday = fit_of_birthday(a.birthday, b.birthday) if a.birthday and b.birthday else MISSING
    patronymic = fit_of_patronymic(a, b)
    veto = _veto(a, b, birthday, patronymic)
    if veto:
        return vetoed(veto)
    fit = (given, fit_of_surname(a, b), patronymic)
    points: Points = []
    if a.phones and b.phones:
        weigh_phones(a, b, rarity, points)
    if (a.mailboxes and b.mailboxes) or (a.roles and b.roles):
        weigh_mailboxes(a, b, rarity, points)
    if a.messengers and b.messengers:
        weigh_messengers(a, b, rarity, points)
    is_reached = any(bits > 0 and code not in _NAMED for code, bits in points)
    weigh_names(a, b, fit, rarity, points)
    _weigh_facts(a, b, birthday, fit, rarity, points)
    if is_reached:
        _weigh_household(a, b, fit, rarity, points)
    points.append(("base", -rarity.base_bits))
    score = sum([bits for _, bits in points])
    is_kin = birthday is MISSING and score >= weights.AUTO and _may_be_kin(a, b, patronymic)
    if is_kin:
        points.append(("generations", 0.0))
    return Weighed(points, score, _band(points, score, fit), False, is_kin)


def detail_of_people(code: str, a: PersonProfile, b: PersonProfile, rarity: Rarity) -> str:
    """The fact that a reason is about, where it can be told in a word."""
    if code not in _TOLD:
        return ""
    if code == "base":
        return str(rarity.size)
    if code in ("phone", "phone_landline", "phone_extension", "phone_shared", "phone_sole"):
        shared = sorted(set(a.phones) & set(b.phones)) or sorted(
            {line_of(phone) for phone in a.phones} & {line_of(phone) for phone in b.phones}
        )
        return ", ".join(f"+{phone.replace('#', ' #')}" for phone in shared)
    if code in ("mailbox", "mailbox_named", "mailbox_shared"):
        return ", ".join(sorted(set(a.mailboxes) & set(b.mailboxes)))
    if code == "mailbox_role":
        return ", ".join(sorted(set(a.roles) & set(b.roles)))
    if code in ("messenger", "messenger_named"):
        return ", ".join(sorted(set(a.messengers) & set(b.messengers)))
    if code == "birthday":
        return f"{a.birthday % 100:02d}.{a.birthday // 100 % 100:02d}.{a.birthday // 10_000}"
    return a.inn


def fit_of_birthday(one: int, other: int) -> Fit:
    """How two birthdays, written as the numbers yyyymmdd, go together; 0 is none."""
    if not one or not other:
        return MISSING
    if one == other:
        return AGREE
    left, right = f"{one:08d}", f"{other:08d}"
    is_swapped = left[:4] == right[:4] and left[4:6] == right[6:] and left[6:] == right[4:6]
    return SLIP if is_swapped or OSA.distance(left, right, score_cutoff=1) <= 1 else DIFFER


def _veto(a: PersonProfile, b: PersonProfile, birthday: Fit, patronymic: Fit) -> str:
    if birthday is DIFFER:
        return "birthday_differs"
    if patronymic is DIFFER and birthday is not AGREE:
        return "patronymic_differs"
    if a.gender != b.gender and a.gender and b.gender:
        return "gender_differs"
    if a.inn != b.inn and a.inn and b.inn:
        return "inn_differs"
    if a.generation != b.generation and a.generation and b.generation:
        return "generation_differs"
    return ""


def _weigh_facts(
    a: PersonProfile, b: PersonProfile, birthday: Fit, fit: NameFit, rarity: Rarity, points: Points
) -> None:
    if birthday is AGREE:
        points.append(("birthday", min(rarity.fields["birthday"].bits(str(a.birthday)), weights.BIRTHDAY_MOST)))
        if fit[2] is DIFFER:
            points.append(("patronymic_differs", weights.PATRONYMIC_DIFFERS))
    elif birthday is SLIP:
        points.append(("birthday_slip", weights.BIRTHDAY_SLIP))
    city, other = a.city, b.city
    if city and other:
        if city == other:
            points.append(("city", min(rarity.fields["city"].bits(city), weights.CITY_MOST)))
        else:
            points.append(("city_differs", weights.CITY_DIFFERS))
    if a.company and a.company == b.company:
        points.append(("company", min(rarity.fields["company"].bits(a.company), weights.COMPANY_MOST)))
    if a.inn and a.inn == b.inn:
        points.append(("inn", rarity.base_bits + weights.INN))
    if a.external and a.external == b.external:
        points.append(("external", rarity.base_bits + weights.EXTERNAL))


def _weigh_household(a: PersonProfile, b: PersonProfile, fit: NameFit, rarity: Rarity, points: Points) -> None:
    """What a number or mailbox in common changes in the rest: kin share names and towns, numbers pass to others."""
    given, surname, _ = fit
    if (given is MISSING or given is INITIAL) and (surname is AGREE or surname is SLIP):
        points[:] = [
            (code, min(bits, weights.SURNAME_OF_KIN))
            if code in ("surname", "surname_slip", "patronymic")
            else (code, bits)
            for code, bits in points
        ]
    apart = abs(a.created - b.created) if a.created and b.created else 0
    if surname is DIFFER and apart > weights.REISSUED_AFTER_DAYS:
        points.append(("phone_reissued", weights.REISSUED))
    # A card without a first name is the holder's of the number when no second person with that surname has it.
    is_partial = given is MISSING and (surname is AGREE or surname is SLIP or a.is_nameless or b.is_nameless)
    if is_partial and apart <= weights.SOLE_WITHIN_DAYS and _is_sole(a, b, rarity):
        points.append(("phone_sole", weights.PHONE_SOLE))


def _is_sole(a: PersonProfile, b: PersonProfile, rarity: Rarity) -> bool:
    """They share a mobile number that no two different people hold."""
    return any(phone in b.phones and phone not in rarity.holders and not is_landline(phone) for phone in a.phones)


def _may_be_kin(a: PersonProfile, b: PersonProfile, patronymic: Fit) -> bool:
    """A father and a son of one name may be meant: nothing tells which of them is the one without a patronymic."""
    if patronymic is MISSING:
        is_one_name = bool(a.patronymic or b.patronymic) and (is_named_after_father(a) or is_named_after_father(b))
    else:
        is_one_name = patronymic is INITIAL and (_is_letter_twice(a) or _is_letter_twice(b))
    return is_one_name and not any(mailbox in b.mailboxes for mailbox in a.mailboxes)


def _is_letter_twice(profile: PersonProfile) -> bool:
    """Of the first name and the patronymic one letter is known: `П. П.` may be Павел Петрович and Павел Павлович."""
    return not (profile.given or profile.patronymic) and profile.given_initials == profile.patronymic_initial


def _band(points: Points, score: float, fit: NameFit) -> Band:
    if score < weights.REVIEW:
        return _IGNORED
    if score < weights.AUTO or not _DOUBTS.isdisjoint([code for code, _ in points]):
        return _ASKED
    codes = {code for code, bits in points if bits > 0}
    if "phone_sole" in codes:
        return _SURE
    given, surname, patronymic = fit
    parts = {code for code, _ in points if code in _PARTS}
    # One number and two mailboxes may be a father's and a son's, where no patronymic and no paper tells.
    if "mailboxes_differ" in parts and patronymic is MISSING and codes.isdisjoint(_PAPERS):
        return _ASKED
    is_of_kin = surname is AGREE or surname is SLIP
    is_named = is_of_kin or given is not MISSING
    is_full = is_of_kin and given is not MISSING
    is_reached = not codes.isdisjoint(_REACH) or (is_full and not codes.isdisjoint(_PLACES))
    is_named_box = score >= weights.AUTO_BY_OWN_MAILBOX and not codes.isdisjoint(_NAMED) and "city_differs" not in parts
    is_mailed = is_named_box or not codes.isdisjoint(_MAIL)
    kinds = is_named + is_reached + is_mailed + (not codes.isdisjoint(_PAPERS))
    if kinds >= 2:
        return _SURE
    is_whole = given is AGREE and surname is AGREE and patronymic is AGREE
    return _SURE if is_whole and not parts and score >= weights.AUTO_BY_NAME else _ASKED
