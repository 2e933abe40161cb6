"""Single values of Bitrix24 in all their spellings."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from crmkit_bitrix24.translate.values import (
    day_of,
    decimal_of,
    emails_of,
    flag_of,
    id_of,
    many,
    phones_of,
    text_of,
    time_of,
)
from crmkit_bitrix24.wire import bracketed, is_empty, stage_dictionary, stage_of

MOMENT = datetime(2023, 8, 24, 13, 19, 39, tzinfo=UTC)


@pytest.mark.parametrize("nothing", [None, "", "0", 0, False, [], {}])
def test_nothing_is_nothing(nothing: object) -> None:
    """For links and ids; a zero of a text is a text."""
    assert (is_empty(nothing), id_of(nothing)) == (True, None)


@pytest.mark.parametrize(("value", "text"), [("0", "0"), (5, "5"), ("", None), (False, None), ([], None), ({}, None)])
def test_a_text_is_a_text(value: object, text: str | None) -> None:
    """Neither an empty one nor the vendor's false."""
    assert text_of(value) == text


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2023-08-24T16:19:39+03:00", MOMENT),
        ("2023-08-24T13:19:39", MOMENT),
        ("24.08.2023 13:19:39", MOMENT),
        ("soon", None),
        ("", None),
        (None, None),
        ({}, None),
    ],
)
def test_a_moment_is_utc_or_none(value: object, moment: datetime | None) -> None:
    """With the server's offset, without one, in the old spelling; empty times may be objects."""
    assert time_of(value) == moment


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("2026-12-31T02:00:00+02:00", date(2026, 12, 31)),
        ("31.12.2026", date(2026, 12, 31)),
        ("2026-12-31", date(2026, 12, 31)),
        ("never", None),
        ("", None),
        (None, None),
    ],
)
def test_a_day_is_the_day_as_written(value: object, day: date | None) -> None:
    """Whatever midnight stands beside it."""
    assert day_of(value) == day


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("5,5", Decimal("5.5")),
        (5, Decimal(5)),
        ("1000000.00", Decimal(1000000)),
        ("nan", None),
        ("x", None),
        ([], None),
    ],
)
def test_a_number_is_finite_or_none(value: object, number: Decimal | None) -> None:
    """With a comma or a point; what is no number is none."""
    assert decimal_of(value) == number


@pytest.mark.parametrize(("value", "is_on"), [("Y", True), ("1", True), (True, True), ("N", False), ("", False)])
def test_a_switch_is_on_by_three_words(value: object, is_on: bool) -> None:
    """Y, 1 and true."""
    assert flag_of(value) is is_on


@pytest.mark.parametrize(
    ("value", "values"),
    [(False, []), ([], []), (None, []), ("5", ["5"]), ({"1": "a"}, ["a"]), (["a"], ["a"])],
)
def test_a_multiple_field_is_a_list(value: object, values: list[object]) -> None:
    """False is none of them, one may come bare."""
    assert many(value) == values


def test_empty_values_of_multifields_are_passed_over() -> None:
    """A value without text, and what is no value at all."""
    found = [{"VALUE": ""}, "noise", {"VALUE": "a@example.com"}]
    assert [email.value for email in emails_of(found)] == ["a@example.com"]
    assert phones_of([{"VALUE": None}, 5], "RU") == ()
    assert [phone.e164 for phone in phones_of([{"VALUE": "4915112345678"}], "RU")] == ["+4915112345678"]


@pytest.mark.parametrize(
    ("pipeline", "stage", "on_deal"), [("0", "NEW", "NEW"), ("2", "NEW", "C2:NEW"), ("2", "C2:NEW", "C2:NEW")]
)
def test_a_stage_has_its_pipelines_prefix(pipeline: str, stage: str, on_deal: str) -> None:
    """But for the first pipeline, and never twice."""
    assert stage_of(pipeline, stage) == on_deal


def test_each_pipeline_has_a_dictionary_of_stages() -> None:
    """The first one without a number."""
    assert [stage_dictionary(one) for one in ("0", "7")] == ["DEAL_STAGE", "DEAL_STAGE_7"]


def test_no_parameters_are_an_empty_query() -> None:
    """And a reference is encoded as a whole."""
    assert bracketed({}) == ""
    assert bracketed({"a": "$result[c0][49][ID]"}) == "a=%24result%5Bc0%5D%5B49%5D%5BID%5D"
