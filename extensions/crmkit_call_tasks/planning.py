"""From a call to a plan: what the CRM and our own memory know, the decision, and the people it concerns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from crmkit.extension import Context
from crmkit.models import Call, Task
from crmkit_call_tasks.conversation import Action, Conversation, Decision, Plan
from crmkit_call_tasks.party import Party, find_party
from crmkit_call_tasks.rules import Facts, decide, screen
from crmkit_call_tasks.settings import CallTaskSettings
from crmkit_call_tasks.texts import Words

BLOCKED = "blocked"
"""Collection of the numbers that a person has called robots."""

TRUSTED = "trusted"
"""Collection of the numbers that a person has called clients although they looked like robots."""

Ctx = Context[CallTaskSettings]
Judge = Callable[[Call, Facts, CallTaskSettings], Decision]

_OWNED = frozenset({Action.CALL_BACK, Action.NEXT_STEP})
_ON_TASK = frozenset({Action.RAISE, Action.ATTEMPT})


def words_of(ctx: Ctx) -> Words:
    """The words in the service's language and the time zone of the account's people."""
    return Words(ctx.language, facts_of(ctx).calendar.timezone)


def facts_of(ctx: Ctx) -> Facts:
    """What every decision in the account stands on: the time, the working hours, the country."""
    hours = ctx.settings.hours
    if "timezone" not in hours.model_fields_set:
        hours = hours.model_copy(update={"timezone": ctx.account.timezone})
    return Facts(now=ctx.now, calendar=hours, country=ctx.account.country)


def plan_for(call: Call, conversation: Conversation, ctx: Ctx, *, call_id: str, judge: Judge = decide) -> Plan:
    """What is to be done about the call; the plan of an interrupted run is taken up where it still holds.

    Asks the CRM only about calls that are neither junk nor anonymous.
    """
    task = _open_task(conversation, ctx)
    begun = conversation.plan
    if begun is not None and begun.call_id == call_id and (task is not None or begun.decision.action not in _ON_TASK):
        return begun
    facts = replace(
        facts_of(ctx),
        history=[heard for heard in conversation.heard if heard.id != call_id],
        is_blocked=ctx.store.get(BLOCKED, conversation.key) is not None,
        open_task=conversation.task if task is not None else None,
    )
    plain = screen(call, facts, ctx.settings) if judge is decide else None
    if plain is not None:
        return _plan(call, plain, Party(), task, call_id, ctx)
    party = find_party(call, conversation.contact, ctx.crm, ctx.settings)
    facts = replace(
        facts,
        is_known=party.is_known or ctx.store.get(TRUSTED, conversation.key) is not None,
        has_open_deal=party.deal is not None,
        has_other_task=_is_planned(call, party, task, ctx),
    )
    return _plan(call, judge(call, facts, ctx.settings), party, task, call_id, ctx)


def _plan(call: Call, decision: Decision, party: Party, task: Task | None, call_id: str, ctx: Ctx) -> Plan:
    words = words_of(ctx)
    remarks: list[str] = []
    acts = decision.action is not Action.DROP and decision.action is not Action.REVIEW
    if party.namesakes > 1 and acts:
        remarks.append(words.say("shared", count=party.namesakes, name=party.name or str(party.card)))
    owner_id = party.owner_id
    if decision.action in _OWNED or (decision.makes_contact and not party.is_known):
        owner_id, why = _choose(party, ctx)
        remarks.append(words.say(why, owner=owner_id or "", left=party.owner_id or ""))
    return Plan(
        call_id=call_id,
        decision=decision,
        began=call.started_at or ctx.now,
        contact=party.contact.ref if party.contact else None,
        company=party.company.ref if party.company else None,
        deal=party.deal.ref if party.deal else None,
        name=party.name,
        owner_id=owner_id,
        task_text=task.text if task is not None else "",
        remarks=tuple(remarks),
    )


def _choose(party: Party, ctx: Ctx) -> tuple[str | None, str]:
    """The user and the words why: whoever looks after the client keeps them, else the settings say whose turn it is."""
    settings = ctx.settings
    policy = "owner" if party.owner_id else settings.assign
    found = ctx.assign(policy, owner_id=party.owner_id, among=settings.among, fixed=settings.fixed).user_id
    if found is None:
        return None, "owner_nobody"
    if party.owner_id is not None:
        return found, "owner_keeps" if found == party.owner_id else "owner_left"
    if settings.assign == "fixed" and found == settings.fixed:
        return found, "owner_fixed"
    return found, "owner_least" if settings.assign == "least_loaded" else "owner_turn"


def _open_task(conversation: Conversation, ctx: Ctx) -> Task | None:
    """Our call-back task as it is now; None when there is none, or a person has done or deleted it."""
    if conversation.task is None:
        return None
    found = ctx.crm.tasks.get_many([conversation.task.ref]).get(conversation.task.ref)
    return found if found is not None and not found.is_done else None


def _is_planned(call: Call, party: Party, task: Task | None, ctx: Ctx) -> bool:
    """Something is to be done on the card beside our call-back task; asked only where it decides."""
    if not call.talk_s or party.card is None or ctx.settings.answered == "never":
        return False
    ours = task.ref if task is not None else None
    return any(one.ref != ours for one in ctx.crm.tasks.find(about=party.card, is_open=True))
