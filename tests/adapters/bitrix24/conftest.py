"""A running portal for the tests of Bitrix24."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from crmkit_testing.bitrix24 import Bitrix24Side


@pytest.fixture
def side() -> Iterator[Bitrix24Side]:
    """A running portal whose time stands still."""
    found = Bitrix24Side()
    found.open()
    yield found
    found.close()
