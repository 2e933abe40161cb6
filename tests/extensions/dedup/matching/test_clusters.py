"""Groups grow best first, never across a contradiction, never by a chain alone."""

from __future__ import annotations

from collections.abc import Mapping

from crmkit_dedup.clusters import LARGEST, Clustering, Group, Joining, Judgement, Link

VETO = Judgement(-99.0, is_vetoed=True)


JOINING = Joining(floor=0.0, sure_floor=-4.0)


def groups(
    *links: Link,
    judged: Mapping[tuple[int, int], Judgement] | None = None,
    else_: float = 5.0,
    joining: Joining = JOINING,
) -> list[Group]:
    """The groups of these links; pairs that `judged` does not name have `else_` points."""
    known = judged or {}

    def judge(one: int, other: int) -> Judgement:
        return known.get((min(one, other), max(one, other)), Judgement(else_, is_vetoed=False))

    return Clustering(judge, str, joining).groups(links)


def test_links_that_agree_make_one_group_in_order() -> None:
    """Members are in order, all of them sure when every link is."""
    assert groups(Link(2, 5, 9.0, True), Link(0, 2, 8.0, True)) == [
        Group((0, 2, 5), frozenset({0, 2, 5}), nearest=(2, 5, 2))
    ]


def test_a_doubtful_link_adds_a_member_to_be_asked_about() -> None:
    """The sure part stays sure beside it."""
    assert groups(Link(0, 1, 9.0, True), Link(1, 2, 2.0, False)) == [
        Group((0, 1, 2), frozenset({0, 1}), nearest=(1, 0, 0))
    ]


def test_a_veto_of_any_two_members_keeps_groups_apart() -> None:
    """0-1 and 2-3 are pairs; 1 is like 2, but 0 cannot be 3."""
    links = (Link(0, 1, 9.0, True), Link(2, 3, 9.0, True), Link(1, 2, 5.0, False))
    assert groups(*links, judged={(0, 3): VETO}) == [Group((0, 1), frozenset({0, 1})), Group((2, 3), frozenset({2, 3}))]


def test_two_sure_groups_under_one_link_leave_the_larger_sure() -> None:
    """The records of the smaller one are asked about."""
    links = (Link(0, 1, 9.0, True), Link(1, 2, 9.0, True), Link(3, 4, 9.0, True), Link(2, 3, 1.0, False))
    assert groups(*links) == [Group((0, 1, 2, 3, 4), frozenset({0, 1, 2}), nearest=(1, 0, 1, 4, 3))]


def test_a_record_that_two_groups_claim_alike_is_asked_about() -> None:
    """1 fits 0 and 2 alike, and those two cannot be one."""
    (group,) = groups(Link(0, 1, 9.0, True), Link(1, 2, 8.5, True), judged={(0, 2): VETO})
    assert group == Group((0, 1), frozenset())


def test_a_record_that_one_group_claims_far_better_is_merged() -> None:
    """The weaker claim is refused and says nothing."""
    (group,) = groups(Link(0, 1, 19.0, True), Link(1, 2, 8.5, True), judged={(0, 2): VETO})
    assert group == Group((0, 1), frozenset({0, 1}))


def test_groups_that_are_unlike_on_the_whole_do_not_chain() -> None:
    """One link does not outweigh all the other pairs."""
    links = (Link(0, 1, 9.0, True), Link(2, 3, 9.0, True), Link(1, 2, 1.0, False))
    assert [group.members for group in groups(*links, else_=-3.0)] == [(0, 1), (2, 3)]


def test_a_strong_link_joins_what_has_nothing_in_common() -> None:
    """0 and 2 share nothing, 1 shares much with each of them: where a link of 9 points is strong all three are sure."""
    links, judged = (Link(0, 1, 9.5, True), Link(1, 2, 9.0, True)), {(0, 2): Judgement(-12.0, is_vetoed=False)}
    strong = JOINING._replace(strong=9.0)
    assert groups(*links, judged=judged, joining=strong) == [Group((0, 1, 2), frozenset({0, 1, 2}), nearest=(1, 0, 1))]
    assert groups(*links, judged=judged) == [Group((0, 1), frozenset())]


def test_a_strong_link_outweighs_no_contradiction() -> None:
    """A veto and a doubt keep apart whatever stands between."""
    links, strong = (Link(0, 1, 30.0, True), Link(1, 2, 20.0, True)), JOINING._replace(strong=9.0)
    assert groups(*links, judged={(0, 2): VETO}, joining=strong) == [Group((0, 1), frozenset({0, 1}))]
    doubt = {(0, 2): Judgement(9.0, is_vetoed=False, is_doubted=True)}
    assert groups(*links, judged=doubt, joining=strong) == [Group((0, 1, 2), frozenset({0, 1}), nearest=(1, 0, 1))]


def test_a_link_counts_by_its_share_beside_all_pairs() -> None:
    """One pair of four has 5 points, the others -4: on average -1.75, halfway to the link 1.6."""
    links = (Link(0, 1, 9.0, True), Link(2, 3, 9.0, True), Link(1, 2, 5.0, False))
    by_half = groups(*links, else_=-4.0, joining=JOINING._replace(own_share=0.5))
    assert [group.members for group in by_half] == [(0, 1, 2, 3)]
    assert [group.members for group in groups(*links, else_=-4.0)] == [(0, 1), (2, 3)]


def test_a_doubted_pair_keeps_a_group_from_being_sure() -> None:
    """0 and 2 may be father and son: the three are not merged without asking."""
    doubt = {(0, 2): Judgement(9.0, is_vetoed=False, is_doubted=True)}
    (group,) = groups(Link(0, 1, 9.0, True), Link(1, 2, 15.0, True), judged=doubt)
    assert group == Group((0, 1, 2), frozenset({1, 2}), nearest=(1, 2, 1))


def test_a_group_has_its_largest_size() -> None:
    """A chain of many ends where one person cannot have more records."""
    chained = groups(*(Link(at, at + 1, 9.0, True) for at in range(2 * LARGEST)))
    assert max(len(group.members) for group in chained) <= LARGEST


def test_a_sure_record_is_held_by_a_sure_one() -> None:
    """2 is nearer to 0 than 1 is, but is to be asked about; 0 is all the same what holds 2."""
    doubt = {(0, 2): Judgement(20.0, is_vetoed=False, is_doubted=True), (1, 2): Judgement(3.0, is_vetoed=False)}
    (group,) = groups(Link(0, 2, 20.0, False, is_doubted=True), Link(0, 1, 9.0, True), judged=doubt)
    assert group == Group((0, 1, 2), frozenset({0, 1}), nearest=(1, 0, 0))
