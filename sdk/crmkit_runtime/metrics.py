"""Prometheus figures of one process, in a registry of their own; no label holds an id, a phone or an address."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import func, select

from crmkit_runtime.database import to_us
from crmkit_runtime.pause import paused
from crmkit_runtime.service import Service
from crmkit_runtime.tables import cursor, hint, run

VARIABLE = "CRMKIT_METRICS"
"""Set to 1, it opens `/metrics`; left out, there is no such address."""

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0)


class Metrics:
    """What Prometheus reads: deliveries as this process counts them, and what waits as the database says.

    Args:
        service: whose accounts and database.
    """

    def __init__(self, service: Service) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Backlog(service))
        labels = ("sender", "account")
        self._deliveries = Counter(
            "crmkit_deliveries", "Deliveries by what they were answered.", (*labels, "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "crmkit_delivery_seconds",
            "From the request to the answer.",
            labels,
            buckets=SECONDS,
            registry=self._registry,
        )

    def count(self, sender: str, account: str, status: int, seconds: float) -> None:
        """Remember one delivery; sender and account are those of the service, never what a stranger typed."""
        self._deliveries.labels(sender, account, str(status)).inc()
        self._seconds.labels(sender, account).observe(seconds)

    def render(self) -> bytes:
        """The figures in Prometheus' text format."""
        return generate_latest(self._registry)


def is_wanted(service: Service, environment: Mapping[str, str]) -> bool:
    """The operator has asked for metrics."""
    return service.config.metrics or environment.get(VARIABLE) == "1"


class _Backlog(Collector):
    """What waits in the database, read when Prometheus asks."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def describe(self) -> Iterable[GaugeMetricFamily]:
        return []

    def collect(self) -> Iterable[GaugeMetricFamily]:
        runs = GaugeMetricFamily("crmkit_runs", "Runs by state.", labels=("account", "extension", "state"))
        oldest = GaugeMetricFamily(
            "crmkit_oldest_run_seconds", "Age of the oldest run that waits.", labels=("account", "extension")
        )
        hints = GaugeMetricFamily("crmkit_hints", "Records that wait to be looked at.", labels=("account",))
        lost = GaugeMetricFamily("crmkit_feed_only", "Changes that no hook told of.", labels=("account",))
        pauses = GaugeMetricFamily("crmkit_account_paused", "1 while the CRM refuses the account.", labels=("account",))
        now = self._service.clock.now()
        with self._service.database.read() as connection:
            counted = select(run.c.account, run.c.extension, run.c.state, func.count()).group_by(
                run.c.account, run.c.extension, run.c.state
            )
            for account, extension, state, count in connection.execute(counted):
                runs.add_metric((account, extension, state), count)
            waiting = (
                select(run.c.account, run.c.extension, func.min(run.c.stored_at))
                .where(run.c.state == "queued")
                .group_by(run.c.account, run.c.extension)
            )
            for account, extension, since in connection.execute(waiting):
                oldest.add_metric((account, extension), (to_us(now) - since) / 1_000_000)
            for account, count in connection.execute(select(hint.c.account, func.count()).group_by(hint.c.account)):
                hints.add_metric((account,), count)
            found = select(cursor.c.account, cursor.c.value).where(cursor.c.name == "feed_only")
            for account, value in connection.execute(found):
                lost.add_metric((account,), float(value))
            for account in self._service.accounts:
                pauses.add_metric((account,), 1 if paused(connection, account, now) else 0)
        return [runs, oldest, hints, lost, pauses]
