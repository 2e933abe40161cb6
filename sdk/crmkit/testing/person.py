"""A person who works in the memory CRM: changes that no program of ours made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from crmkit.errors import ConfigError, NotFound
from crmkit.models import (
    Call,
    CallStatus,
    Contact,
    Deal,
    Direction,
    Email,
    Phone,
    Pipeline,
    Record,
    StageRef,
    Task,
)
from crmkit.testing import changes, furniture
from crmkit.testing.hooks import VENDOR
from crmkit.testing.world import MemoryWorld
from crmkit.values import Kind, Money, Ref
from crmkit.webhook import Action
from crmkit.write import Verb, Write


class Person:
    """Changes one account from outside, as its employees do: each leaves a feed row and lays down a hook.

    `by` is the user who does it; with `hooks=False` the CRM loses the delivery.

    Args:
        world: where the account lives.
        account: the account's key.
    """

    def __init__(self, world: MemoryWorld, account: str) -> None:
        self._world = world
        self._account = account

    def add(self, record: Record, *, by: str = furniture.PERSON, hooks: bool = True) -> Ref:
        """Make a record; only the fields that were set count."""
        made = self._do(Write(Verb.CREATE, record.kind, record=record), by, hooks)
        if made is None:
            raise ConfigError("nobody in the account has that number", remedy="Add the contact first.")
        return made

    def add_contact(
        self,
        name: str = "",
        *,
        phone: str | Sequence[str] = (),
        email: str | Sequence[str] = (),
        company: Ref | None = None,
        owner_id: str = furniture.PERSON,
        by: str = furniture.PERSON,
        hooks: bool = True,
    ) -> Ref:
        """Make a contact; several phones and e-mails keep their order."""
        draft = Contact(
            name=name,
            phones=tuple(Phone(raw=raw) for raw in ([phone] if isinstance(phone, str) else phone)),
            emails=tuple(Email(value=value) for value in ([email] if isinstance(email, str) else email)),
            company=company,
            owner_id=owner_id,
        )
        return self.add(draft, by=by, hooks=hooks)

    def add_deal(
        self,
        title: str = "",
        *,
        contact: Ref | None = None,
        stage: str | StageRef | None = None,
        amount: Money | None = None,
        owner_id: str = furniture.PERSON,
        by: str = furniture.PERSON,
        hooks: bool = True,
    ) -> Ref:
        """Make a deal; `stage` may be the name or the id of a stage of the main pipeline."""
        draft = Deal(
            title=title,
            contacts=(contact,) if contact else (),
            stage=self.stage(stage) if isinstance(stage, str) else stage,
            amount=amount,
            owner_id=owner_id,
        )
        return self.add(draft, by=by, hooks=hooks)

    def add_task(
        self,
        text: str,
        *,
        about: Ref | None = None,
        due: datetime | None = None,
        owner_id: str = furniture.PERSON,
        by: str = furniture.PERSON,
        hooks: bool = True,
    ) -> Ref:
        """Make a task."""
        return self.add(Task(text=text, about=about, due=due, owner_id=owner_id), by=by, hooks=hooks)

    def change(self, ref: Ref, values: Mapping[str, Any], *, by: str = furniture.PERSON, hooks: bool = True) -> None:
        """Change fields of a record: the keys of its kind's `...Changes`."""
        self._do(Write(Verb.UPDATE, ref.kind, ref=ref, changes=values), by, hooks)

    def move_deal(self, ref: Ref, stage: str | StageRef, *, by: str = furniture.PERSON, hooks: bool = True) -> None:
        """Move a deal to a stage; a text is the name or the id of a stage of the deal's own pipeline."""
        self.change(ref, {"stage": self.stage(stage, of=ref) if isinstance(stage, str) else stage}, by=by, hooks=hooks)

    def complete(self, ref: Ref, result: str = "", *, by: str = furniture.PERSON, hooks: bool = True) -> None:
        """Do a task."""
        self.change(ref, {"is_done": True, "result": result or None}, by=by, hooks=hooks)

    def link(self, ref: Ref, other: Ref, *, by: str = furniture.PERSON, hooks: bool = True) -> None:
        """Connect two records."""
        self._do(Write(Verb.LINK, ref.kind, ref=ref, others=(other,)), by, hooks)

    def delete(self, ref: Ref, *, by: str = furniture.PERSON, hooks: bool = True) -> None:
        """Throw a record away."""
        self._do(Write(Verb.DELETE, ref.kind, ref=ref), by, hooks)

    def restore(self, ref: Ref, *, by: str = furniture.PERSON, hooks: bool = True) -> None:
        """Take a record back from the trash. Raises NotFound when it is not there."""
        with self._world.lock:
            state = self._world.account(self._account)
            if ref not in state.trash:
                raise NotFound(f"{ref} is not in the trash", account=self._account, vendor=VENDOR, ref=str(ref))
            state.merged.pop(ref, None)
            state.put(state.trash.pop(ref).model_copy(update={"updated_at": state.now(), "updated_by": by}))
            state.tell(ref, Action.CHANGED, by, hooks=hooks)

    def merge(self, survivor: Ref, *losers: Ref, by: str = furniture.PERSON, hooks: bool = True) -> None:
        """Make the losers a part of the survivor."""
        self._do(Write(Verb.MERGE, survivor.kind, ref=survivor, others=losers), by, hooks)

    def dismiss(self, user_id: str) -> None:
        """Let a user leave the account for good; records keep the id. Raises NotFound for an unknown one."""
        with self._world.lock:
            state, ref = self._world.account(self._account), Ref(self._account, Kind.USER, user_id)
            if ref not in state.records:
                raise NotFound(f"there is no user {user_id}", account=self._account, vendor=VENDOR, ref=str(ref))
            state.drop(ref)

    def touch(self, ref: Ref, *, hooks: bool = True) -> None:
        """Make the noise of a CRM: `updated_at` moves on and a hook goes out, but nothing has changed."""
        with self._world.lock:
            state = self._world.account(self._account)
            state.put(state.records[ref].model_copy(update={"updated_at": state.now()}))
            state.tell(ref, Action.CHANGED, furniture.PERSON, hooks=hooks)

    def called(
        self,
        phone: str,
        *,
        status: CallStatus = CallStatus.ANSWERED,
        direction: Direction = Direction.IN,
        talk_s: int = 60,
        contact: Ref | None = None,
        owner_id: str = furniture.PERSON,
        hooks: bool = True,
    ) -> Ref:
        """Enter a call that the CRM's own telephony saw; its person is found by the number when none is given."""
        answered = status is CallStatus.ANSWERED
        draft = Call(
            provider=VENDOR,
            direction=direction,
            status=status,
            phone=Phone(raw=phone),
            started_at=self._world.clock.now() - timedelta(seconds=talk_s if answered else 0),
            talk_s=talk_s if answered else 0,
            contact=contact,
            owner_id=owner_id,
        )
        return self.add(draft, by=owner_id, hooks=hooks)

    def missed_call(self, phone: str, *, contact: Ref | None = None, hooks: bool = True) -> Ref:
        """Enter a client's call that nobody answered."""
        return self.called(phone, status=CallStatus.MISSED, contact=contact, hooks=hooks)

    def stage(self, name: str, of: Ref | None = None) -> StageRef:
        """The stage with that id or name, in the pipeline of the deal `of` or in the main one.

        Raises ConfigError naming the stages there are.
        """
        with self._world.lock:
            state = self._world.account(self._account)
            deal = state.get(Deal, of) if of else None
            pipeline_id = deal.stage.pipeline_id if deal and deal.stage else state.first_stage().pipeline_id
            pipeline = state.get(Pipeline, Ref(self._account, Kind.PIPELINE, pipeline_id))
        stages = pipeline.stages if pipeline else ()
        for stage in stages:
            if name in (stage.ref.stage_id, stage.name):
                return stage.ref
        known = ", ".join(f"{stage.ref.stage_id} ({stage.name})" for stage in stages)
        raise ConfigError(f"there is no stage {name!r} in pipeline {pipeline_id}", remedy=f"There are: {known}.")

    def _do(self, write: Write, by: str, hooks: bool) -> Ref | None:
        with self._world.lock:
            return changes.apply(self._world.account(self._account), write, by, hooks=hooks)
