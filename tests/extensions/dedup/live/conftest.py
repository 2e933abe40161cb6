"""A service with dedup beside an emulated CRM, and an operator who types commands and presses buttons."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any, Literal

import pytest

from crmkit.extension import Panel
from crmkit.panel import PanelData, View
from crmkit_dedup import DedupSettings, dedup
from crmkit_dedup.findings import Finding, Findings
from crmkit_runtime import errand
from crmkit_runtime.desk import DeskStore
from crmkit_runtime.service import Installed
from crmkit_testing.bench import Bench, bench
from crmkit_testing.people import People

Office = Callable[..., "Desk"]


class Desk:
    """The bench of a test, with what an operator does."""

    def __init__(self, bench_: Bench) -> None:
        self.bench = bench_

    @property
    def person(self) -> People:
        """The account's people."""
        return self.bench.person

    @property
    def findings(self) -> list[Finding]:
        """What waits in the queue."""
        self.bench.settle()
        return list(Findings(DeskStore(self.bench.service.database, "acme", "dedup")).all())

    def keep(self, finding: Finding) -> None:
        """Put a finding into the queue as it is."""
        Findings(DeskStore(self.bench.service.database, "acme", "dedup")).save(finding)

    @property
    def groups(self) -> list[tuple[str, set[str]]]:
        """The bands and ids of what waits."""
        return [(found.band.value, set(found.ids)) for found in self.findings]

    def command(self, name: str, *words: str) -> list[str]:
        """The lines that a command prints."""
        self.bench.settle()
        [verb] = [one for one in dedup.commands if one.name == name]
        said = errand.do(self.bench.service, self._installed, "acme", verb, words)
        lines = [one for one in said if isinstance(one, str)]
        self.bench.settle()
        return lines

    def page(self, name: str = "queue", view: View | None = None) -> PanelData:
        """A page of the console, or a part of it."""
        self.bench.settle()
        return errand.look(self.bench.service, self._installed, "acme", self._panel(name), view)

    def open_row(self, key: str, name: str = "queue") -> Sequence[str]:
        """What a page tells of one row."""
        return errand.open_row(self.bench.service, self._installed, "acme", self._panel(name), key)

    def press(self, action: str, key: str, name: str = "queue") -> Sequence[str]:
        """Press a button of a row; what was decided."""
        said = errand.press(self.bench.service, self._installed, "acme", self._panel(name), action, key)
        self.bench.settle()
        return said

    def decisions(self) -> list[tuple[str, str]]:
        """State and first reason of each run, oldest first."""
        return [(run.state, run.decisions[0] if run.decisions else "") for run in self.bench.runs]

    def _panel(self, name: str) -> Panel:
        return next(one for one in dedup.panels if one.name == name)

    @property
    def _installed(self) -> Installed:
        [installed] = self.bench.service.installed
        return installed


@pytest.fixture
def office() -> Iterator[Office]:
    """Opens a service with dedup; closed after the test."""
    with ExitStack() as stack:

        def open_(
            vendor: str = "memory",
            mode: Literal["apply", "plan"] = "apply",
            language: Literal["ru", "en"] = "ru",
            **settings: Any,
        ) -> Desk:
            chosen = DedupSettings(**settings)
            return Desk(stack.enter_context(bench(dedup, vendor, settings=chosen, mode=mode, language=language)))

        yield open_
