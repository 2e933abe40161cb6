"""Walks over whole lists: every record once, in few requests, however thick the ids lie and whatever others do."""

from __future__ import annotations

import random
import threading
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from crmkit.clock import SystemClock
from crmkit.errors import BadPayload
from crmkit.http import Pressure
from crmkit_bitrix24.client.crew import WIDEST, Crew
from crmkit_bitrix24.client.forecast import FULL, MOST, Forecast, Range
from crmkit_bitrix24.client.walk import Listing, Walker
from crmkit_bitrix24.wire import PAGE, Command

LISTING = Listing("crm.contact.list", ("*",), {})


class Portal:
    """A list of ids that answers as a portal does, and the way to it; `between` runs before each command."""

    def __init__(self, ids: Sequence[int], between: Callable[[Portal], None] | None = None) -> None:
        self.ids = sorted(ids)
        self.requests = 0
        self.is_deaf = False
        self.has_no_upper_end = False
        self._between = between
        self._lock = threading.Lock()
        self.crew = Crew(SystemClock(), lambda: Pressure(0, 0.0, 0.0))

    def every(self, commands: Sequence[Command]) -> list[list[dict[str, Any]]]:
        results: list[list[dict[str, Any]]] = []
        with self._lock:
            self.requests += 1
            for command in commands:
                if self._between is not None:
                    self._between(self)
                results.append(self._page(command.params["filter"], results))
        return results

    def _page(self, filter_: dict[str, Any], results: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
        after: Any = filter_.get(">ID")
        if str(after).startswith("$result"):
            # An empty reference is an empty condition, and that is none.
            after = results[-1][PAGE - 1]["ID"] if len(results[-1]) == PAGE else None
        begin = 0 if after is None or self.is_deaf else bisect_right(self.ids, int(after))
        is_bounded = "<=ID" in filter_ and not self.has_no_upper_end
        end = bisect_right(self.ids, filter_["<=ID"]) if is_bounded else len(self.ids)
        return [{"ID": str(one)} for one in self.ids[begin:end][:PAGE]]

    def room(self, method: str) -> int:
        return WIDEST

    def remove(self, id_: int) -> None:
        at = bisect_left(self.ids, id_)
        if at < len(self.ids) and self.ids[at] == id_:
            del self.ids[at]

    def add(self, id_: int) -> None:
        insort(self.ids, id_)

    def walked(self) -> list[int]:
        """The ids that a walk from the beginning to the end gives."""
        first = self.every([LISTING.command("0")])[0]
        edge = self.ids[-1] if self.ids else None
        walker = Walker(self)  # type: ignore[arg-type]  # of the way to a portal a walk takes these three
        pages = [first, *walker.whole(LISTING, first, edge, lambda items: items)]
        return [int(row["ID"]) for page in pages for row in page]


def thinned(count: int, keep: float, seed: int) -> list[int]:
    """So many ids, of which others were deleted here and there."""
    choose = random.Random(seed)
    found: list[int] = []
    id_ = 0
    while len(found) < count:
        id_ += 1
        if choose.random() < keep:
            found.append(id_)
    return found


def clumped() -> list[int]:
    """Thick, nothing for a long way, thin, thick again."""
    return [*range(1, 6000), *range(900_000, 903_000), *range(1_000_000, 1_400_000, 130), *range(1_400_000, 1_405_000)]


@pytest.mark.parametrize(
    ("ids", "most"),
    [
        (range(1, 50_001), 21),
        (range(7, 150_000, 3), 21),
        (range(1, 51), 2),
        (range(1, 50), 1),
        (range(0), 1),
        (thinned(50_000, 0.9, 1), 25),
        (thinned(20_000, 0.05, 2), 14),
        (clumped(), 18),
    ],
    ids=["dense", "every third", "one page", "part of a page", "none", "a tenth deleted", "few left", "clumped"],
)
def test_every_record_comes_once_in_its_order(ids: Sequence[int], most: int) -> None:
    """Whatever the gaps are, in about as many requests as full batches need."""
    portal = Portal(ids)
    assert portal.walked() == list(ids)
    assert portal.requests <= most


def test_ranges_are_read_several_at_a_time() -> None:
    """As soon as ids lie evenly."""
    meet = threading.Barrier(MOST, timeout=10)
    ranges = iter(range(MOST))

    class Slow(Portal):
        def every(self, commands: Sequence[Command]) -> list[list[dict[str, Any]]]:
            if len(commands) > 1 and next(ranges, None) is not None:
                meet.wait()
            return super().every(commands)

    portal = Slow(range(1, 30_001))
    assert len(portal.walked()) == 30_000


@pytest.mark.parametrize("seed", range(8))
def test_nothing_is_missed_or_doubled_while_others_work(seed: int) -> None:
    """Records that were there all the time come once; those added behind the last one come too."""
    choose = random.Random(seed)
    start = thinned(18_000, 0.8, seed) if seed % 2 else list(range(1, 18_001))
    stable, added = set(start), list[int]()

    def work(portal: Portal) -> None:
        for id_ in choose.sample(portal.ids, 5):
            portal.remove(id_)
            stable.discard(id_)
        if len(added) < 300:
            new = portal.ids[-1] + choose.randint(1, 3)
            portal.add(new)
            added.append(new)

    portal = Portal(start, work)
    found = portal.walked()
    assert found == sorted(set(found))
    assert stable - set(found) == set()
    assert set(found) - set(start) - set(added) == set()


def test_what_is_added_while_the_last_range_is_read_is_found() -> None:
    """The end of the list is where nothing more comes, not where it was at the beginning."""
    added: list[int] = []

    def grow(portal: Portal) -> None:
        if portal.requests in (2, 3) and len(added) < 2000:
            added.extend(range(portal.ids[-1] + 1, portal.ids[-1] + 1001))
            portal.ids += added[-1000:]

    portal = Portal(range(1, 4001), grow)
    assert portal.walked() == list(range(1, 6001))


def test_a_list_that_does_not_hear_the_condition_is_not_read_forever() -> None:
    """Ids that were not asked for are an error, not a walk without an end."""
    portal = Portal(range(1, 10_001))
    portal.is_deaf = True
    with pytest.raises(BadPayload, match=r"crm\.contact\.list gives ids that were not asked for"):
        portal.walked()


def test_a_list_that_does_not_hear_the_upper_end_gives_nothing_twice() -> None:
    """Conditions that a portal ignores cost requests, not records."""
    for ids in (range(1, 20_001), clumped()):
        portal = Portal(ids)
        portal.has_no_upper_end = True
        assert portal.walked() == list(ids)


def test_a_walk_that_is_given_up_begins_nothing_more() -> None:
    """Whoever takes the first pages only costs a few requests."""
    portal = Portal(range(1, 50_001))
    first = portal.every([LISTING.command("0")])[0]
    walk = Walker(portal).whole(LISTING, first, 50_000, lambda items: items)  # type: ignore[arg-type]
    assert isinstance(walk, Iterator)
    assert [row["ID"] for row in next(walk)][:2] == ["51", "52"]
    walk.close()  # type: ignore[attr-defined]  # a generator, whatever it promises to be
    portal.crew.close()
    assert portal.requests <= 1 + MOST + 1


class TestForecast:
    def test_ids_without_gaps_are_read_by_whole_batches_at_once(self) -> None:
        """A batch holds as many ids as rows; the last range has no end."""
        forecast = Forecast(range(1, 51), 6000)
        assert forecast.trust == MOST
        assert [forecast.behind(50), forecast.behind(2550), forecast.behind(5050)] == [
            Range(50, 2550),
            Range(2550, 5050),
            Range(5050, None),
        ]

    def test_uneven_ids_are_looked_at_before_anything_is_guessed(self) -> None:
        """One open range first; then ranges, with room for a few rows more than usual."""
        first = [*range(1, 40), *range(60, 71)]
        forecast = Forecast(first, 1_000_000)
        assert forecast.behind(70) == Range(70, None)
        forecast.learn(Range(70, None), 70 + 2 * FULL, FULL, is_whole=False)
        assert forecast.trust == 2
        low, high, _ = forecast.behind(5070)
        assert high is not None
        assert 0.95 * 2 * FULL < high - low < 2 * FULL

    @pytest.mark.parametrize("rows", [0, FULL // 3], ids=["empty", "thin"])
    def test_a_wrong_guess_ends_the_guessing(self, rows: int) -> None:
        """Behind a hole one open range finds the next rows."""
        forecast = Forecast(range(1, 51), 1_000_000)
        forecast.learn(Range(50, 2550), 50 + rows, rows, is_whole=True)
        assert (forecast.trust, forecast.behind(2550)) == (1, Range(2550, None))

    def test_the_rest_of_a_range_is_asked_for_with_few_pages(self) -> None:
        """As many as it may hold, and one that shows the end."""
        forecast = Forecast(range(1, 51), 1_000_000)
        assert forecast.rest(Range(50, 3000), 2550) == Range(2550, 3000, 10)
        assert forecast.rest(Range(50, None), 2550) == Range(2550, None)

    def test_without_a_known_edge_nothing_is_guessed(self) -> None:
        """A list by its time of change is read by open ranges."""
        assert Forecast(range(1, 51), None).behind(50) == Range(50, None)

    @pytest.mark.parametrize(("fields", "most"), [(1, 4), (70, 4), (71, 3), (100, 2), (400, 1)])
    def test_wide_rows_are_read_fewer_at_a_time(self, fields: int, most: int) -> None:
        """Those that wait lie in memory."""
        assert Forecast(range(1, 51), 6000, fields).trust == most
