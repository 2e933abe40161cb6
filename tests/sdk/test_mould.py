"""Records made without validating: the same as validated ones, in everything that can be seen of them."""

from __future__ import annotations

import copy
import pickle
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from crmkit import Money
from crmkit.models import LineItem, Phone, Stage, StageRef
from crmkit.mould import Mould

GIVEN: dict[str, Any] = {"product_id": "7", "name": "Окно", "price": Money(Decimal(5), "RUB")}
VALUES = {"product_id": "7", "name": "Окно", "quantity": Decimal(1), "price": Money(Decimal(5), "RUB")}
ITEMS = Mould(LineItem, "quantity")


def test_a_cast_record_is_the_validated_one() -> None:
    """Equal, with the same fields set, the same text, JSON, copy and pickle."""
    cast, validated = ITEMS.cast(dict(VALUES)), LineItem(**GIVEN)
    assert cast == validated
    assert cast.model_fields_set == validated.model_fields_set == {"product_id", "name", "price"}
    assert (cast.model_dump(), cast.model_dump_json()) == (validated.model_dump(), validated.model_dump_json())
    assert hash(cast) == hash(validated)
    assert [copy.copy(cast), copy.deepcopy(cast), pickle.loads(pickle.dumps(cast))] == [validated] * 3
    assert LineItem.model_validate(cast) is cast


def test_records_of_one_mould_do_not_touch_each_other() -> None:
    """A changed copy of one leaves the next one's fields alone; a record stays frozen."""
    one = ITEMS.cast(dict(VALUES))
    changed = one.model_copy(update={"quantity": Decimal(3)})
    assert changed.model_fields_set == {"product_id", "name", "price", "quantity"}
    assert ITEMS.cast(dict(VALUES)).model_fields_set == {"product_id", "name", "price"}
    with pytest.raises(ValidationError, match="frozen"):
        one.name = "Дверь"  # type: ignore[misc]  # that it cannot be done is what is shown


def test_a_forgotten_field_is_told() -> None:
    """Neither a missing nor a foreign value makes a record."""
    stages = Mould(Stage)
    ref = StageRef(pipeline_id="1", stage_id="2")
    with pytest.raises(TypeError, match="Stage is cast with every field it has, and no other: look at is_incoming"):
        stages.cast({"ref": ref, "name": "Новая", "sort": 1, "outcome": "open"})
    with pytest.raises(TypeError, match="look at colour"):
        Mould(Phone).cast({"raw": "1", "e164": None, "kind": None, "colour": "red"})
