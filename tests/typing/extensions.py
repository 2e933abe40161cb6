"""Types that a consumer sees of an extension, its handlers and their context."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import assert_type

from crmkit import (
    Account,
    CallFinished,
    Context,
    Crm,
    Deal,
    DealCreated,
    DealStageChanged,
    DealUpdated,
    Extension,
    Ref,
    Settings,
    StageRef,
)
from crmkit.assignment import Choice
from crmkit.extension import Progress, Said
from crmkit.panel import PanelData, Row, View
from crmkit.settings import NoSettings
from crmkit.testing import MemoryCrm, Outcome, context, run


class FollowUpSettings(Settings):
    """Settings of the extension below."""

    due_in: timedelta = timedelta(hours=2)


follow_up = Extension("follow-up", settings=FollowUpSettings)
plain = Extension("plain")


@follow_up.on(CallFinished)
def call_back(event: CallFinished, ctx: Context[FollowUpSettings]) -> None:
    """A handler knows its event and its settings."""
    assert_type(ctx.settings, FollowUpSettings)
    assert_type(ctx.settings.due_in, timedelta)
    assert_type(ctx.crm, Crm)
    assert_type(ctx.account, Account)
    assert_type(ctx.now, datetime)
    assert_type(ctx.assign("owner", owner_id="1"), Choice)
    assert_type(ctx.mirror.get(Deal, event.ref), Deal | None)
    assert_type(ctx.mirror.get_many(Deal, [event.ref]), Mapping[Ref, Deal])
    ctx.settings.due_inn  # type: ignore[attr-defined]  # noqa: B018
    ctx.assign("somebody")  # type: ignore[arg-type]


@follow_up.every("0 3 * * *")
def nightly(ctx: Context[FollowUpSettings]) -> None:
    """A job gets the context alone."""


@follow_up.every(lambda settings: "0 3 * * *" if settings.due_in else "")
def when_the_operator_says(ctx: Context[FollowUpSettings]) -> None:
    """The settings that choose the hour are the extension's own."""


@follow_up.command("tidy", "Put things in order.")
def tidy(ctx: Context[FollowUpSettings], words: Sequence[str]) -> Iterator[Said]:
    """A command yields lines and its progress."""
    yield Progress("tidying", 1, 2)
    yield "done"


def more(ctx: Context[FollowUpSettings], key: str) -> Sequence[str]:
    """What is told of one row."""
    return [key]


@follow_up.panel("review", "На проверку / For review", open_=more)
def review(ctx: Context[FollowUpSettings]) -> PanelData:
    """A page of the console."""
    return PanelData(columns=["who"], rows=[Row("a", ("Мария",), ("her card",), ())])


@follow_up.long_panel("all", "Все / All")
def everything(ctx: Context[FollowUpSettings], view: View) -> PanelData:
    """A page of the console with thousands of rows."""
    return PanelData(columns=["who"], rows=[Row(view.key or "a", (view.after,))], next="a")


@plain.on(DealCreated)
def created(event: DealCreated, ctx: Context[NoSettings]) -> None:
    """An extension without settings."""
    assert_type(event.deal, Deal)


def events_know_what_they_bring(moved: DealStageChanged, updated: DealUpdated) -> None:
    """Before and after have the types of their event."""
    assert_type(moved.before, StageRef | None)
    assert_type(moved.after, StageRef)
    assert_type(updated.before, Deal | None)
    assert_type(updated.changed, frozenset[str])


def a_wrong_handler_does_not_check() -> None:
    """A handler of another event, of other settings, or with another shape is refused before it runs."""

    def of_calls(event: CallFinished, ctx: Context[FollowUpSettings]) -> None: ...

    def without_context(event: DealCreated) -> None: ...

    follow_up.on(DealCreated)(of_calls)  # type: ignore[arg-type]
    plain.on(CallFinished)(of_calls)  # type: ignore[arg-type]
    plain.on(DealCreated)(without_context)  # type: ignore[arg-type]
    follow_up.every("0 3 * * *")(of_calls)  # type: ignore[arg-type]


def a_test_knows_its_outcome(event: CallFinished) -> None:
    """The three lines of a test are typed."""
    memory = MemoryCrm()
    assert_type(run(follow_up, event, memory), Outcome)
    assert_type(context(follow_up, memory), Context[FollowUpSettings])
    assert_type(memory.crm, Crm)
    run(follow_up, event, memory, settings=NoSettings())  # type: ignore[misc]
