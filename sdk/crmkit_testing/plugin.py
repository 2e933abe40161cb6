"""pytest fixtures of crmkit; light, because every pytest run of an environment with crmkit imports this room."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Literal, Protocol

import pytest

from crmkit_testing.sides import SIDES

# Running a service costs half a second of imports, which only a test that asks for a bench should pay.
if TYPE_CHECKING:
    from crmkit.extension import Extension
    from crmkit.settings import Settings
    from crmkit.testing import MemoryCrm
    from crmkit_testing.bench import Bench

# The contract's asserts stand outside of test modules; without this they would fail without saying why.
pytest.register_assert_rewrite("crmkit.testing.contract")

MARKER = "crms"
VENDOR = "crmkit_vendor"


class OpenBench(Protocol):
    """What the fixtures `bench` and `crm_bench` give."""

    def __call__(
        self,
        extensions: Extension[Any] | Sequence[Extension[Any]],
        *,
        settings: Settings | Mapping[str, Settings] | None = None,
        mode: Literal["apply", "plan"] = "apply",
        language: Literal["ru", "en"] = "ru",
        sources: Mapping[str, Mapping[str, Any]] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Bench:
        """An open bench; the fixture closes it when the test is over."""


def pytest_configure(config: pytest.Config) -> None:
    """Name the marker, so that `--strict-markers` knows it."""
    config.addinivalue_line(
        "markers", f"{MARKER}(*vendors): the emulated CRMs that tests with the fixture crm_bench run on; all without it"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for `crm_bench` once for each CRM."""
    if "crm_bench" not in metafunc.fixturenames:
        return
    marker = metafunc.definition.get_closest_marker(MARKER)
    vendors = list(marker.args) if marker and marker.args else [vendor for vendor in SIDES if vendor != "memory"]
    unknown = [vendor for vendor in vendors if vendor not in SIDES]
    if unknown:
        raise pytest.UsageError(f"there is no emulator of {', '.join(unknown)}; there are {', '.join(SIDES)}")
    metafunc.parametrize(VENDOR, vendors, scope="function")


@pytest.fixture
def memory_crm() -> MemoryCrm:
    """A CRM in a dict, with nothing in it but its settings."""
    from crmkit.testing import MemoryCrm

    return MemoryCrm()


@pytest.fixture
def bench() -> Iterator[OpenBench]:
    """Opens benches on the emulated amoCRM: `bench(extension)`."""
    with _opener("amocrm") as opened:
        yield opened


@pytest.fixture
def crmkit_vendor() -> str:
    """The CRM of this run of the test."""
    raise pytest.UsageError("crmkit_vendor belongs to tests that ask for crm_bench")


@pytest.fixture
def crm_bench(crmkit_vendor: str) -> Iterator[OpenBench]:
    """Opens benches on one emulated CRM after the other: the test runs once for each."""
    with _opener(crmkit_vendor) as opened:
        yield opened


@contextmanager
def _opener(vendor: str) -> Iterator[OpenBench]:
    with ExitStack() as stack:

        def opened(
            extensions: Extension[Any] | Sequence[Extension[Any]],
            *,
            settings: Settings | Mapping[str, Settings] | None = None,
            mode: Literal["apply", "plan"] = "apply",
            language: Literal["ru", "en"] = "ru",
            sources: Mapping[str, Mapping[str, Any]] | None = None,
            environment: Mapping[str, str] | None = None,
        ) -> Bench:
            from crmkit_testing.bench import bench as new_bench

            made = new_bench(
                extensions,
                vendor,
                settings=settings,
                mode=mode,
                language=language,
                sources=sources,
                environment=environment,
            )
            return stack.enter_context(made)

        yield opened
