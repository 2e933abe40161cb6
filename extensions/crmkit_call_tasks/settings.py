"""What an operator may set of call-tasks."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from crmkit.assignment import Policy
from crmkit.settings import Settings
from crmkit.worktime import WorkCalendar


def _has_digits(pattern: str) -> str:
    if not any(map(str.isdecimal, pattern)) or "*" in pattern[:-1]:
        raise ValueError(f"{pattern!r} is neither a number nor the beginning of one with * behind it")
    return pattern


NumberPattern = Annotated[str, AfterValidator(_has_digits)]
"""A whole number in any spelling, or its beginning and `*`: `+7 495 123-45-67`, `8800*`."""


class CallTaskSettings(Settings):
    """Every rule has its switch here; the defaults suit a sales team in office hours.

    Args:
        due_in: working time in which a missed call is to be answered.
        hours: when people work; its zone is the account's unless it is set.
        stale_after: calls that we hear of later than this make no task.
        own_numbers: lines and test phones of the company.
        blacklist: numbers whose calls are dropped.
        accidental_s: a call of so many seconds in all, or an answered one of so many seconds of talk, is a slip of
            the finger; 0 switches the rule off. A known client who rang and was missed is called back all the same.
        short_talk_s: an answered call with less talk is no conversation.
        short_wait: so long a client may take to call again before a short call counts as missed; 0 drops short calls.
        close_talk_s: talk that settles an open call-back task.
        robot_calls: more short calls than this in an hour from an unknown number put it under review; 0 switches off.
        failed_is_missed: an incoming call that broke down technically is called back.
        anonymous_tasks: a missed call without a number makes a task for whoever has the turn.
        answered: after which conversations a next step is asked for: none, those of a contact with an open deal
            on which nothing is planned, or all on whose card nothing is planned.
        next_step_in: when the next step is due after the conversation.
        new_contacts: which unknown callers become contacts: none, those we missed, or those and all who talked to us.
        new_deals: a missed call of somebody without an open deal opens one.
        pipelines: ids of the pipelines whose deals count; empty means all.
        assign: who gets calls that have no owner.
        among: user ids to choose from; empty means all who are active.
        fixed: the user id for `assign = "fixed"`.
        keep_calls: calls of an outside telephony are entered into the CRM, with their recording.
        task_type: the vendor's id of the type that the tasks get.
        junk_after: open call-back tasks overdue for longer are swept away.
        junk_texts: beginnings of texts by which the sweep knows call tasks of other integrations.
    """

    due_in: timedelta = Field(default=timedelta(minutes=30), ge=timedelta(0))
    hours: WorkCalendar = WorkCalendar()
    stale_after: timedelta = timedelta(days=3)

    own_numbers: tuple[NumberPattern, ...] = ()
    blacklist: tuple[NumberPattern, ...] = ()
    accidental_s: int = Field(default=3, ge=0)
    short_talk_s: int = Field(default=5, ge=0)
    short_wait: timedelta = Field(default=timedelta(minutes=10), ge=timedelta(0))
    close_talk_s: int = Field(default=10, ge=0)
    robot_calls: int = Field(default=5, ge=0)
    failed_is_missed: bool = True
    anonymous_tasks: bool = False

    answered: Literal["never", "open_deal", "always"] = "open_deal"
    next_step_in: timedelta = Field(default=timedelta(days=1), ge=timedelta(0))

    new_contacts: Literal["never", "missed", "all"] = "all"
    new_deals: bool = False
    pipelines: tuple[str, ...] = ()
    assign: Policy = "round_robin"
    among: tuple[str, ...] = ()
    fixed: str | None = None
    keep_calls: bool = True
    task_type: str | None = None

    junk_after: timedelta = timedelta(days=30)
    junk_texts: tuple[str, ...] = ("перезвон", "пропущен", "call back", "missed call")
