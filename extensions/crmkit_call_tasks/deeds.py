"""What a plan does in the CRM: each write once, however often the run is repeated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from crmkit.adapter import Capability, Level
from crmkit.errors import NotFound
from crmkit.models import Call, Contact, Deal, Note, Phone, Record, Task, TaskChanges
from crmkit.values import Json, Ref
from crmkit_call_tasks.conversation import Action, Conversation, OpenTask, Plan, card_of
from crmkit_call_tasks.planning import Ctx, words_of
from crmkit_call_tasks.texts import Words, length_of, number_of

R = TypeVar("R", bound=Record)

REVIEW = "review"
"""Collection of the numbers that look like robots."""

TIMER = "short:"
"""Beginning of the key of the timer that waits for a second call; the conversation's key follows."""


@dataclass(slots=True)
class Deeds:
    """One plan being carried out.

    Args:
        conversation: grows with each deed; to be saved at the end.
        said: what was done, for the record of the run.
        is_idle: nothing was written.
    """

    call: Call
    plan: Plan
    conversation: Conversation
    ctx: Ctx
    said: list[str] = field(default_factory=list)
    is_idle: bool = True

    @property
    def words(self) -> Words:
        """The words that people read."""
        return words_of(self.ctx)

    def carry_out(self) -> None:
        """Do what the plan says. Raises what the CRM raises; doing it again goes on where it broke off."""
        self.said += [self.words.reason(self.plan.decision), *self.plan.remarks]
        self._prepare_card()
        if self.plan.decision.keeps_call and self.ctx.settings.keep_calls:
            self._keep_call()
        if self.plan.decision.closes_task:
            self._close_task()
        deeds: Mapping[Action, Callable[[], None]] = {
            Action.CALL_BACK: self._create_task,
            Action.RAISE: self._raise_task,
            Action.ATTEMPT: self._note_attempt,
            Action.NEXT_STEP: self._next_step,
            Action.REVIEW: self._review,
            Action.WAIT: self._wait,
        }
        deed = deeds.get(self.plan.decision.action)
        if deed is not None:
            deed()

    def _prepare_card(self) -> None:
        if self.plan.decision.makes_contact and self.plan.card is None:
            self._make_contact()
        if self.plan.contact is not None:
            self._remember(contact=self.plan.contact)
        is_new = self.plan.decision.action is Action.CALL_BACK and self.plan.deal is None
        if self.ctx.settings.new_deals and is_new:
            self._make_deal()

    def _make_contact(self) -> None:
        phone = self.call.phone
        if phone is None or phone.e164 is None:
            return
        made = self.conversation.contacts_made
        # A contact that somebody has deleted is not brought back by its key: the next one has a key of its own.
        once = f"contact:{phone.e164}" + (f":{made}" if made else "")
        draft = Contact(name=phone.e164, phones=(Phone(raw=phone.e164, e164=phone.e164),))
        ref = self.ctx.crm.contacts.create(self._owned(draft), once=once)
        self.plan = self.plan.model_copy(update={"contact": ref})
        self._remember(contact=ref, contacts_made=made + 1)
        self._did("new_contact")

    def _make_deal(self) -> None:
        if self.plan.contact is None:
            return
        title = self.words.say("caller", number=number_of(self.call) or "")
        draft = Deal(title=title, contacts=(self.plan.contact,))
        ref = self.ctx.crm.deals.create(self._owned(draft), once=f"deal:{self.plan.call_id}")
        self.plan = self.plan.model_copy(update={"deal": ref})
        self._did("new_deal")

    def _keep_call(self) -> None:
        """Enter the call into the CRM's log, or on a card where it has none. The CRM's own calls are there already."""
        is_own = self.call.provider in ("", self.ctx.crm.vendor) or card_of(self.call) is not None
        card = self.plan.card
        if is_own or card is None:
            return
        once = f"call-log:{self.call.ref.id}"
        if self.ctx.crm.supports(Capability.LOG_CALLS) is not Level.ABSENT and number_of(self.call):
            known = {"contact": self.plan.contact, "company": self.plan.company, "deal": self.plan.deal}
            call = self.call.model_copy(update={name: ref for name, ref in known.items() if ref} | {"raw": {}})
            if self.ctx.crm.calls.log(self._owned(call), once=once) is None:
                self.said.append(self.words.say("not_logged"))
                return
        elif self.ctx.crm.supports(Capability.NOTES) is not Level.ABSENT:
            self.ctx.crm.notes.create(Note(about=card, text=self.words.log(self.call, self.plan.began)), once=once)
        else:
            return
        self._did("logged")

    def _close_task(self) -> None:
        task = self.conversation.task
        if task is None:
            return
        result = self.words.say(
            "closed_result", at=self.words.time(self.plan.began), length=length_of(self.call.talk_s)
        )
        changes: TaskChanges = {"is_done": True, "result": result}
        self._did(
            "closed" if self._update(task.ref, changes, once=f"close:{self.plan.call_id}") else "nothing_to_close"
        )
        self._remember(task=None)

    def _create_task(self) -> None:
        headline = self.words.call_back(self.call, self.plan)
        ref = self._create(headline, once=f"call-back:{self.plan.call_id}")
        task = OpenTask(
            ref=ref, about=self.plan.card, last_call_at=self.plan.began, headline=headline, written=headline
        )
        self._remember(task=task)

    def _raise_task(self) -> None:
        task = self.conversation.task
        if task is None:
            self._create_task()
            return
        # News of an earlier call may come late: the text tells of the last one.
        is_last = self.plan.began >= task.last_call_at
        headline = self.words.call_back(self.call, self.plan) if is_last else task.headline
        raised = task.model_copy(
            update={
                "count": self.plan.decision.count,
                "headline": headline,
                "last_call_at": max(task.last_call_at, self.plan.began),
            }
        )
        changes: TaskChanges = {"due": self.plan.decision.due} if self.plan.decision.due else {}
        if not self._rewrite(task, raised, changes, once=f"raise:{self.plan.call_id}"):
            self._create_task()

    def _note_attempt(self) -> None:
        task = self.conversation.task
        if task is not None:
            tried = task.model_copy(update={"attempts": self.plan.decision.count})
            self._rewrite(task, tried, {}, once=f"attempt:{self.plan.call_id}")

    def _rewrite(self, before: OpenTask, after: OpenTask, changes: TaskChanges, *, once: str) -> bool:
        """Give the task its new text; what people have added to the old one stays."""
        counter = self.words.counter(after.count, after.attempts)
        written = f"{after.headline}. {counter}" if counter else after.headline
        current = self.plan.task_text
        text = current.replace(before.written, written) if before.written in current else written
        is_there = self._update(before.ref, {**changes, "text": text}, once=once)
        self._remember(task=after.model_copy(update={"written": written}) if is_there else None)
        return is_there

    def _update(self, ref: Ref, changes: TaskChanges, *, once: str) -> bool:
        """Change the task; False when somebody has deleted it meanwhile."""
        try:
            self.ctx.crm.tasks.update(ref, changes, once=once)
        except NotFound:
            return False
        self.is_idle = False
        return True

    def _create(self, text: str, *, once: str) -> Ref:
        draft = self._owned(Task(text=text, due=self.plan.decision.due, about=self.plan.card))
        if self.ctx.settings.task_type:
            draft = draft.model_copy(update={"task_type": self.ctx.settings.task_type})
        self.is_idle = False
        return self.ctx.crm.tasks.create(draft, once=once)

    def _next_step(self) -> None:
        self._create(self.words.next_step(self.call, self.plan), once=f"next-step:{self.plan.call_id}")

    def _review(self) -> None:
        document: Mapping[str, Json] = {"count": self.plan.decision.count, "last": self.plan.began.isoformat()}
        self.ctx.store.put(REVIEW, self.conversation.key, document)

    def _wait(self) -> None:
        if self.plan.decision.due is not None:
            self.ctx.later(self.plan.decision.due, f"{TIMER}{self.conversation.key}")
            self._remember(waiting=self.call.model_copy(update={"raw": {}}))

    def _owned(self, draft: R) -> R:
        # A field that is set is sent: without an owner the CRM is to choose its own.
        return draft.model_copy(update={"owner_id": self.plan.owner_id}) if self.plan.owner_id else draft

    def _remember(self, **values: object) -> None:
        self.conversation = self.conversation.model_copy(update=values)

    def _did(self, key: str) -> None:
        self.said.append(self.words.say(key))
        self.is_idle = False
