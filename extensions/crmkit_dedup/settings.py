"""What an operator may set of dedup."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import Field

from crmkit.settings import Settings
from crmkit_dedup.survivor import MergeRules

SureAct = Literal["merge", "task", "tag", "queue"]
"""What may be done about records that need no asking."""

DoubtAct = Literal["task", "tag", "queue"]
"""What may be done about records that a person has to look at."""

Books = Literal["contacts", "companies", "deals"]
"""What a scan goes through."""


class DedupSettings(Settings):
    """The defaults change nothing in the CRM: duplicates wait in the queue for a person.

    Args:
        auto: what happens to duplicates that need no asking: `merge` merges them, `task` asks whoever owns the
            record, `tag` marks the newer ones, `queue` only shows them. They are in the queue in any case.
        review: the same for those that a person has to look at.
        live: a record is checked when it is made and when what it is compared by changes.
        scan: when everything is gone through, as a cron line in the account's time zone; empty for never.
        kinds: what a scan goes through; the live check looks at contacts and companies of these.
        per_run: how many findings one scan merges, makes tasks for or tags; the rest waits for the next one.
        task_in: when the task is due.
        task_type: the vendor's id of the type that the tasks get.
        tag: what the newer records are marked with.
        later: how long a duplicate that a person has put off stays out of sight.
        own_phones: the company's own numbers, which identify nobody.
        merge: how records are merged, and which are left to a person; see `MergeRules`.
    """

    auto: SureAct = "queue"
    review: DoubtAct = "queue"
    live: bool = True
    scan: str = "0 3 * * *"
    kinds: tuple[Books, ...] = ("contacts", "companies", "deals")
    per_run: int = Field(default=50, ge=0)
    task_in: timedelta = Field(default=timedelta(days=1), ge=timedelta(0))
    task_type: str | None = None
    tag: str = Field(default="дубль?", min_length=1)
    later: timedelta = Field(default=timedelta(days=14), ge=timedelta(0))
    own_phones: tuple[str, ...] = ()
    merge: MergeRules = MergeRules()
