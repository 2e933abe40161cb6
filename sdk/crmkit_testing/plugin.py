"""pytest fixtures of crmkit; light, because every pytest run of an environment with crmkit imports this room."""

from __future__ import annotations

import pytest

# The contract's asserts stand outside of test modules; without this they would fail without saying why.
pytest.register_assert_rewrite("crmkit.testing.contract")
