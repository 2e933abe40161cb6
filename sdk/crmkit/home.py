"""Where a record comes from, as far as its translation needs to know."""

from __future__ import annotations

from typing import Protocol


class Home(Protocol):
    """What a translation needs to know of the account; `crmkit.adapter.Account` is one."""

    @property
    def key(self) -> str:
        """The account's name in crmkit.toml."""

    @property
    def vendor(self) -> str:
        """Vendor key."""

    @property
    def url(self) -> str:
        """The account's address."""

    @property
    def timezone(self) -> str:
        """The IANA zone in which times without one are written, and whose midnights dates are."""

    @property
    def currency(self) -> str:
        """What amounts without a currency are counted in."""

    @property
    def country(self) -> str:
        """The country of phones without one."""

    @property
    def user_id(self) -> str | None:
        """The user in whose name we write."""
