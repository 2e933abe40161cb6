"""Which vendors have an emulator, and where its side of a bench is found; light, because the pytest plugin asks it."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING

# The sides bring an emulator with them, which only the chosen one should.
if TYPE_CHECKING:
    from crmkit_testing.side import Side

SIDES: Mapping[str, str] = {
    "amocrm": "crmkit_testing.amocrm:AmoCrmSide",
    "bitrix24": "crmkit_testing.bitrix24:Bitrix24Side",
    "memory": "crmkit_testing.memory:MemorySide",
    "retailcrm": "crmkit_testing.retailcrm:RetailCrmSide",
}
"""The vendors that have an emulator."""


def new_side(vendor: str) -> Side:
    """A new emulated account. Raises KeyError for a vendor without an emulator."""
    room, _, name = SIDES[vendor].partition(":")
    side: Side = getattr(import_module(room), name)()
    return side
