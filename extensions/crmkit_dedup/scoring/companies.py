"""Whether two companies are one: registry numbers decide, else the name with how the firm is reached."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from math import log2

from rapidfuzz.distance import OSA

from crmkit.identity import skeleton
from crmkit_dedup.firm import CompanyProfile
from crmkit_dedup.match import Band
from crmkit_dedup.rarity import Rarity
from crmkit_dedup.scoring.names import AGREE, DIFFER, INITIAL, MISSING, ODD, SLIP, Fit, is_slip
from crmkit_dedup.scoring.weighed import Points, Weighed, vetoed

AUTO, REVIEW = 6.6, -0.6
INN, OGRN = 5.0, 5.0
OGRN_DIFFERS = -6.0
BRANCH = -9.0
"""One tax number, another town, and no KPP to tell: mostly a branch, which has a card of its own."""

PHONE, MAILBOX, SITE, DOMAIN = 1.0, 1.5, 1.0, 0.0
PHONE_SLIP, PHONES_DIFFER, DOMAINS_DIFFER = 8.0, -2.0, -2.0
SITE_OF_NAME, MAILBOX_OF_NAME = 3.0, 6.0
"""A site called as the firm itself, and a mailbox there: the firms of one brand share both."""

ADDRESS = 10.0
CORE_SLIP, CORE_ODD = -3.0, -8.0
"""Names that differ by a slip, and by more than one."""

CORE_DIFFERS, CORE_PART = -16.0, -12.0
"""Different names, or one that is a part of the other: firms of one house share all the rest."""

CORE_RENAMED, CORE_PART_RENAMED = -4.0, -1.0
"""The same under one tax number: a firm was renamed, or its name is written short."""

TRADER_INITIAL = 3.0
FORM_DIFFERS = -3.0
CITY_MOST, CITY_DIFFERS = 4.0, -4.0
LOOKED_AT = 60
SHORTEST_LABEL = 3
MIDDLING, LONG = 6, 10
"""From so many letters on a name with two signs wrong, and with three, is still known by the rest."""


def weigh_companies(a: CompanyProfile, b: CompanyProfile, rarity: Rarity) -> Weighed:
    """Compare two companies.

    A veto: different tax numbers; different KPP, which are branches of one firm; sole traders with different names,
    unless one tax number says that one of the names is mistyped. Junk is nobody's firm.
    """
    if a.junk or b.junk:
        return vetoed("junk")
    if a.inn and b.inn and a.inn != b.inn:
        return vetoed("inn_differs")
    if a.kpp and b.kpp and a.kpp != b.kpp:
        return vetoed("kpp_differs")
    name = fit_of_firms(a, b)
    if name is DIFFER and not (a.inn and a.inn == b.inn):
        if a.surname and b.surname:
            return vetoed("person_differs")
        # Most pairs end here: what is left to agree in does not outweigh different names.
        if not (a.ogrn and a.ogrn == b.ogrn) and _have_no_reach_in_common(a, b):
            return _UNLIKE
    points: Points = []
    _weigh_numbers(a, b, rarity, points)
    _weigh_name(a, b, name, rarity, points)
    _weigh_reach(a, b, rarity, points)
    _weigh_place(a, b, rarity, points)
    points.append(("base", -rarity.base_bits))
    score = sum(bits for _, bits in points)
    is_doubted = not _DOUBTS.isdisjoint([code for code, _ in points])
    return Weighed(points, score, _band(points, score, is_doubted=is_doubted), is_doubted=is_doubted)


def fit_of_firms(a: CompanyProfile, b: CompanyProfile) -> Fit:
    """How the names go together; INITIAL stands for a name that is a part of the other one."""
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


def holders_of_firms(groups: Mapping[str, Sequence[int]], profiles: Sequence[CompanyProfile]) -> dict[str, int]:
    """Number of clearly different firms, or branches of one, for each key that two or more of them hold."""
    found = {}
    for key, group in groups.items():
        count = _firms_among(profiles[position] for position in group[:LOOKED_AT])
        if count > 1:
            found[key] = count
    return found


def bearers_of_names(profiles: Iterable[CompanyProfile]) -> dict[str, int]:
    """Number of clearly different firms that bear each name: one for a firm that was entered twice.

    Sole traders, who have the rarity of people, are left out; of a name that very many records bear each one counts.
    """
    named: defaultdict[str, list[CompanyProfile]] = defaultdict(list)
    for profile in profiles:
        if profile.core and not profile.surname:
            named[profile.core].append(profile)
    return {name: _firms_among(firms) if 1 < len(firms) <= LOOKED_AT else len(firms) for name, firms in named.items()}


def detail_of_companies(code: str, a: CompanyProfile, b: CompanyProfile, rarity: Rarity) -> str:
    """The fact that a reason is about, where it can be told in a word."""
    if code == "base":
        return str(rarity.size)
    if code == "phone":
        return ", ".join(f"+{phone}" for phone in sorted(set(a.phones) & set(b.phones)))
    if code == "mailbox":
        return ", ".join(sorted(set(a.mailboxes) & set(b.mailboxes)))
    if code in ("site", "site_named"):
        return ", ".join(sorted(a.domains & b.domains))
    return {"inn": a.inn, "ogrn": a.ogrn, "kpp": a.kpp}.get(code, "")


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


def _firms_among(holders: Iterable[CompanyProfile]) -> int:
    firms: list[CompanyProfile] = []
    # Likeness is no equality, so who is met first decides who is counted: the best known, in an order of their own.
    for holder in sorted(holders, key=_rank):
        if not holder.junk and all(_are_different(holder, other) for other in firms):
            firms.append(holder)
    return len(firms)


def _rank(firm: CompanyProfile) -> tuple[bool, str, bool, str, bool, str, str]:
    return (not firm.core, firm.core, not firm.inn, firm.inn, not firm.city, firm.city, firm.id)


def _are_different(a: CompanyProfile, b: CompanyProfile) -> bool:
    if (a.inn and b.inn and a.inn != b.inn) or (a.kpp and b.kpp and a.kpp != b.kpp):
        return True
    if a.city and b.city and a.city != b.city and not (a.kpp and a.kpp == b.kpp):
        return True
    return not (a.inn and a.inn == b.inn) and fit_of_firms(a, b) is DIFFER


def _weigh_numbers(a: CompanyProfile, b: CompanyProfile, rarity: Rarity, points: Points) -> None:
    if a.inn and a.inn == b.inn:
        points.append(("inn", rarity.base_bits + INN))
    if a.ogrn and b.ogrn:
        points.append(("ogrn", rarity.base_bits + OGRN) if a.ogrn == b.ogrn else ("ogrn_differs", OGRN_DIFFERS))
    if points and not (a.kpp and a.kpp == b.kpp) and _are_branches(a, b, rarity):
        points.append(("kpp_differs", BRANCH))


def _are_branches(a: CompanyProfile, b: CompanyProfile, rarity: Rarity) -> bool:
    """Of one legal entity they may be two places: the towns differ, or it has several and nothing tells which."""
    if a.is_branch != b.is_branch:
        return True
    if a.city and b.city and a.city != b.city:
        return True
    if a.address and b.address:
        return a.address != b.address
    if any(phone in b.phones for phone in a.phones):
        return False
    if a.inn and a.inn == b.inn:
        return rarity.holders.get(f"i{a.inn}", 1) > 1
    # An OGRN has no KPP beside it: where it stands alone other phones are the only sign of another place.
    return bool(a.phones and b.phones) or rarity.holders.get(f"g{a.ogrn}", 1) > 1


def _weigh_name(a: CompanyProfile, b: CompanyProfile, fit: Fit, rarity: Rarity, points: Points) -> None:
    if a.surname and b.surname:
        _weigh_trader(a, b, fit, rarity, points)
    elif fit is not MISSING:
        bits = min(_bits_of_name(a, rarity), _bits_of_name(b, rarity))
        is_one_number = bool(a.inn) and a.inn == b.inn
        if fit is AGREE:
            points.append(("core", bits))
        elif fit is SLIP:
            points.append(("core_slip", bits + CORE_SLIP))
        elif fit is ODD:
            points.append(("core_odd", bits + CORE_ODD))
        elif fit is INITIAL and (a.surname or b.surname):
            points.append(("core_part", bits + CORE_SLIP))
        elif fit is INITIAL:
            points.append(("core_part", CORE_PART_RENAMED if is_one_number else CORE_PART))
        else:
            points.append(("core_differs", CORE_RENAMED if is_one_number else CORE_DIFFERS))
    if a.forms and b.forms and a.forms.isdisjoint(b.forms):
        points.append(("form_differs", FORM_DIFFERS))


def _bits_of_name(firm: CompanyProfile, rarity: Rarity) -> float:
    return rarity.fields["surname" if firm.surname else "company"].bits(firm.core)


def _have_no_reach_in_common(a: CompanyProfile, b: CompanyProfile) -> bool:
    for phone in a.phones:
        if phone in b.phones:
            return False
    return a.mailboxes == () or b.mailboxes == () or set(a.mailboxes).isdisjoint(b.mailboxes)


def _weigh_trader(a: CompanyProfile, b: CompanyProfile, fit: Fit, rarity: Rarity, points: Points) -> None:
    if fit is DIFFER:
        points.append(("person_differs", CORE_RENAMED))
        return
    bits = rarity.fields["surname"].bits(a.surname)
    bits += CORE_SLIP if fit is SLIP else CORE_ODD if fit is ODD else 0.0
    if a.given and b.given:
        bits += rarity.fields["given"].bits_of_any(a.given & b.given or a.given)
    elif a.given_initials and b.given_initials:
        bits += TRADER_INITIAL
    if a.patronymic_initial and b.patronymic_initial:
        bits += TRADER_INITIAL
    points.append(("person", bits))


def _weigh_reach(a: CompanyProfile, b: CompanyProfile, rarity: Rarity, points: Points) -> None:
    phones = [phone for phone in a.phones if phone in b.phones]
    if phones:
        points.append(("phone", rarity.base_bits + PHONE - 2 * log2(rarity.holders.get(phones[0], 1))))
    elif a.phones and b.phones:
        is_mistyped = any(OSA.distance(one, other, score_cutoff=1) <= 1 for one in a.phones for other in b.phones)
        points.append(("phone_slip", PHONE_SLIP) if is_mistyped else ("phones_differ", PHONES_DIFFER))
    mailboxes = [mailbox for mailbox in a.mailboxes if mailbox in b.mailboxes]
    if mailboxes:
        bits = rarity.base_bits + MAILBOX - 2 * log2(rarity.holders.get(mailboxes[0], 1))
        is_own = all(_is_named(mailbox.rpartition("@")[2], a, b) for mailbox in mailboxes)
        points.append(("mailbox", min(bits, MAILBOX_OF_NAME) if is_own else bits))
    domains = a.domains & b.domains
    if domains and not mailboxes:
        holders = max(rarity.holders.get(domain, 1) for domain in domains)
        bits = rarity.base_bits + SITE - 2 * log2(holders)
        is_own = all(_is_named(site, a, b) for site in domains)
        points.append(("site_named", min(bits, SITE_OF_NAME)) if is_own else ("site", bits))
    elif a.domains and b.domains and not domains:
        points.append(("mailboxes_differ", DOMAINS_DIFFER))


def _is_named(site: str, a: CompanyProfile, b: CompanyProfile) -> bool:
    label = skeleton(site.partition(".")[0]) if not any(map(str.isdecimal, site)) else ""
    return len(label) >= SHORTEST_LABEL and any(
        label in firm.core or firm.core in label for firm in (a, b) if firm.core
    )


def _weigh_place(a: CompanyProfile, b: CompanyProfile, rarity: Rarity, points: Points) -> None:
    if a.city and b.city:
        if a.city == b.city:
            points.append(("city", min(rarity.fields["city"].bits(a.city), CITY_MOST)))
        else:
            points.append(("city_differs", CITY_DIFFERS))
    is_apart = a.city and b.city and a.city != b.city
    if a.address and a.address == b.address and not is_apart:
        points.append(("address", ADDRESS))


def _band(points: Points, score: float, *, is_doubted: bool) -> Band:
    if score < REVIEW:
        return Band.IGNORE
    if score < AUTO or is_doubted:
        return Band.REVIEW
    said = {code for code, bits in points if bits > 0}
    # A site alone is shared by branches and by the firms of one house.
    is_reached = not said.isdisjoint(_REACH) or ("site" in said and not said.isdisjoint(_PLACES))
    kinds = is_reached + (not said.isdisjoint(_NUMBERS)) + (not said.isdisjoint(_NAMES))
    return Band.AUTO if kinds > 1 else Band.REVIEW


_DOUBTS = frozenset(
    {"core_differs", "core_part", "kpp_differs", "ogrn_differs", "form_differs", "city_differs", "person_differs"}
)
_NUMBERS = frozenset({"inn", "ogrn"})
_NAMES = frozenset({"core", "core_slip", "person"})
_REACH = frozenset({"phone", "mailbox", "address"})
_PLACES = frozenset({"city", "address"})
_UNLIKE = Weighed([("core_differs", CORE_DIFFERS)], CORE_DIFFERS, Band.IGNORE, is_doubted=True)
"""The outcome for firms whose names differ and that have neither a number nor a phone nor a mailbox in common."""
