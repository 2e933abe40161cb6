"""Choosing an owner: fair, steady, and explained."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit import Deal, DealCreated, Extension, Kind, Ref
from crmkit.assignment import Choice, Policy, choose
from crmkit.testing import MemoryCrm, context

people = st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=6)
POLICIES: tuple[Policy, ...] = ("owner", "round_robin", "least_loaded", "fixed")


@given(
    policy=st.sampled_from(POLICIES),
    active=people,
    among=st.lists(st.sampled_from("abcdefghxyz"), max_size=8),
    owner=st.none() | st.sampled_from("abcxyz"),
    fixed=st.none() | st.sampled_from("abcxyz"),
    last=st.none() | st.sampled_from("abcxyz"),
    load=st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 5)),
)
def test_only_active_users_get_work(
    policy: Policy,
    active: list[str],
    among: list[str],
    owner: str | None,
    fixed: str | None,
    last: str | None,
    load: dict[str, int],
) -> None:
    """Whatever the settings, the chosen user is active; nobody is chosen only when no candidate is."""
    choice = choose(policy, active=active, owner_id=owner, among=among, fixed=fixed, last=last, load=load)
    candidates = set(among or active) & set(active)
    assert choice.reason
    if choice.user_id is None:
        assert (candidates, choice) == (set(), Choice(None, "nobody of the candidates is active"))
    else:
        allowed = candidates | {owner if policy == "owner" else None, fixed if policy == "fixed" else None}
        assert choice.user_id in set(active) & allowed
    assert choice.is_turn is (choice.user_id is not None and choice.reason.startswith("next in turn"))


@given(active=people.filter(bool), among=st.lists(st.sampled_from("abcdefgh"), max_size=8), rounds=st.integers(1, 4))
def test_turns_are_fair(active: list[str], among: list[str], rounds: int) -> None:
    """After whole rounds everybody has had the same number of turns, even whom the settings name twice."""
    candidates = set(among or active) & set(active)
    last: str | None = None
    taken: Counter[str] = Counter()
    for _ in range(rounds * len(candidates)):
        last = choose("round_robin", active=active, among=among, last=last).user_id
        assert last is not None
        taken[last] += 1
    assert taken == dict.fromkeys(candidates, rounds)


@pytest.mark.parametrize(
    ("policy", "values", "expected"),
    [
        ("owner", {"owner_id": "2", "among": ["1"]}, Choice("2", "owner of the record")),
        ("owner", {"owner_id": "9"}, Choice("1", "next in turn; 9 is not active")),
        ("owner", {}, Choice("1", "next in turn")),
        ("fixed", {"fixed": "3"}, Choice("3", "fixed by the settings")),
        ("fixed", {"fixed": "9", "last": "1"}, Choice("2", "next in turn; 9 is not active")),
        ("round_robin", {"owner_id": "2"}, Choice("1", "next in turn")),
        ("round_robin", {"last": "3"}, Choice("1", "next in turn")),
        ("round_robin", {"last": "gone"}, Choice("1", "next in turn")),
        ("least_loaded", {"load": {"1": 2, "2": 1, "3": 1}}, Choice("2", "fewest open tasks (1)")),
        ("least_loaded", {"load": {"1": 2}, "among": ["3", "2"]}, Choice("3", "fewest open tasks (0)")),
        ("round_robin", {"among": ["8", "9"]}, Choice(None, "nobody of the candidates is active")),
    ],
)
def test_the_reason_tells_how_it_was_chosen(policy: Policy, values: dict[str, object], expected: Choice) -> None:
    """Who and why, for each policy and each way it falls back."""
    assert choose(policy, active=["1", "2", "3"], **values) == expected  # type: ignore[arg-type]


def test_an_owner_who_keeps_the_work_uses_up_no_turn() -> None:
    """In a test's context as in the runtime, the turn goes on where it was."""
    memory = MemoryCrm()
    event = DealCreated(
        ref=Ref("acme", Kind.DEAL, "1"),
        occurred_at=memory.world.clock.now(),
        deal=Deal(ref=Ref("acme", Kind.DEAL, "1")),
    )
    assign = context(Extension("shop"), memory, event).assign
    chosen = [
        assign("round_robin").user_id,
        assign("owner", owner_id="3").user_id,
        assign("round_robin").user_id,
    ]
    assert chosen == ["1", "3", "2"]
