"""A company as compared: its name without the legal form, its registry numbers, how it is reached."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from typing import NamedTuple

from crmkit.identity import (
    company_form,
    parse_emails,
    parse_inn,
    parse_kpp,
    parse_ogrn,
    site_domain,
)
from crmkit_dedup.addresses import address_code
from crmkit_dedup.candidates import Beside, Family, wider_than
from crmkit_dedup.keys import NEARLY, SELDOM, WIDEST
from crmkit_dedup.places import city_code, town_of
from crmkit_dedup.profile import line_of, phones_in
from crmkit_dedup.rarity import Rarity
from crmkit_dedup.rows import CompanyRow


class CompanyProfile(NamedTuple):
    """A company in comparable form; empty text and empty tuples for what is not known.

    `core` is the code of the name without form, quotes and city, `words` the same apart. A sole trader has the
    person's name instead: `surname`, `given` (initials where the name is not written out) and `patronymic`; a first
    name that no table knows is not `is_listed`. `domains` are the site's and those of mailboxes that no free provider
    gives; `is_branch` when the name says so.
    """

    id: str
    core: str = ""
    words: frozenset[str] = frozenset()
    forms: frozenset[str] = frozenset()
    surname: str = ""
    given: frozenset[str] = frozenset()
    given_word: str = ""
    is_listed: bool = False
    given_initials: str = ""
    patronymic_initial: str = ""
    inn: str = ""
    kpp: str = ""
    ogrn: str = ""
    phones: tuple[str, ...] = ()
    mailboxes: tuple[str, ...] = ()
    domains: frozenset[str] = frozenset()
    city: str = ""
    address: str = ""
    is_branch: bool = False
    junk: str = ""


class CompanyReader:
    """Turns rows into profiles. `country` is the account's; `own_phones`, its own numbers, identify nobody."""

    def __init__(self, country: str = "RU", own_phones: Iterable[str] = ()) -> None:
        self._country = country
        self._own = {line_of(phone) for text in own_phones for phone in phones_in(text, country)[0]}

    def __call__(self, row: CompanyRow) -> CompanyProfile:
        """The profile of a row."""
        form = company_form(row.name, row.city)
        person = form.person
        lines = [line_of(phone) for phone in phones_in(row.phones, self._country)[0]] if row.phones else []
        phones = tuple(dict.fromkeys(line for line in lines if line not in self._own))
        boxes = [box for box in parse_emails(row.emails) if not box.is_stub] if row.emails else []
        site = site_domain(row.site) if row.site else None
        kpp = parse_kpp(row.kpp) or "" if row.kpp else ""
        inn, ogrn = parse_inn(row.inn, country=self._country) or "", parse_ogrn(row.ogrn) or ""
        is_known = bool(form.core or inn or ogrn or phones or boxes or site)
        return CompanyProfile(
            id=row.id,
            core=form.core,
            words=frozenset(form.words),
            forms=frozenset(_FAMILIES.get(one, one) for one in form.forms),
            surname=person.surname if person else "",
            given=person.given if person else frozenset(),
            given_word=person.given_code if person else "",
            is_listed=bool(person and person.is_known),
            given_initials=person.given_initials if person else "",
            patronymic_initial=person.patronymic_initial if person else "",
            inn=inn,
            kpp=kpp if kpp[4:6] != _LARGE_TAXPAYER else "",
            ogrn=ogrn,
            phones=phones,
            mailboxes=tuple(box.suggestion or box.key for box in boxes),
            domains=frozenset([box.domain for box in boxes if not box.is_free] + ([site] if site else [])),
            city=city_code(row.city) if row.city else town_of(form.place),
            address=address_code(row.address) if row.address else "",
            is_branch=form.is_branch or kpp[4:6] in _BRANCHES,
            junk="" if is_known and not (form.is_junk and not inn) else "junk_name" if form.is_junk else "junk_empty",
        )


def firm_likeness(profile: CompanyProfile) -> Hashable | None:
    """All that is compared; None where a name alone would make copies of namesakes."""
    is_more = profile.inn or profile.ogrn or profile.phones or profile.mailboxes or profile.domains or profile.address
    return tuple(profile._replace(id="")) if is_more and not profile.junk else None


def _numbers(profile: CompanyProfile) -> Iterator[str]:
    if profile.inn:
        yield f"i{profile.inn}"
    if profile.ogrn:
        yield f"g{profile.ogrn}"


def _names(profile: CompanyProfile) -> Iterator[str]:
    if profile.surname:
        for initial in profile.given_initials or "?":
            yield f"{profile.surname} {initial}"
    elif profile.core:
        yield profile.core


def _beginnings(profile: CompanyProfile) -> Iterator[str]:
    if profile.city and profile.core:
        yield f"{profile.city} {profile.core[:4]}"
        yield f"{profile.city} {profile.core[-4:]}"


def _beside(profile: CompanyProfile) -> Iterator[str]:
    yield f"n{profile.core}"
    yield from _numbers(profile)
    yield from (f"p{phone}" for phone in profile.phones)
    yield from (f"d{domain}" for domain in profile.domains)
    if profile.city:
        yield f"c{profile.city} {profile.core}"


def _place(profile: CompanyProfile) -> list[str]:
    return [word for word in (profile.city, profile.address) if word]


_ALL = Beside(_beside)
_PLACE = Beside(_place)


def _of_name(rarity: Rarity, key: str, holders: int) -> Beside[CompanyProfile] | None:
    if holders > WIDEST:
        return _ALL
    # A name says less the more firms bear it; a sole trader's is in no count of firms, and taken for a rare one.
    return None if rarity.base_bits - rarity.fields["company"].bits(key) <= NEARLY else _PLACE


FIRM_FAMILIES = (
    Family("i", _numbers, WIDEST, wider_than(WIDEST, _ALL)),
    Family("p", lambda profile: profile.phones, WIDEST, wider_than(WIDEST, _ALL)),
    Family("m", lambda profile: profile.mailboxes, WIDEST, wider_than(WIDEST, _ALL)),
    Family("d", lambda profile: profile.domains, WIDEST, wider_than(WIDEST, _ALL)),
    Family("n", _names, WIDEST, _of_name),
    Family("w", lambda profile: profile.words, SELDOM, wider_than(SELDOM, _ALL)),
    Family("b", _beginnings, WIDEST, wider_than(SELDOM, _ALL)),
)
"""All kinds of keys, the surest first."""


def firm_index_keys(profile: CompanyProfile) -> tuple[str, ...]:
    """The keys under which a company is put into an index, each once and in a fixed order; none for junk."""
    if profile.junk:
        return ()
    found = [f"{family.code}:{key}" for family in FIRM_FAMILIES for key in family.keys(profile)]
    if profile.city and profile.core:
        found.append(f"n:{profile.core} c{profile.city}")
    return tuple(dict.fromkeys(found))


_LARGE_TAXPAYER = "50"
"""Reason code of a second KPP that one and the same firm has. Source: the tax service's list of reasons (SPPUNO)."""

_BRANCHES = frozenset({"02", "03", "04", "05", "31", "32", "43", "44", "45"})
"""Reason codes of branches, offices and other separate units, by the same list."""

_FAMILIES = {"ПАО": "АО", "ЗАО": "АО", "ОАО": "АО", "НАО": "АО"}
"""A joint-stock company changes its kind and stays the same firm."""
