"""Extensions: a handler that could not run is refused when its module is imported."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, Optional

import pytest

from crmkit import (
    CallFinished,
    Capability,
    ConfigError,
    Context,
    DealCreated,
    DealUpdated,
    Event,
    Extension,
    Kind,
    Settings,
    TimerFired,
)
from crmkit.panel import PanelData, title_of
from crmkit.settings import NoSettings


class OwnSettings(Settings):
    """Settings of the extensions below."""

    limit: int = 3


def handler(event: CallFinished, ctx: Context[OwnSettings]) -> None:
    """A right handler."""


def no_type(event, ctx: Context[OwnSettings]) -> None:  # type: ignore[no-untyped-def]
    """The event has no type."""


def other_event(event: DealCreated, ctx: Context[OwnSettings]) -> None:
    """It wants another event."""


def one_parameter(event: CallFinished) -> None:
    """It takes no context."""


def by_keyword(event: CallFinished, *, ctx: Context[OwnSettings]) -> None:
    """The context cannot be given by its place."""


def any_number(*given: object) -> None:
    """It takes whatever comes."""


def not_imported(event: Missing, ctx: Context[OwnSettings]) -> None:  # type: ignore[name-defined]  # noqa: F821
    """Its type is nowhere."""


async def asynchronous(event: CallFinished, ctx: Context[OwnSettings]) -> None:
    """Nobody awaits it."""


def generator(event: CallFinished, ctx: Context[OwnSettings]) -> Iterator[None]:
    """Nobody iterates over it."""
    yield


async def asynchronous_generator(event: CallFinished, ctx: Context[OwnSettings]) -> AsyncIterator[None]:
    """Nobody does either."""
    yield


def swapped(ctx: Context[OwnSettings], event: CallFinished) -> None:
    """The parameters stand in the wrong order."""


SHAPE = "It is called with (CallFinished, Context), by place."
NEVER = "would never run: calling it only makes an object. Write a plain `def`."
MISFIT = "but is called with CallFinished. Write CallFinished, or register it for what it takes."
WRONG: list[tuple[Any, str]] = [
    (no_type, "parameter event has no type. Write CallFinished."),
    (other_event, f"parameter event is {DealCreated!r}, {MISFIT}"),
    (one_parameter, f"takes (event: 'CallFinished'). {SHAPE}"),
    (by_keyword, f"takes (event: 'CallFinished', ctx: 'Context[OwnSettings]'). {SHAPE}"),
    (any_number, f"takes (*given: 'object'). {SHAPE}"),
    (not_imported, "name 'Missing' is not defined. Import the types at run time, not under TYPE_CHECKING."),
    (asynchronous, NEVER),
    (generator, NEVER),
    (asynchronous_generator, NEVER),
    (swapped, f"parameter ctx is {Context[OwnSettings]!r}, {MISFIT}"),
]


@pytest.mark.parametrize(("run", "fault"), WRONG, ids=lambda value: getattr(value, "__name__", ""))
def test_a_handler_that_could_not_run_is_refused(run: Any, fault: str) -> None:
    """The message names the extension, the function, the fault and the remedy, and nothing is registered."""
    extension = Extension("follow-up", settings=OwnSettings)
    with pytest.raises(ConfigError) as refused:
        extension.on(CallFinished)(run)
    said = str(refused.value).removeprefix(f"extension follow-up: {run.__name__}").removeprefix(":").strip()
    assert said == fault
    assert extension.subscriptions == []


def test_a_job_takes_the_context_alone() -> None:
    """A job with an event is refused as a handler without one is."""
    extension = Extension("follow-up", settings=OwnSettings)
    with pytest.raises(ConfigError, match=r"It is called with \(Context\), by place\."):
        extension.every("0 3 * * *")(handler)  # type: ignore[arg-type]
    assert extension.schedules == []


def any_event(event: Event, ctx: Context[OwnSettings]) -> None:
    """Takes every event."""


def two_events(event: CallFinished | TimerFired, ctx: Context[OwnSettings]) -> None:
    """Takes two."""


def or_none(event: Optional[CallFinished], ctx: Context[OwnSettings] | None) -> None:  # noqa: UP045
    """Takes more than it needs."""


def plain_context(event: CallFinished, ctx: Context) -> None:  # type: ignore[type-arg]
    """Does not say whose settings."""


@pytest.mark.parametrize("run", [handler, any_event, two_events, or_none, plain_context])
def test_a_handler_may_take_more_than_it_is_given(run: Any) -> None:
    """A base class, a union and an optional parameter accept the event."""
    extension = Extension("follow-up", settings=OwnSettings)
    assert extension.on(CallFinished)(run) is run
    assert [(one.name, one.event, one.run, one.own) for one in extension.subscriptions] == [
        (run.__name__, CallFinished, run, False)
    ]


def test_one_function_may_serve_several_events() -> None:
    """Each event it is registered for is a subscription of its own."""
    extension = Extension("follow-up", settings=OwnSettings)
    extension.on(CallFinished, own=True)(two_events)
    extension.on(TimerFired)(two_events)
    assert [(one.event, one.own) for one in extension.subscriptions] == [(CallFinished, True), (TimerFired, False)]


def test_a_name_means_one_function() -> None:
    """A stored run is found by its handler's name, so a second handler of the name would never run."""
    extension = Extension("follow-up", settings=OwnSettings)
    extension.on(CallFinished)(handler)

    @functools.wraps(handler)
    def another(event: CallFinished, ctx: Context[OwnSettings]) -> None:
        """Has the name of the first."""

    for again in (another, handler):
        with pytest.raises(ConfigError) as refused:
            extension.on(CallFinished)(again)
        assert str(refused.value) == (
            "extension follow-up: there is a handler handler already. "
            "Give each handler a name of its own; one function may serve several events."
        )
    assert len(extension.subscriptions) == 1


@pytest.mark.parametrize("name", ["", "Follow", "follow_up", "-a", "a-", "a--b", "звонки", "a b", "a²", "a/b", "a\n"])
def test_a_name_is_lower_case_words_with_dashes(name: str) -> None:
    """It stands in crmkit.toml, in lanes and on command lines."""
    with pytest.raises(ConfigError, match="lower-case words with dashes"):
        Extension(name)


def test_an_extension_says_what_it_needs() -> None:
    """Kinds to mirror are those of its events and those it reads; a timer is about no kind of its own."""
    extension = Extension("follow-up-2", settings=OwnSettings, requires={Capability.TASKS}, reads={Kind.TASK})
    extension.on(CallFinished)(handler)
    extension.on(TimerFired)(any_event)
    extension.on(DealUpdated)(any_event)
    assert extension.kinds == {Kind.CALL, Kind.TASK, Kind.DEAL}
    assert (extension.requires, extension.settings_type, repr(extension)) == (
        frozenset({Capability.TASKS}),
        OwnSettings,
        "Extension('follow-up-2')",
    )


def test_without_settings_there_is_nothing_to_set() -> None:
    """`settings=` may be left out."""
    assert Extension("plain").settings_type is NoSettings


def test_commands_and_panels_are_kept_in_order() -> None:
    """What the command line and the console show is what was registered."""
    extension = Extension("plain")

    @extension.command("sweep", "Clean up.")
    def sweep(ctx: Context[NoSettings], words: Sequence[str]) -> Iterator[str]:
        yield " ".join(words)

    def act(ctx: Context[NoSettings], action: str, key: str) -> None:
        """A button was pressed."""

    @extension.panel("numbers", "Numbers for review", act)
    def numbers(ctx: Context[NoSettings]) -> PanelData:
        return PanelData(columns=(), rows=())

    assert [(one.name, one.summary, one.run) for one in extension.commands] == [("sweep", "Clean up.", sweep)]
    assert [(one.name, one.title, one.load, one.act) for one in extension.panels] == [
        ("numbers", "Numbers for review", numbers, act)
    ]


def test_titles_are_read_in_one_language() -> None:
    """The Russian part stands first; a title in one language is that title."""
    assert [title_of("Дубли / Duplicates", language) for language in ("ru", "en")] == ["Дубли", "Duplicates"]
    assert [title_of("Numbers", language) for language in ("ru", "en")] == ["Numbers", "Numbers"]
