"""A fixture that opens premises."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.end_to_end.situations.premises import Premises


@pytest.fixture
def premises(tmp_path: Path) -> Iterator[Callable[..., Premises]]:
    """Opens premises, with the arguments of `Premises` behind the folder; they are closed when the test is over."""
    with ExitStack() as stack:

        def opened(*args: Any, **options: Any) -> Premises:
            return stack.enter_context(Premises(tmp_path, *args, **options))

        yield opened
