"""Old call tasks that nobody needs any more: which they are, and their completion."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from crmkit.models import Deal, Task
from crmkit.values import Kind, Ref
from crmkit_call_tasks.conversation import COLLECTION, Conversation, Sound
from crmkit_call_tasks.planning import Ctx
from crmkit_call_tasks.settings import CallTaskSettings

BATCH = 200
"""Deals looked up in one go."""


@dataclass(frozen=True, slots=True)
class Junk:
    """A task that can go; `why` is the key of a text."""

    task: Task
    why: str


@dataclass(frozen=True, slots=True)
class Beside:
    """What is known beside the tasks: the deals that are closed, and when somebody last talked to whom."""

    closed: frozenset[Ref] = frozenset()
    talked: Mapping[Ref, datetime] | None = None


def is_call_task(task: Task, settings: CallTaskSettings) -> bool:
    """The text begins like a call task, ours or of another integration."""
    text = task.text.casefold().lstrip()
    return any(text.startswith(beginning.casefold()) for beginning in settings.junk_texts)


def junk_among(tasks: Sequence[Task], beside: Beside, now: datetime, settings: CallTaskSettings) -> list[Junk]:
    """The open call tasks that can go, oldest first; of several on one card the newest stays.

    A task goes when its deal is closed, when somebody has talked to the client since, when a newer one stands on the
    same card, or when it is overdue for longer than the settings allow.
    """
    found: list[Junk] = []
    seen: set[Ref] = set()
    for task in sorted(tasks, key=_made, reverse=True):
        if task.is_done or not is_call_task(task, settings):
            continue
        why = _why(task, beside, now, settings, has_newer=task.about in seen)
        if why is not None:
            found.append(Junk(task, why))
        elif task.about is not None:
            seen.add(task.about)
    return found[::-1]


def sweep(ctx: Ctx, *, is_dry: bool) -> Iterator[Junk]:
    """Yield each junk task, completed before it is yielded unless `is_dry`; reads every task of the account."""
    tasks = [task for task in ctx.crm.tasks.iterate() if not task.is_done and is_call_task(task, ctx.settings)]
    beside = Beside(_closed_deals(tasks, ctx), _talks(ctx))
    for junk in junk_among(tasks, beside, ctx.now, ctx.settings):
        if not is_dry:
            ctx.crm.tasks.complete(junk.task.ref)
        yield junk


def _why(task: Task, beside: Beside, now: datetime, settings: CallTaskSettings, *, has_newer: bool) -> str | None:
    if task.about in beside.closed:
        return "junk_closed"
    talked = (beside.talked or {}).get(task.about) if task.about else None
    if talked is not None and talked > _made(task):
        return "junk_talked"
    if has_newer:
        return "junk_double"
    return "junk_old" if task.due is not None and now - task.due > settings.junk_after else None


def _made(task: Task) -> datetime:
    return task.created_at or task.due or _EPOCH


def _closed_deals(tasks: Iterable[Task], ctx: Ctx) -> frozenset[Ref]:
    deals = list({task.about for task in tasks if task.about is not None and task.about.kind is Kind.DEAL})
    pieces = (deals[start : start + BATCH] for start in range(0, len(deals), BATCH))
    found: list[Deal] = [deal for piece in pieces for deal in ctx.crm.deals.get_many(piece).values()]
    return frozenset(deal.ref for deal in found if deal.is_closed)


def _talks(ctx: Ctx) -> Mapping[Ref, datetime]:
    """When somebody last talked to the client whose number's conversation is about that card."""
    found: dict[Ref, datetime] = {}
    for _, document in ctx.store.scan(COLLECTION):
        conversation = Conversation.model_validate(document)
        ends = [one.at for one in conversation.heard if one.sound is Sound.TALKED]
        cards = (conversation.contact, conversation.task.about if conversation.task else None)
        for card in cards:
            if card is not None and ends:
                found[card] = max(ends)
    return found


_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
