"""call-tasks: each conversation that deserves one becomes one task, and every other call a reason why not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from crmkit.adapter import Capability
from crmkit.errors import ConfigError
from crmkit.events import CallFinished, TimerFired
from crmkit.extension import Extension
from crmkit.models import Call, Task
from crmkit.panel import PanelData, Row
from crmkit.values import Kind
from crmkit_call_tasks.conversation import COLLECTION, Action, Conversation, Heard, Reason, Sound, key_of, load, save
from crmkit_call_tasks.deeds import REVIEW, TIMER, Deeds
from crmkit_call_tasks.planning import BLOCKED, TRUSTED, Ctx, Judge, plan_for, words_of
from crmkit_call_tasks.rules import after_silence, decide, sound_of
from crmkit_call_tasks.settings import CallTaskSettings
from crmkit_call_tasks.sweep import sweep

FORGOTTEN_AFTER = timedelta(days=30)
"""A number without an open task whose last call is older leaves no trace."""

call_tasks = Extension(
    "call-tasks",
    settings=CallTaskSettings,
    requires={Capability.TASKS, Capability.CONTACTS, Capability.DEALS, Capability.FIND_BY_PHONE},
    # Who has the fewest open tasks is counted in the mirror.
    reads={Kind.TASK},
)


@call_tasks.on(CallFinished)
def weigh_call(event: CallFinished, ctx: Ctx) -> None:
    """Decide about a call and do what the decision says, once."""
    conversation = load(ctx.store, key_of(event.call))
    _deal_with(event.call, conversation, ctx, call_id=event.call.ref.id, judge=decide)


@call_tasks.on(TimerFired)
def end_waiting(event: TimerFired, ctx: Ctx) -> None:
    """Look whether a client whose call broke off has called again; else have them called back."""
    conversation = load(ctx.store, event.key.removeprefix(TIMER))
    waiting = conversation.waiting
    if waiting is None or waiting.ref != event.ref:
        ctx.skip(words_of(ctx).say("called_again"))
        return
    _deal_with(waiting, conversation, ctx, call_id=f"{waiting.ref.id}:silence", judge=after_silence)


@call_tasks.every("40 3 * * *")
def forget_silent_numbers(ctx: Ctx) -> None:
    """Forget the numbers nobody has called from or to for a month."""
    conversations = [Conversation.model_validate(document) for _, document in ctx.store.scan(COLLECTION)]
    silent = [one.key for one in conversations if _is_silent(one, ctx)]
    for key in silent:
        ctx.store.delete(COLLECTION, key)
    ctx.explain(words_of(ctx).say("forgotten", count=len(silent)))


@call_tasks.command(
    "sweep",
    "закрыть старые ненужные задачи о звонках; без --apply только показать / "
    "complete old call tasks that nobody needs: a dry run unless --apply is given",
)
def sweep_tasks(ctx: Ctx, words: Sequence[str]) -> Iterator[str]:
    """Yield a line a task, and the sum. Raises ConfigError for a word it does not know."""
    unknown = [word for word in words if word != "--apply"]
    if unknown:
        raise ConfigError(f"sweep does not know {' '.join(unknown)}", remedy="It takes --apply, or nothing.")
    is_dry, said, count = "--apply" not in words, words_of(ctx), 0
    for junk in sweep(ctx, is_dry=is_dry):
        count += 1
        yield f"{junk.task.ref}  {said.say(junk.why)}  {junk.task.text}"
    yield said.say("swept_dry" if is_dry else "swept", count=count)


def act_on_review(ctx: Ctx, action: str, key: str) -> None:
    """`block` drops all further calls of the number, `trust` treats it as a client's from now on."""
    chosen, other = (BLOCKED, TRUSTED) if action == "block" else (TRUSTED, BLOCKED)
    ctx.store.put(chosen, key, {"since": ctx.now.isoformat()})
    ctx.store.delete(other, key)
    ctx.store.delete(REVIEW, key)


@call_tasks.panel("review", "Номера на проверку / Numbers for review", act=act_on_review)
def review(ctx: Ctx) -> PanelData:
    """The numbers that look like robots, for a person to decide."""
    said = words_of(ctx)
    rows = [
        Row(key, (key, str(document.get("count", "")), str(document.get("last", ""))))
        for key, document in ctx.store.scan(REVIEW)
    ]
    return PanelData(
        columns=[said.say(name) for name in ("number", "short_calls", "last_call")],
        rows=rows,
        actions={"block": said.say("block"), "trust": said.say("trust")},
        summary=said.say("reviewed", count=len(rows)),
    )


def _deal_with(call: Call, conversation: Conversation, ctx: Ctx, *, call_id: str, judge: Judge) -> None:
    past = conversation.past(call_id)
    if past is not None and not past.is_skipped:
        # All of it was done before it was remembered; a call that led to nothing is judged anew by today's settings.
        for reason in past.reasons:
            ctx.explain(reason)
        return
    plan = plan_for(call, conversation, ctx, call_id=call_id, judge=judge)
    # Written down before anything is done: a run that dies on the way is finished by its next attempt as it was meant.
    conversation = conversation.model_copy(update={"plan": plan})
    save(ctx.store, conversation)
    deeds = Deeds(call, plan, conversation, ctx)
    deeds.carry_out()
    # What a second source tells of is the call that was counted already.
    is_told = plan.decision.reason is Reason.OTHER_SOURCE
    is_quiet = deeds.is_idle and plan.decision.action is not Action.WAIT
    heard = Heard(
        id=call_id,
        provider=call.provider,
        at=plan.began,
        direction=call.direction,
        sound=Sound.OTHER if is_told else sound_of(call, ctx.settings),
        talk_s=call.talk_s,
        reasons=tuple(deeds.said),
        is_skipped=is_quiet,
    )
    save(ctx.store, deeds.conversation.hears(heard, is_dropped=plan.decision.action is Action.DROP))
    for reason in deeds.said[:-1] if is_quiet else deeds.said:
        ctx.explain(reason)
    if is_quiet:
        ctx.skip(deeds.said[-1])


def _is_silent(conversation: Conversation, ctx: Ctx) -> bool:
    last = max((one.at for one in conversation.heard), default=ctx.now)
    if conversation.plan is not None or ctx.now - last <= FORGOTTEN_AFTER:
        return False
    task = ctx.mirror.get(Task, conversation.task.ref) if conversation.task is not None else None
    return task is None or task.is_done
