"""Whether two companies are one: registry numbers decide, else the name with how the firm is reached."""

from __future__ import annotations

from collections.abc import Iterable
from math import log2

from rapidfuzz.distance import OSA

from crmkit.identity import skeleton
from crmkit_dedup.firm import CompanyProfile
from crmkit_dedup.match import Band
from crmkit_dedup.rarity import Rarity
from crmkit_dedup.scoring.firm_names import fit_of_firms
from crmkit_dedup.scoring.names import AGREE, DIFFER, INITIAL, MISSING, ODD, SLIP, Fit
from crmkit_dedup.scoring.weighed import Points, Weighed, vetoed

AUTO, REVIEW = 6.6, -0.6
INN, OGRN = 5.0, 5.0
OGRN_DIFFERS = -6.0
BRANCH = -9.0
"""One tax number, no KPP to tell, and another town or another sign of a branch, which has a card of its own."""

PHONE, MAILBOX, SITE = 1.0, 1.5, 1.0
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
SHORTEST_LABEL = 3


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
    return set(a.phones).isdisjoint(b.phones) and set(a.mailboxes).isdisjoint(b.mailboxes)


def _weigh_trader(a: CompanyProfile, b: CompanyProfile, fit: Fit, rarity: Rarity, points: Points) -> None:
    if fit is DIFFER:
        points.append(("person_differs", CORE_RENAMED))
        return
    counted, forenames = rarity.fields["surname"], rarity.fields["given"]
    bits = min(counted.bits(a.surname), counted.bits(b.surname))
    bits += CORE_SLIP if fit is SLIP else CORE_ODD if fit is ODD else 0.0
    if a.given and b.given:
        shared = a.given & b.given
        bits += min(map(forenames.bits_of_any, (shared,) if shared else (a.given, b.given)))
    elif a.given_initials and b.given_initials:
        bits += TRADER_INITIAL
    if a.patronymic_initial and b.patronymic_initial:
        bits += TRADER_INITIAL
    points.append(("person", bits))


def _weigh_reach(a: CompanyProfile, b: CompanyProfile, rarity: Rarity, points: Points) -> None:
    phones = [phone for phone in a.phones if phone in b.phones]
    if phones:
        points.append(("phone", rarity.base_bits + PHONE - 2 * log2(_fewest_holders(phones, rarity))))
    elif a.phones and b.phones:
        is_mistyped = any(OSA.distance(one, other, score_cutoff=1) <= 1 for one in a.phones for other in b.phones)
        points.append(("phone_slip", PHONE_SLIP) if is_mistyped else ("phones_differ", PHONES_DIFFER))
    mailboxes = [mailbox for mailbox in a.mailboxes if mailbox in b.mailboxes]
    if mailboxes:
        bits = rarity.base_bits + MAILBOX - 2 * log2(_fewest_holders(mailboxes, rarity))
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


def _fewest_holders(shared: Iterable[str], rarity: Rarity) -> int:
    return min(rarity.holders.get(one, 1) for one in shared)


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
