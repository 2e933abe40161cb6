"""Addresses: the street and the house, whatever is written around them."""

from __future__ import annotations

import pytest

from crmkit_dedup.addresses import address_code


@pytest.mark.parametrize(
    "text",
    [
        "ул. Баумана, 5",
        "Баумана 5",
        "420111, г. Казань, ул. Баумана, д. 5, оф. 3",
        "Республика Татарстан, Казань, улица Баумана, дом 5, корп. 2",
        "ул.Баумана, д.5",
        "Baumana 5",
    ],
)
def test_one_address_has_one_code(text: str) -> None:
    """Index, region, town, office and the words for street and house are no part of it."""
    assert address_code(text) == "baumana 5"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ул. Баумана, 5", "ул. Баумана, 7"),
        ("ул. Баумана, 5", "ул. Лесная, 5"),
        ("ул. 8 Марта, 5", "ул. 8 Марта, 7"),
        ("ул. 8 Марта, 5", "ул. 9 Мая, 5"),
        ("Лесная, 5а", "Лесная, 5"),
    ],
)
def test_other_addresses_differ(one: str, other: str) -> None:
    """By the house, by the street, by the number that is the street's own."""
    assert "" not in (address_code(one), address_code(other))
    assert address_code(one) != address_code(other)


@pytest.mark.parametrize("text", ["", "Казань", "г. Казань, ул. Баумана", "а/я 15", "нет", "420111"])
def test_no_house_is_no_address(text: str) -> None:
    """A town or a street alone is no place."""
    assert address_code(text) == ""
