"""The public types say what the docs say, to a checker that never ran us."""

from __future__ import annotations

import sys
from pathlib import Path
from subprocess import run

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def test_the_public_types_hold() -> None:
    """mypy --strict agrees with every `assert_type`, and every line marked as wrong is still an error."""
    rooms = [str(room.relative_to(ROOT)) for room in sorted(HERE.glob("*.py")) if not room.name.startswith("test_")]
    command = [sys.executable, "-m", "mypy", "--strict", "--warn-unused-ignores", "--no-error-summary", *rooms]
    done = run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)
