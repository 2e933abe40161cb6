"""Addresses and amounts: the smallest values every record is made of."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]
"""Plain data as JSON knows it."""


class Kind(enum.StrEnum):
    """What a record is, in crmkit's words (amoCRM's "lead" is a deal)."""

    CONTACT = "contact"
    COMPANY = "company"
    DEAL = "deal"
    LEAD = "lead"
    TASK = "task"
    NOTE = "note"
    CALL = "call"
    USER = "user"
    PIPELINE = "pipeline"
    FILE = "file"
    PRODUCT = "product"
    PAYMENT = "payment"


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """The address of one record: account, kind and the vendor's id as text.

    Two accounts with equal ids never mix, because the account is a part of the address.
    """

    account: str
    kind: Kind
    id: str

    @classmethod
    def new(cls, kind: Kind) -> Ref:
        """The address of a record that has not been created yet."""
        return cls("", kind, "")

    @property
    def is_new(self) -> bool:
        """The record has not been created in a CRM."""
        return not self.id

    @classmethod
    def parse(cls, text: str) -> Ref:
        """Read back what `str(ref)` wrote.

        Raises ValueError when the text is no address.
        """
        account, _, rest = text.partition("/")
        kind, _, record_id = rest.partition(":")
        if not record_id or kind not in set(Kind):
            raise ValueError(f"not a record address: {text!r} (expected account/kind:id)")
        return cls(account, Kind(kind), record_id)

    def __str__(self) -> str:
        return f"{self.account}/{self.kind.value}:{self.id}"


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in a currency (ISO 4217 code)."""

    amount: Decimal
    currency: str

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"
