"""A CRM that outlives the processes that are killed, and the stage on which they are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.crash.harness import Stage


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A database, a slow CRM in this process, and no worker yet."""
    with Stage(tmp_path) as opened:
        yield opened
