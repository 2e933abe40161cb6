"""Scans of a whole base: rows in, clusters out, each kind of record by its own rules."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import combinations
from operator import attrgetter
from typing import Generic, NamedTuple, TypeVar

from crmkit_dedup.candidates import Candidates, Family, groups_by_key
from crmkit_dedup.clusters import Clustering, Joining, Judgement, Link
from crmkit_dedup.copies import Copies
from crmkit_dedup.crew import Readers, by_column
from crmkit_dedup.firm import FIRM_FAMILIES, CompanyProfile, CompanyReader, firm_likeness
from crmkit_dedup.firm_holders import holders_of_firms
from crmkit_dedup.found import Profile, Rules, Scan
from crmkit_dedup.holders import holders_of
from crmkit_dedup.keys import FAMILIES
from crmkit_dedup.match import Band
from crmkit_dedup.profile import PersonProfile, PersonReader, adopt, likeness
from crmkit_dedup.rarity import Rarity
from crmkit_dedup.rows import CompanyRow, DealRow, PersonRow
from crmkit_dedup.scoring import weights
from crmkit_dedup.scoring.companies import detail_of_companies, weigh_companies
from crmkit_dedup.scoring.deals import (
    CLIENTS,
    WITHIN_DAYS,
    DealProfile,
    deal_likeness,
    deal_profile,
    detail_of_deals,
    weigh_deals,
    with_named,
)
from crmkit_dedup.scoring.people import detail_of_people, weigh_people
from crmkit_dedup.vocabulary import Vocabulary, words_of_companies, words_of_people

R = TypeVar("R")
P = TypeVar("P", bound=Profile)
Progress = Callable[[str, int, int | None], None]
"""Called with the name of the step, how much of it is done, and how much there is (None while nobody knows)."""

_PLAIN = Joining(weights.REVIEW, weights.SURE_FLOOR)
PEOPLE = Rules(weigh_people, detail_of_people, _PLAIN._replace(strong=weights.STRONG, own_share=weights.LINK_SHARE))
COMPANIES = Rules(weigh_companies, detail_of_companies, _PLAIN)
DEALS = Rules(weigh_deals, detail_of_deals, _PLAIN)
STEP = 10_000
"""Records between two calls of the progress."""


class Method(NamedTuple, Generic[P]):
    """How a base of one kind is scanned.

    `sight` and `likeness` tell copies; `words` is what rarity is learned from; the keys of the families in `held` are
    numbers, mailboxes and sites, whose `holders` are counted.
    """

    rules: Rules[P]
    sight: Callable[[P], Hashable]
    likeness: Callable[[P], Hashable | None]
    words: Callable[[Sequence[P]], Vocabulary]
    families: Sequence[Family[P]]
    held: str
    holders: Callable[[Mapping[str, Sequence[int]], Sequence[P]], Mapping[str, int]]


_PEOPLE = Method(
    PEOPLE,
    attrgetter("surname", "phones", "mailboxes", "birthday"),
    likeness,
    words_of_people,
    FAMILIES,
    "pmx",
    holders_of,
)
_COMPANIES = Method(
    COMPANIES,
    attrgetter("core", "inn", "phones", "mailboxes"),
    firm_likeness,
    words_of_companies,
    FIRM_FAMILIES,
    "ipmd",
    holders_of_firms,
)


def scan_people(
    rows: Iterable[PersonRow],
    *,
    country: str = "RU",
    own_phones: Iterable[str] = (),
    workers: int | None = None,
    progress: Progress | None = None,
) -> Scan[PersonProfile]:
    """Find the duplicates among people.

    `country` is the account's: it decides what a number without `+` means. `own_phones` are the account's own
    numbers, which identify nobody.
    """
    told = progress or _untold
    with without_collector():
        readers = Readers(PersonReader(country, own_phones), PersonRow, adopt)
        return _scan(list(readers.profiles(_counted(rows, told), workers)), _PEOPLE, told)


def scan_companies(
    rows: Iterable[CompanyRow],
    *,
    country: str = "RU",
    own_phones: Iterable[str] = (),
    workers: int | None = None,
    progress: Progress | None = None,
) -> Scan[CompanyProfile]:
    """Find the duplicates among companies; the arguments are those of `scan_people`."""
    told = progress or _untold
    with without_collector():
        readers = Readers(CompanyReader(country, own_phones), CompanyRow, by_column(CompanyProfile._make))
        return _scan(list(readers.profiles(_counted(rows, told), workers)), _COMPANIES, told)


def scan_deals(
    rows: Iterable[DealRow],
    *,
    within_days: int = WITHIN_DAYS,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Scan[DealProfile]:
    """Find deals entered twice. Their rows name clients by the clusters of a scan of people, where there was one."""
    told = progress or _untold
    with without_collector():
        readers = Readers(partial(deal_profile, within_days=within_days), DealRow, by_column(DealProfile._make))
        every = with_named(list(readers.profiles(_counted(rows, told), workers)))
        copies = Copies(every, attrgetter("client", "company", "title", "created"), deal_likeness)
        profiles = copies.kept
        rarity = Rarity(len(profiles))
        candidates = Candidates(profiles, rarity)
        candidates.add(CLIENTS, groups_by_key(profiles, CLIENTS.keys))
        return _scanned(profiles, candidates.pairs, DEALS, rarity, told).with_copies(every, copies)


@contextmanager
def without_collector() -> Iterator[None]:
    """Make and keep a base without a search for garbage: each would walk its millions of tuples for nothing."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def join_few(profiles: Sequence[P], rules: Rules[P], rarity: Rarity) -> Scan[P]:
    """Join a few profiles, every pair of them compared, as a scan of the base that `rarity` was learned from would."""
    size = len(profiles)
    pairs = {one * size + other for one, other in combinations(range(size), 2)}
    return _scanned(profiles, pairs, rules, rarity, _untold)


def _counted(rows: Iterable[R], told: Progress) -> Iterator[R]:
    done = 0
    for done, row in enumerate(rows, start=1):
        yield row
        if done % STEP == 0:
            told("read", done, None)
    told("read", done, done)


def _scan(every: Sequence[P], method: Method[P], told: Progress) -> Scan[P]:
    copies = Copies(every, method.sight, method.likeness)
    profiles = copies.kept
    rarity = Rarity(len(profiles), *method.words(profiles))
    candidates = Candidates(profiles, rarity)
    holders: dict[str, int] = {}
    for done, family in enumerate(method.families):
        told("keys", done, len(method.families))
        groups = groups_by_key(profiles, family.keys)
        if family.code in method.held:
            holders.update(method.holders(groups, profiles))
        candidates.add(family, groups)
    rarity.holders = holders
    return _scanned(profiles, candidates.pairs, method.rules, rarity, told).with_copies(every, copies)


def _scanned(profiles: Sequence[P], pairs: set[int], rules: Rules[P], rarity: Rarity, told: Progress) -> Scan[P]:
    size, total, weigh = len(profiles), len(pairs), rules.weigh
    auto, ignored = Band.AUTO, Band.IGNORE
    links: list[Link] = []
    helped: Counter[str] = Counter()
    codes: list[str] = []
    # In order: neighbours lie near in memory too.
    ranked = sorted(pairs)
    pairs.clear()
    for done, pair in enumerate(ranked):
        one, other = divmod(pair, size)
        points, score, band, _, is_doubted = weigh(profiles[one], profiles[other], rarity)
        if band is not ignored:
            links.append(Link(one, other, score, band is auto, is_doubted))
            codes += [code for code, bits in points if bits > 0]
        if done % STEP == 0:
            told("compare", done, total)
            helped.update(codes)
            codes.clear()
    helped.update(codes)

    def judge(one: int, other: int) -> Judgement:
        weighed = rules.weigh(profiles[one], profiles[other], rarity)
        return Judgement(weighed.score, weighed.is_vetoed, weighed.is_doubted)

    clustering = Clustering(judge, lambda at: profiles[at].id, rules.joining)
    groups = clustering.groups(links)
    told("compare", total, total)
    return Scan(profiles, groups, rules, rarity, compared=total, helped=helped)


def _untold(step: str, done: int, total: int | None) -> None:
    """Nobody watches."""
