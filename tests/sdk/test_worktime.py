"""WorkCalendar: what is open, when it opens next, and how working time is counted over closings and clock changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from crmkit.worktime import HORIZON, WorkCalendar

MOSCOW = ZoneInfo("Europe/Moscow")
BERLIN = ZoneInfo("Europe/Berlin")
OFFICE = WorkCalendar()
WITH_LUNCH = WorkCalendar(monday="9:00-13:00, 14:00–18:00")
ROUND_THE_CLOCK = WorkCalendar(
    timezone="Europe/Berlin",
    monday="00:00-24:00",
    tuesday="00:00-24:00",
    wednesday="00:00-24:00",
    thursday="00:00-24:00",
    friday="00:00-24:00",
    saturday="00:00-24:00",
    sunday="00:00-24:00",
)


def moscow(day: int, hour: int, minute: int = 0) -> datetime:
    """Give a moment of November 2025, which begins on a Saturday."""
    return datetime(2025, 11, day, hour, minute, tzinfo=MOSCOW)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        pytest.param(moscow(3, 9), True, id="opening"),
        pytest.param(moscow(3, 8, 59), False, id="before opening"),
        pytest.param(moscow(3, 17, 59), True, id="last minute"),
        pytest.param(moscow(3, 18), False, id="closing"),
        pytest.param(moscow(1, 12), False, id="Saturday"),
        pytest.param(datetime(2025, 11, 3, 6, tzinfo=UTC), True, id="opening in UTC"),
    ],
)
def test_is_open(at: datetime, expected: bool) -> None:
    """The opening is open, the closing is not, and the account's zone decides."""
    assert OFFICE.is_open(at) is expected


def test_lunch_is_closed() -> None:
    """A day of two parts is closed between them."""
    assert [WITH_LUNCH.is_open(moscow(3, hour)) for hour in (12, 13, 14)] == [True, False, True]
    assert WITH_LUNCH.add(moscow(3, 12, 30), timedelta(hours=1)) == moscow(3, 14, 30)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        pytest.param(moscow(3, 12), moscow(3, 12), id="open already"),
        pytest.param(moscow(3, 3), moscow(3, 9), id="at night"),
        pytest.param(moscow(3, 18), moscow(4, 9), id="at closing"),
        pytest.param(moscow(7, 18, 30), moscow(10, 9), id="Friday evening"),
    ],
)
def test_next_open(at: datetime, expected: datetime) -> None:
    """An open moment is its own answer, a closed one gives the next opening, in UTC."""
    opening = OFFICE.next_open(at)
    assert opening == expected
    assert opening.tzinfo is UTC


@pytest.mark.parametrize(
    ("at", "duration", "expected"),
    [
        pytest.param(moscow(3, 12), timedelta(hours=2), moscow(3, 14), id="within a day"),
        pytest.param(moscow(3, 17), timedelta(hours=1), moscow(3, 18), id="up to closing"),
        pytest.param(moscow(3, 17), timedelta(hours=2), moscow(4, 10), id="over a night"),
        pytest.param(moscow(7, 17), timedelta(hours=2), moscow(10, 10), id="over a weekend"),
        pytest.param(moscow(1, 12), timedelta(hours=2), moscow(3, 11), id="from a closed day"),
        pytest.param(moscow(3, 9), timedelta(hours=45), moscow(7, 18), id="a week's hours"),
        pytest.param(moscow(3, 20), timedelta(), moscow(4, 9), id="nothing"),
    ],
)
def test_add(at: datetime, duration: timedelta, expected: datetime) -> None:
    """Only working time is counted."""
    assert OFFICE.add(at, duration) == expected


def test_holidays_and_extra_days() -> None:
    """A holiday is closed; an extra day has its own hours, on a weekend, on a holiday and on a plain day."""
    calendar = WorkCalendar(
        holidays=frozenset({date(2025, 11, 3), date(2025, 11, 4)}),
        extra_days={date(2025, 11, 1): "10:00-16:00", date(2025, 11, 4): "12:00-13:00", date(2025, 11, 5): "closed"},
    )
    assert calendar.next_open(moscow(1, 0)) == moscow(1, 10)
    assert calendar.next_open(moscow(1, 16)) == moscow(4, 12)
    assert calendar.add(moscow(1, 15), timedelta(hours=3)) == moscow(6, 10)


def test_work_over_midnight() -> None:
    """Work over midnight, written on both days, counts through it."""
    calendar = WorkCalendar(monday="22:00-24:00", tuesday="00:00-06:00")
    assert calendar.is_open(moscow(4, 0))
    assert calendar.add(moscow(3, 23), timedelta(hours=3)) == moscow(4, 2)


def test_clocks_forward() -> None:
    """A skipped hour is not worked: the 23-hour day of Berlin has 23 hours."""
    start = datetime(2026, 3, 29, tzinfo=BERLIN)
    assert ROUND_THE_CLOCK.add(start, timedelta(hours=23)) == datetime(2026, 3, 30, tzinfo=BERLIN)
    night = WorkCalendar(timezone="Europe/Berlin", sunday="02:30-03:15")
    skip = datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert night.next_open(start) == skip
    assert night.add(start, timedelta(minutes=15)) == skip + timedelta(minutes=15)
    skipped = WorkCalendar(timezone="Europe/Berlin", sunday="02:10-02:50", monday="closed")
    assert skipped.next_open(start) == datetime(2026, 3, 31, 9, tzinfo=BERLIN)


def test_clocks_back() -> None:
    """A repeated hour means its first time, and the 25-hour day of Berlin has 25 hours."""
    start = datetime(2026, 10, 25, tzinfo=BERLIN)
    assert ROUND_THE_CLOCK.add(start, timedelta(hours=25)) == datetime(2026, 10, 26, tzinfo=BERLIN)
    night = WorkCalendar(timezone="Europe/Berlin", sunday="02:15-02:45")
    assert night.is_open(datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN))
    assert not night.is_open(datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=1))


def test_clocks_back_at_midnight() -> None:
    """Where midnight comes twice, the hour before it stays open both times."""
    cuba = WorkCalendar(timezone="America/Havana", saturday="00:00-24:00", sunday="00:00-24:00")
    start = datetime(2025, 11, 2, tzinfo=ZoneInfo("America/Havana"))
    assert all(cuba.is_open(start + timedelta(minutes=10 * step)) for step in range(24 * 6))


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"timezone": "Moscow"}, "'Moscow' is no time zone; write one like Europe/Moscow"),
        ({"timezone": "../etc"}, "'../etc' is no time zone"),
        ({"monday": "nine to five"}, "'nine to five' are no hours; write them like 09:00-18:00, or closed"),
        ({"monday": "18:00-09:00"}, "'18:00-09:00' do not run forwards within one day"),
        ({"monday": "09:00-24:30"}, "'09:00-24:30' do not run forwards within one day"),
        ({"monday": "09:00-13:00,12:00-18:00"}, "'09:00-13:00,12:00-18:00' do not run forwards"),
        ({"sunday": "9-18"}, "'9-18' are no hours"),
        ({"extra_days": {"2025-11-01": "all day"}}, "'all day' are no hours"),
        (dict.fromkeys(("monday", "tuesday", "wednesday", "thursday", "friday"), "closed"), "no weekday is open"),
        ({"mondays": "09:00-18:00"}, "Extra inputs are not permitted"),
    ],
)
def test_refused(values: dict[str, object], fault: str) -> None:
    """A calendar that cannot be read is refused with what is wrong and what to write."""
    with pytest.raises(ValidationError) as caught:
        WorkCalendar.model_validate(values)
    assert fault in str(caught.value)


def test_naive_times_are_refused() -> None:
    """Every question about a naive time is refused by name."""
    naive = datetime(2025, 11, 3, 12)
    for ask in (OFFICE.is_open, OFFICE.next_open, lambda at: OFFICE.add(at, timedelta(hours=1))):
        with pytest.raises(ValueError, match="2025-11-03T12:00:00 is naive; give it a time zone"):
            ask(naive)


def test_add_refuses_what_has_no_end() -> None:
    """A negative duration and one beyond the horizon are refused."""
    with pytest.raises(ValueError, match="is negative; working time is counted forwards only"):
        OFFICE.add(moscow(3, 9), timedelta(seconds=-1))
    with pytest.raises(ValueError, match="has too little working time after it within 3660 days"):
        OFFICE.add(moscow(3, 9), HORIZON)


def test_round_trip() -> None:
    """A calendar comes back from its own JSON."""
    calendar = WorkCalendar(holidays=frozenset({date(2025, 11, 3)}), extra_days={date(2025, 11, 1): "10:00-16:00"})
    assert WorkCalendar.model_validate_json(calendar.model_dump_json()) == calendar


hours = st.one_of(
    st.just("closed"),
    st.lists(st.integers(0, 24 * 12), min_size=2, max_size=4, unique=True)
    .filter(lambda marks: len(marks) % 2 == 0)
    .map(sorted)
    .map(lambda marks: ",".join(f"{clock(a)}-{clock(b)}" for a, b in zip(marks[::2], marks[1::2], strict=True))),
)


def clock(mark: int) -> str:
    return f"{mark // 12:02d}:{mark % 12 * 5:02d}"


calendars = st.builds(
    WorkCalendar,
    timezone=st.sampled_from(
        ["Europe/Moscow", "Europe/Berlin", "Asia/Almaty", "America/Havana", "Australia/Lord_Howe"]
    ),
    monday=st.just("09:00-18:00"),
    tuesday=hours,
    saturday=hours,
    sunday=hours,
    holidays=st.frozensets(st.dates(date(2026, 3, 20), date(2026, 4, 10)), max_size=5),
    extra_days=st.dictionaries(st.dates(date(2026, 3, 20), date(2026, 4, 10)), hours, max_size=3),
)
moments = st.datetimes(datetime(2026, 3, 20), datetime(2026, 11, 10), timezones=st.just(UTC))
durations = st.timedeltas(timedelta(minutes=1), timedelta(hours=60))


@settings(max_examples=150, deadline=None)
@given(calendars, moments)
def test_next_open_is_the_first_open_moment(calendar: WorkCalendar, at: datetime) -> None:
    """What comes back is open and not before `at`, and no full minute between is open."""
    opening = calendar.next_open(at)
    assert opening >= at
    assert calendar.is_open(opening)
    steps = min(int((opening - at) / timedelta(minutes=37)), 60)
    assert not any(calendar.is_open(at + timedelta(minutes=37) * step) for step in range(steps))


@settings(max_examples=150, deadline=None)
@given(calendars, moments, durations, durations)
def test_durations_add_up(calendar: WorkCalendar, at: datetime, one: timedelta, other: timedelta) -> None:
    """Two durations one after the other end where their sum ends."""
    assert calendar.add(calendar.add(at, one), other) == calendar.add(at, one + other)


@settings(max_examples=40, deadline=None)
@given(calendars, moments.map(lambda at: at.replace(second=0, microsecond=0)), st.integers(1, 240))
def test_minutes_counted_one_by_one(calendar: WorkCalendar, at: datetime, minutes: int) -> None:
    """Exactly the asked number of open minutes lies between the start and the end."""
    end = calendar.add(at, timedelta(minutes=minutes))
    moment, counted = calendar.next_open(at), 0
    while moment < end:
        counted += calendar.is_open(moment)
        moment = calendar.next_open(moment + timedelta(minutes=1))
    assert counted == minutes
