"""The page of capabilities says what the adapters say."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from crmkit import Kind, registry
from crmkit.adapter import Capability, EffectClass, Level
from crmkit.testing import MemoryCrm
from crmkit.write import Verb, Write
from crmkit_cli.capabilities import WRITES, page

PAGE = Path(__file__).parents[2] / "docs" / "capabilities.md"


def cells(text: str) -> dict[str, list[str]]:
    """The rows of all tables by their first cell."""
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return {first: rest for first, *rest in lines}


def test_the_page_is_what_the_adapters_say_today() -> None:
    """Whoever changes a capability or an effect class makes the page anew: `make docs`."""
    adapters = [registry.adapter(vendor) for vendor in registry.vendors()]
    assert PAGE.read_text(encoding="utf-8") == page(adapters)


def test_every_capability_and_every_write_has_its_row() -> None:
    """No capability and no write of a port is left out, and nothing else is there."""
    writes = [f"{verb.value} {kind.value}" for verb, kinds in WRITES.items() for kind in kinds]
    rows = cells(page([MemoryCrm().adapter]))
    assert list(rows) == ["capability", "---", *(one.value for one in Capability), "write", *writes]
    assert set(Verb) == WRITES.keys()


def test_a_cell_is_what_the_adapter_answers() -> None:
    """Levels and effect classes come from the adapter; a write that needs what is absent has a dash."""

    class Narrow:
        vendor, title = "narrow", "Narrow"
        capabilities: ClassVar = {Capability.DEALS: Level.NATIVE, Capability.MERGE: Level.EMULATED}

        def effect_class(self, write: Write) -> EffectClass:
            is_new = write.verb is Verb.CREATE and write.kind is Kind.DEAL and write.marker is not None
            return EffectClass.NATIVE_KEY if is_new else EffectClass.NONE

    rows = cells(page([Narrow()]))  # type: ignore[list-item]  # a page asks for no more of an adapter
    names = ("deals", "merge", "contacts", "create deal", "merge deal", "delete deal", "create contact")
    assert [rows[name] for name in names] == [
        ["native"],
        ["emulated"],
        ["absent"],
        ["native key"],
        ["none"],
        ["—"],
        ["—"],
    ]
