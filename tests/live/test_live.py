"""The contract in real accounts, one of each vendor; skipped where the environment holds no keys."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest
from tests.live.bed import LiveBed, Tenancy, tenancy
from tests.live.retail import RetailWays

from crmkit.testing.contract import AdapterContract

pytestmark = pytest.mark.live


@cache
def place(vendor: str) -> Tenancy:
    """The account, opened once: all tests share its request budget."""
    return tenancy(vendor)


def beds(vendor: str) -> Iterator[LiveBed]:
    """An empty-looking account, cleaned up afterwards."""
    bed = LiveBed(place(vendor))
    yield bed
    bed.close()


class TestAmoCrm(AdapterContract):
    """amoCRM lets no program delete: what is left is named so."""

    @pytest.fixture
    def bed(self) -> Iterator[LiveBed]:
        yield from beds("amocrm")


class TestBitrix24(AdapterContract):
    """Everything that was made is deleted."""

    @pytest.fixture
    def bed(self) -> Iterator[LiveBed]:
        yield from beds("bitrix24")


class TestRetailCrm(RetailWays, AdapterContract):
    """retailCRM lets no program delete: what is left is named so."""

    @pytest.fixture
    def bed(self) -> Iterator[LiveBed]:
        yield from beds("retailcrm")
