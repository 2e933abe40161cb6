"""The vendor's side of a bench: an emulated account, the people who work in it, and what can go wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from crmkit.adapter import Adapter
from crmkit.models import CallStatus, Direction, Record, StageRef
from crmkit.values import Ref

ACCOUNT = "acme"
"""Key of the account on every bench."""


class Side(Protocol):
    """One emulated account under the key `ACCOUNT`; its time is the bench's time."""

    @property
    def vendor(self) -> str:
        """Vendor key."""

    @property
    def adapters(self) -> Mapping[str, Adapter]:
        """Adapters that are not installed by entry point."""

    def open(self) -> None:
        """Begin to answer."""

    def close(self) -> None:
        """Stop answering."""

    def account_table(self) -> Mapping[str, Any]:
        """The account as it would stand in crmkit.toml."""

    def environment(self) -> Mapping[str, str]:
        """Its secrets as they would stand in the environment."""

    def now(self) -> datetime:
        """The account's time, aware UTC."""

    def turn(self, seconds: float) -> None:
        """Turn that time on."""

    def seed(self) -> None:
        """Fill the account with a small sales base that nobody is told of."""

    def stages(self) -> Mapping[str, StageRef]:
        """The stages of the main pipeline by their names, in their order."""

    def user_ids(self) -> tuple[str, ...]:
        """Ids of the account's active users."""

    def add(self, record: Record, *, hooks: bool) -> Ref:
        """A person makes a record; only the fields that were set count."""

    def change(self, ref: Ref, values: Mapping[str, Any], *, hooks: bool) -> None:
        """A person changes fields: the keys of the kind's `...Changes`."""

    def delete(self, ref: Ref, *, hooks: bool) -> None:
        """A person throws a record away."""

    def call(
        self, contact: Ref, phone: str, *, direction: Direction, status: CallStatus, talk_s: int, hooks: bool
    ) -> None:
        """The CRM's own telephony enters a call of this contact."""

    def lose_next_hooks(self, count: int) -> None:
        """Lose the next deliveries."""

    def repeat_next_hook(self, times: int) -> None:
        """Send the next delivery `times` times in all."""

    def fail_next(self, status: int, times: int, method: str | None, path: str | None) -> None:
        """Answer the next fitting requests with an HTTP status."""

    def down(self, is_down: bool) -> None:
        """Answer nothing, or answer again."""

    def deliver(self) -> int:
        """Return once no delivery is under way; how many were made in all."""

    def requests(self) -> int:
        """How many requests the account was asked in all."""
