"""The scan of an account: everything in the mirror compared, the queue brought up to date, the policy's part done."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

from crmkit.extension import Progress, Said
from crmkit.models import Company, Contact, Deal, Record
from crmkit.values import Kind
from crmkit_dedup import learned
from crmkit_dedup.clients import with_clients_named
from crmkit_dedup.exclusions import Exclusion, Exclusions
from crmkit_dedup.findings import Findings, place_of
from crmkit_dedup.found import Scan
from crmkit_dedup.journal import LOSERS
from crmkit_dedup.live import BOOKS
from crmkit_dedup.match import Band, Cluster, Counts
from crmkit_dedup.policy import Ctx, Deeds, words_of
from crmkit_dedup.register import Register, Tally
from crmkit_dedup.rows import company_row, deal_row, person_row
from crmkit_dedup.scan import scan_companies, scan_deals, scan_people
from crmkit_dedup.sights import LIVE_KINDS, sight_of
from crmkit_dedup.texts import Words

R = TypeVar("R", bound=Record)
Watch = Callable[[str, int, int | None], None]
"""What a scan calls with the name of its step, how much is done, and how much there is."""


@dataclass(slots=True)
class Sweep:
    """One scan of an account.

    Args:
        workers: how many processes compare; None leaves it to the size of the base.
        clusters: the cluster of each record that is surely in one, by kind: deals are compared by their clients'.
    """

    ctx: Ctx
    workers: int | None = None
    clusters: dict[Kind, dict[str, str]] = field(default_factory=dict)

    def run(self) -> Iterator[Said]:
        """Go through the kinds that the settings name; yields progress, and what was found as lines."""
        for kind, scan in ((Kind.CONTACT, self._people), (Kind.COMPANY, self._companies), (Kind.DEAL, self._deals)):
            if BOOKS[kind] in self.ctx.settings.kinds:
                yield from self._scan(kind, scan)
        yield from self._act()
        yield words_of(self.ctx).say("scan_done")

    def _scan(self, kind: Kind, scan: Callable[[Watch], Scan[Any]]) -> Iterator[Said]:
        words = words_of(self.ctx)
        found = yield from _watched(scan, words, kind)
        if kind in LIVE_KINDS:
            learned.keep(self.ctx.store, kind, found.rarity)
        apart = _Apart(self.ctx, kind)
        clusters = self._remembered(kind, apart.kept(found.duplicates))
        if kind is Kind.DEAL:
            clusters = with_clients_named(self.ctx, clusters)
        tally = Register(self.ctx.store, kind, self.ctx.now).take(clusters)
        yield from _report(self.ctx, kind, found.counts, tally, apart.count)

    def _remembered(self, kind: Kind, clusters: Iterable[Cluster]) -> Iterator[Cluster]:
        """The clusters as they are. Only who is surely of one counts as one client: a doubt must not merge deals."""
        surely = self.clusters.setdefault(kind, {})
        for cluster in clusters:
            surely.update((one.id, cluster.id) for one in cluster.members if one.band is Band.AUTO)
            yield cluster

    def _standing(self, record: type[R]) -> Iterator[R]:
        """The records of a kind without those that a merge has taken in and that live on all the same."""
        taken = {key for key, _ in self.ctx.store.scan(LOSERS, prefix=f"{record.kind.value}:")}
        return (one for one in self.ctx.mirror.scan(record) if place_of(one.ref.kind, one.ref.id) not in taken)

    def _people(self, watch: Watch) -> Scan[Any]:
        return scan_people(
            map(person_row, self._standing(Contact)),
            country=self.ctx.account.country,
            own_phones=self.ctx.settings.own_phones,
            workers=self.workers,
            progress=watch,
        )

    def _companies(self, watch: Watch) -> Scan[Any]:
        return scan_companies(
            map(company_row, self._standing(Company)),
            country=self.ctx.account.country,
            own_phones=self.ctx.settings.own_phones,
            workers=self.workers,
            progress=watch,
        )

    def _deals(self, watch: Watch) -> Scan[Any]:
        people, firms = self.clusters.get(Kind.CONTACT, {}), self.clusters.get(Kind.COMPANY, {})

        def row(deal: Deal) -> Any:
            contact, company = deal.contact.id if deal.contact else "", deal.company.id if deal.company else ""
            return deal_row(deal, contact=people.get(contact, contact), company=firms.get(company, company))

        return scan_deals(map(row, self._standing(Deal)), workers=self.workers, progress=watch)

    def _act(self) -> Iterator[Said]:
        """Do the policy's part, the surest first, as much as one run may."""
        words, findings = words_of(self.ctx), Findings(self.ctx.store)
        deeds = Deeds(self.ctx, most=self.ctx.settings.per_run)
        findings.wake(self.ctx.now)
        for done, key in enumerate(_untouched(findings, deeds), 1):
            if deeds.is_spent:
                yield words.say("enough", count=self.ctx.settings.per_run)
                return
            finding = findings.get(key)
            before, writes = len(deeds.said), deeds.writes
            if finding is not None:
                deeds.act(finding)
            if finding is not None and deeds.writes > writes:
                yield f"{', '.join(finding.ids)}: {'; '.join(deeds.said[before:])}"
            yield Progress(words.say("step_act"), done)


def _untouched(findings: Findings, deeds: Deeds) -> Iterator[str]:
    """Findings of which the policy has not done its part for every record."""
    for band in (Band.AUTO, Band.REVIEW):
        if deeds.does_anything(is_doubtful=band is Band.REVIEW):
            yield from (found.key for found in findings.of_band(band) if not set(found.ids) <= set(found.acted))


class _Apart:
    """Takes out of clusters what a person has called different.

    Args:
        count: clusters of which nothing was left.
    """

    def __init__(self, ctx: Ctx, kind: Kind) -> None:
        self._ctx = ctx
        self._kind = kind
        self._rivals: defaultdict[str, list[Exclusion]] = defaultdict(list)
        for pair in Exclusions(ctx.store).pairs():
            if pair.one.kind is kind:
                self._rivals[pair.one.id].append(pair)
                self._rivals[pair.other.id].append(pair)
        self.count = 0

    def kept(self, clusters: Iterable[Cluster]) -> Iterator[Cluster]:
        """The clusters without those members who are apart from a surer one."""
        for cluster in clusters:
            left = self._without(cluster) if any(one.id in self._rivals for one in cluster.members) else cluster
            if len(left.members) > 1:
                yield left
            else:
                self.count += 1

    def _without(self, cluster: Cluster) -> Cluster:
        ranked = sorted(cluster.members, key=lambda one: (one.band is not Band.AUTO, -one.score))
        kept: set[str] = set()
        for member in ranked:
            rivals = (pair for pair in self._rivals.get(member.id, ()) if {pair.one.id, pair.other.id} & kept)
            if not any(map(self._holds, rivals)):
                kept.add(member.id)
        return Cluster(cluster.id, tuple(one for one in cluster.members if one.id in kept))

    def _holds(self, pair: Exclusion) -> bool:
        """Neither of the two has changed since in what it is compared by."""
        if self._kind not in LIVE_KINDS:
            return True
        sight = sight_of(self._kind, self._ctx.account.country, self._ctx.settings.own_phones)
        copies = self._ctx.mirror.get_many(sight.record, [pair.one, pair.other])
        if len(copies) < 2:
            return False
        return Exclusions(self._ctx.store).holds(sight.seen(copies[pair.one]), sight.seen(copies[pair.other]))


def _report(ctx: Ctx, kind: Kind, counts: Counts, tally: Tally, apart: int) -> Iterator[str]:
    words = words_of(ctx)
    yield words.say(
        "scanned",
        kind=words.kind(kind),
        records=counts.records,
        extra=counts.in_clusters - counts.clusters,
        clusters=counts.clusters,
        auto=counts.auto_records,
        review=counts.review_records,
        junk=counts.junk,
    )
    yield "  " + words.say("scan_new", new=tally.new, known=tally.known, settled=tally.settled, apart=apart)


def _watched(scan: Callable[[Watch], Scan[Any]], words: Words, kind: Kind) -> Generator[Said, None, Scan[Any]]:
    """Yield how far the scan is while it runs, and return what it gave. Raises what it raised."""
    told: SimpleQueue[Progress | None] = SimpleQueue()
    outcome: list[Scan[Any] | BaseException] = []

    def work() -> None:
        try:
            outcome.append(scan(lambda step, done, total: told.put(Progress(words.step(kind, step), done, total))))
        except BaseException as error:  # noqa: BLE001 -- raised again by who waits
            outcome.append(error)
        finally:
            told.put(None)

    thread = Thread(target=work, name="dedup-scan", daemon=True)
    thread.start()
    while (progress := told.get()) is not None:
        yield progress
    thread.join()
    if isinstance(outcome[0], BaseException):
        raise outcome[0]
    return outcome[0]
