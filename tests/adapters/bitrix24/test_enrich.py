"""What is laid beside bodies: definitions of their user fields, asked for no more often than they can be known."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from crmkit import Kind
from crmkit.clock import TurnedClock
from crmkit_bitrix24.client.crew import STRAINED, WIDEST
from crmkit_bitrix24.client.enrich import Enricher
from crmkit_bitrix24.client.line import OperatingTime
from crmkit_bitrix24.translate import Definitions, definitions_of

CITY = {"UF_CRM_CITY": {"type": "string", "formLabel": "Город"}}
AREA = {"UF_CRM_AREA": {"type": "double", "formLabel": "Площадь"}}


class Names:
    """A directory that knows the city, and the area once it is asked afresh."""

    def __init__(self) -> None:
        self.asked = 0

    def definitions(self, kind: Kind, *, afresh: bool = False) -> Definitions:
        self.asked += afresh
        return definitions_of(CITY | (AREA if self.asked else {}))


def enricher(names: Names) -> Enricher:
    nobody: Any = None
    directory: Any = names
    return Enricher(nobody, nobody, directory)


def test_a_new_field_is_asked_for_once_and_a_nameless_one_too() -> None:
    """The first is read from then on; the second is nobody's, however often bodies hold it."""
    names = Names()
    mine = enricher(names)
    bodies = [{"ID": str(number), "UF_CRM_AREA": 12, "UF_CRM_GHOST": "x"} for number in range(3)]
    for body in bodies:
        mine.complete(Kind.CONTACT, [body])
    assert names.asked == 1
    assert [body["crmkit"] for body in bodies] == [
        {"fields": {"UF_CRM_AREA": {"title": "Площадь", "type": "double"}}} for _ in bodies
    ]


def test_of_what_looks_empty_only_a_number_is_kept() -> None:
    """Zero is an area; an empty text, null, false and an empty list are nothing."""
    names = Names()
    names.asked = 1
    bodies: list[dict[str, Any]] = [
        {"ID": "1", "UF_CRM_AREA": 0, "UF_CRM_CITY": ""},
        {"ID": "2", "UF_CRM_AREA": False, "UF_CRM_CITY": None},
        {"ID": "3", "UF_CRM_AREA": [], "UF_CRM_CITY": "Омск"},
    ]
    enricher(names).complete(Kind.CONTACT, bodies)
    assert [sorted(body.get("crmkit", {}).get("fields", ())) for body in bodies] == [
        ["UF_CRM_AREA"],
        [],
        ["UF_CRM_CITY"],
    ]


@pytest.mark.parametrize(("used_s", "room"), [(0, WIDEST), (200, WIDEST), (250, STRAINED), (361, 1)])
def test_a_method_that_uses_up_its_time_has_fewer_batches(used_s: float, room: int) -> None:
    """What batches under way cost is seen only when they are answered."""
    time = OperatingTime(TurnedClock(datetime(2026, 3, 2, tzinfo=UTC)), "okna")
    time.note("crm.item.list", {"operating": used_s, "operating_reset_at": 1})
    assert (time.room("CRM.Item.List"), time.room("crm.deal.list")) == (room, WIDEST)
