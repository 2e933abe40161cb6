"""Addresses and amounts: what is written can be read back, and accounts never mix."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit.values import Kind, Money, Ref

accounts = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,62}", fullmatch=True)
ids = st.text(min_size=1, max_size=40)


@given(accounts, st.sampled_from(Kind), ids)
def test_an_address_reads_back_as_it_was(account: str, kind: Kind, id_: str) -> None:
    """Whatever the vendor's id holds, slashes and colons too, the text gives the same address."""
    ref = Ref(account, kind, id_)
    assert Ref.parse(str(ref)) == ref


@pytest.mark.parametrize(
    "text", ["", "acme", "acme/deal", "acme/deal:", "deal:5", "acme/lid:5", "acme:deal/5", "acme/:5", "acme/Deal:5"]
)
def test_what_is_no_address_is_said_to_be_none(text: str) -> None:
    """The message shows the text and the form that was expected."""
    with pytest.raises(ValueError, match="not a record address") as refused:
        Ref.parse(text)
    assert str(refused.value) == f"not a record address: {text!r} (expected account/kind:id)"


def test_equal_ids_of_two_accounts_are_two_addresses() -> None:
    """The account is a part of the address, for equality, for sets and for order."""
    one, other = Ref("acme", Kind.DEAL, "5"), Ref("beta", Kind.DEAL, "5")
    assert (one == other, len({one, other}), sorted([other, one])) == (False, 2, [one, other])


def test_a_new_record_has_no_address_yet() -> None:
    """`Ref.new` is told from every address of a record that exists."""
    assert (Ref.new(Kind.TASK).is_new, Ref("acme", Kind.TASK, "1").is_new) == (True, False)


def test_an_address_cannot_be_changed() -> None:
    """It may be the key of a mapping."""
    with pytest.raises(AttributeError):
        Ref("acme", Kind.DEAL, "5").id = "6"  # type: ignore[misc]


def test_money_keeps_its_kopecks() -> None:
    """An amount is exact and its text has the currency."""
    assert str(Money(Decimal("0.10"), "RUB")) == "0.10 RUB"
    assert Money(Decimal("0.1"), "RUB") == Money(Decimal("0.10"), "RUB")
    assert Money(Decimal(1), "RUB") != Money(Decimal(1), "USD")
