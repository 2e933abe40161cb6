"""The bed for real accounts holds: the contract runs on it against the emulators, which know nothing of tests."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.live.bed import LiveBed, Tenancy
from tests.live.retail import RetailWays

from crmkit import Capability, Crm, Kind, Level, registry
from crmkit.clock import SystemClock
from crmkit.settings import account_settings
from crmkit.testing.clock import JumpingClock
from crmkit.testing.contract.feeding import FeedContract
from crmkit.testing.contract.reading import ReadingContract
from crmkit.testing.contract.records import RecordContract
from crmkit_testing.side import ACCOUNT
from crmkit_testing.sides import SIDES, new_side

ROOT = Path(__file__).parents[2]
VENDORS = [vendor for vendor in SIDES if vendor != "memory"]


class Part(RecordContract, ReadingContract, FeedContract):
    """The parts that make the most of a bed; the others run on the adapters' own."""


def beds(vendor: str, folder: Path) -> Iterator[LiveBed]:
    """An account with a sales base in it, on turned time."""
    side: Any = new_side(vendor)
    side.open()
    side.seed()
    side.turn(60)
    adapter = registry.adapter(vendor)
    settings = account_settings(adapter.settings_type, ACCOUNT, side.account_table(), side.environment())
    bed = LiveBed(Tenancy(adapter, settings, folder, JumpingClock(side.now, side.turn), side.turn))
    yield bed
    # A log of calls only grows.
    left = [ref for ref in bed.close() if ref.kind is not Kind.CALL]
    side.close()
    assert left == [] or adapter.capabilities[Capability.DELETE] is Level.ABSENT


class TestAmoCrm(Part):
    """An account of amoCRM."""

    @pytest.fixture
    def bed(self, tmp_path: Path) -> Iterator[LiveBed]:
        yield from beds("amocrm", tmp_path)


class TestBitrix24(Part):
    """An application in a portal."""

    @pytest.fixture
    def bed(self, tmp_path: Path) -> Iterator[LiveBed]:
        yield from beds("bitrix24", tmp_path)


class TestRetailCrm(RetailWays, Part):
    """An account of retailCRM."""

    @pytest.fixture
    def bed(self, tmp_path: Path) -> Iterator[LiveBed]:
        yield from beds("retailcrm", tmp_path)


def deals(side: Any, tokens: Path) -> list[str]:
    """Titles of the account's deals, as a script sees them."""
    adapter = registry.adapter(side.vendor)
    settings = account_settings(adapter.settings_type, ACCOUNT, side.account_table(), side.environment())
    with closing(Tenancy(adapter, settings, tokens, SystemClock(), side.turn).open()) as connection:
        return sorted(deal.title for deal in Crm(connection).deals.iterate())


@pytest.mark.parametrize("vendor", VENDORS)
def test_an_account_is_found_in_the_environment_and_left_as_it_was(vendor: str, tmp_path: Path) -> None:
    """`pytest -m live` with the variables of one vendor runs its contract, skips the others, and cleans up."""
    side: Any = new_side(vendor)
    side.sandbox.clock.release()
    side.open()
    side.seed()
    before = deals(side, tmp_path / "before")
    own = {f"CRMKIT_LIVE_{vendor.upper()}_{name.upper()}": str(value) for name, value in side.account_table().items()}
    own |= {
        name.replace("CRMKIT_ACME_", f"CRMKIT_LIVE_{vendor.upper()}_"): value
        for name, value in side.environment().items()
    }
    rest = {name: value for name, value in os.environ.items() if not name.startswith("CRMKIT_")}
    wanted = "test_live and (a_task_is_made or one_bad_item)"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "live", "-k", wanted, "tests/live"],
        cwd=ROOT,
        env={**rest, **own, "CRMKIT_LIVE_TOKENS": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    after = deals(side, tmp_path / "after")
    side.close()
    assert [title for title in after if title != "crmkit: a test, delete me"] == before
    assert "2 passed, 4 skipped" in done.stdout, done.stdout + done.stderr
