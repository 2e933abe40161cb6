"""Choosing who gets the work, and saying why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

Policy = Literal["owner", "round_robin", "least_loaded", "fixed"]


@dataclass(frozen=True, slots=True)
class Choice:
    """A user and the reason; `user_id` is None when nobody can take it. `is_turn` says that a turn was used up."""

    user_id: str | None
    reason: str
    is_turn: bool = field(default=False, compare=False)


class Assign(Protocol):
    """Chooses among the account's active users; remembers turns over restarts and workers."""

    def __call__(
        self,
        policy: Policy,
        *,
        owner_id: str | None = None,
        among: Sequence[str] = (),
        fixed: str | None = None,
    ) -> Choice:
        """The user by `policy`; `owner_id` is who has the record now, `among` the candidates (empty: all active)."""


def choose(
    policy: Policy,
    *,
    active: Sequence[str],
    owner_id: str | None = None,
    among: Sequence[str] = (),
    fixed: str | None = None,
    last: str | None = None,
    load: Mapping[str, int] | None = None,
) -> Choice:
    """The user by `policy`, from the account's `active` user ids; pure.

    The owner keeps the work under the policy `owner` while active; else turns decide. `last` is who had the turn
    before, `load` the open tasks of each user.
    """
    # A candidate who is named twice would otherwise hand the turn to themselves for ever.
    candidates = list(dict.fromkeys(user for user in (among or active) if user in set(active)))
    if policy == "fixed" and fixed is not None and fixed in active:
        return Choice(fixed, "fixed by the settings")
    if policy == "owner" and owner_id is not None and owner_id in active:
        return Choice(owner_id, "owner of the record")
    if not candidates:
        return Choice(None, "nobody of the candidates is active")
    if policy == "least_loaded":
        counts = load or {}
        best = min(candidates, key=lambda user: (counts.get(user, 0), candidates.index(user)))
        return Choice(best, f"fewest open tasks ({counts.get(best, 0)})")
    turn = (candidates.index(last) + 1) % len(candidates) if last in candidates else 0
    wanted = {"owner": owner_id, "fixed": fixed}.get(policy)
    left = f"; {wanted} is not active" if wanted else ""
    return Choice(candidates[turn], f"next in turn{left}", is_turn=True)
