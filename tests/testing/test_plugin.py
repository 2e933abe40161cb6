"""The pytest plugin: fixtures come by themselves, cost nothing to others, and hold under strict markers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from crmkit import Context, DealCreated, Extension
from crmkit.settings import NoSettings
from crmkit.testing import MemoryCrm
from crmkit_testing.plugin import OpenBench

greet = Extension("greet")


@greet.on(DealCreated)
def created(event: DealCreated, ctx: Context[NoSettings]) -> None:
    """Say that it is there."""
    ctx.explain(f"{ctx.account.vendor}: {event.deal.title}")


def test_a_bench_is_opened_by_its_fixture(bench: OpenBench) -> None:
    """`bench(extension)` is open, and the fixture closes it."""
    b = bench(greet)
    b.person.add_deal("Окна")
    assert b.decisions == ["amocrm: Окна"]


@pytest.mark.crms("amocrm", "memory")
def test_one_test_runs_on_every_crm_that_it_names(crm_bench: OpenBench, crmkit_vendor: str) -> None:
    """`crm_bench` is another CRM in each run."""
    b = crm_bench(greet)
    b.person.add_deal("Окна")
    assert b.decisions == [f"{crmkit_vendor}: Окна"]


def test_a_memory_crm_is_there(memory_crm: MemoryCrm) -> None:
    """The fixture gives an empty one."""
    assert list(memory_crm.crm.deals.iterate()) == []


def _pytest(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words]
    return subprocess.run(command, cwd=folder, env=clean, capture_output=True, text=True, check=False)


def test_other_projects_do_not_notice_the_plugin(tmp_path: Path) -> None:
    """A run without our fixtures, under strict markers and with warnings as errors, passes and imports no runtime."""
    (tmp_path / "test_theirs.py").write_text(
        "import sys\n\n\ndef test_nothing_heavy():\n"
        "    heavy = {'flask', 'sqlalchemy', 'crmkit_runtime', 'crmkit_sandbox', 'pydantic', 'requests'}\n"
        "    assert heavy & set(sys.modules) == set()\n"
    )
    done = _pytest(tmp_path, "--strict-markers", "-W", "error")
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_unknown_crm_is_an_error_that_names_the_known_ones(tmp_path: Path) -> None:
    """A slip in the marker does not make a test vanish."""
    (tmp_path / "test_slip.py").write_text(
        "import pytest\n\n\n@pytest.mark.crms('amo')\ndef test_it(crm_bench):\n    assert crm_bench\n"
    )
    done = _pytest(tmp_path)
    assert done.returncode != 0
    assert "there is no emulator of amo; there are amocrm, bitrix24, memory, retailcrm" in done.stdout
