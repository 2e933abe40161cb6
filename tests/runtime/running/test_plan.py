"""Plan mode: what would be written is kept as items, and written later one by one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from crmkit.errors import Rejected, Unsupported
from crmkit.events import DealCreated
from crmkit.extension import Context, Extension
from crmkit.models import Contact, Task
from crmkit.settings import NoSettings
from crmkit.testing import Reading
from crmkit.values import Kind, Ref
from crmkit.write import Verb
from crmkit_runtime import mirror
from crmkit_runtime.plan import Applied, apply_plan, drop_plan
from crmkit_runtime.planned import PlanItem, items
from crmkit_runtime.tables import effect, plan_item

House = Callable[..., Any]
Ctx = Context[NoSettings]


def planning(run: Callable[[Ctx], None]) -> Extension[NoSettings]:
    """An extension that does `run` for each new deal and each hour."""
    extension = Extension("planner", reads={Kind.CONTACT})

    @extension.on(DealCreated)
    def on_deal(event: DealCreated, ctx: Ctx) -> None:
        run(ctx)

    @extension.every("0 * * * *")
    def hourly(ctx: Ctx) -> None:
        run(ctx)

    return extension


def happen(house: Any) -> None:
    """A deal appeared."""
    house.publish(DealCreated(ref=house.deal().ref, occurred_at=house.clock.now(), deal=house.deal()))
    house.work()


def plan(house: Any) -> list[PlanItem]:
    """All items."""
    with house.service.database.read() as connection:
        return list(items(connection, connection.execute(select(plan_item.c.id)).scalars().all()))


def see(house: Any, *records: Any) -> None:
    """The mirror has seen the records."""
    with house.service.database.write() as tx:
        mirror.put_unseen(tx, house.service, records)


def test_nothing_is_written_and_everything_is_planned_with_its_reason(house: House) -> None:
    """Reads are real; a created record has an address that stands for it, and can be read under it."""
    seen: list[Any] = []

    def run(ctx: Ctx) -> None:
        ctx.explain("nobody has that number")
        person = ctx.crm.contacts.create(Contact(name="Новый"), once="contact:+7999")
        seen.append((person, ctx.crm.contacts.get(person).name, ctx.crm.contacts.get(known).name))
        ctx.crm.tasks.create(Task(text="Позвонить", about=person))
        ctx.explain("a call was missed")

    at = house(planning(run), mode="plan")
    known = at.crm.person.add_contact("Старый")
    happen(at)

    assert seen == [(Ref("acme", Kind.CONTACT, "plan-1"), "Новый", "Старый")]
    assert at.world.count(Verb.CREATE) == 0
    assert [(item.write.kind, item.state, item.reasons, item.needs) for item in plan(at)] == [
        (Kind.CONTACT, "planned", ("nobody has that number", "a call was missed"), ()),
        (Kind.TASK, "planned", ("nobody has that number", "a call was missed"), (1,)),
    ]
    with at.service.database.read() as connection:
        assert connection.execute(select(func.count()).select_from(effect)).scalar() == 0


def test_items_are_applied_in_the_order_of_their_dependence(house: House) -> None:
    """A task for a planned contact waits for it, then gets its real address; applying again does nothing."""

    def run(ctx: Ctx) -> None:
        person = ctx.crm.contacts.create(Contact(name="Новый"), once="contact:+7999")
        ctx.crm.tasks.create(Task(text="Позвонить", about=person))

    at = house(planning(run), mode="plan")
    happen(at)

    assert apply_plan(at.service, [2]) == [
        Applied(2, "waiting", reason="apply item 1 first: it creates what this one needs")
    ]
    done = apply_plan(at.service, [2, 1])
    assert [(one.id, one.state) for one in done] == [(1, "applied"), (2, "applied")]
    person = done[0].ref
    assert [task.about for task in at.world.account("acme").all(Task)] == [person]
    assert apply_plan(at.service, [1, 2]) == []
    assert at.world.count(Verb.CREATE) == 2


def test_a_nightly_run_updates_its_items_and_does_not_multiply_them(house: House) -> None:
    """The same write is the same item each night; what was dropped stays away."""

    def run(ctx: Ctx) -> None:
        ctx.explain(f"seen at {ctx.now:%H:%M}")
        ctx.crm.contacts.update(person, {"name": "Правильное"})
        ctx.crm.tasks.create(Task(text="Проверить"), once="check")

    at = house(planning(run), mode="plan")
    person = at.crm.person.add_contact("Неправильное")
    at.work()
    at.advance(timedelta(hours=3), step=timedelta(hours=1))
    assert [(item.id, item.reasons) for item in plan(at)] == [(1, ("seen at 12:00",)), (2, ("seen at 12:00",))]

    drop_plan(at.service, [2])
    at.advance(timedelta(hours=1))
    assert [(item.id, item.state) for item in plan(at)] == [(1, "planned"), (2, "dropped")]


def test_what_falls_back_after_it_was_applied_is_planned_anew(house: House) -> None:
    """A nightly job that asks again for the same change gets a second item, and applying that writes again."""
    at = house(planning(lambda ctx: ctx.crm.contacts.update(person, {"name": "Верно"})), mode="plan")
    person = at.crm.person.add_contact("Неверно")
    at.work()
    for number in (1, 2):
        at.advance(timedelta(hours=1))
        assert [one.state for one in apply_plan(at.service, [number])] == ["applied"]
        assert at.crm.crm.contacts.get(person).name == "Верно"
        at.crm.person.change(person, {"name": "Опять неверно"})

    assert [item.state for item in plan(at)] == ["applied", "applied"]


def test_an_item_is_refused_when_its_record_has_changed_since(house: House) -> None:
    """Who planned on old ground must plan again; the next night does."""
    at = house(planning(lambda ctx: ctx.crm.contacts.update(person, {"name": "Верно"})), mode="plan")
    person = at.crm.person.add_contact("Неверно")
    see(at, at.crm.crm.contacts.get(person))
    at.work()
    at.advance(timedelta(hours=1))
    with at.service.database.write() as tx:
        mirror.patch(tx, at.contact(int(person.id)), seen=1)

    assert apply_plan(at.service, [1]) == [Applied(1, "refused", reason=f"{person} has changed since this was planned")]
    assert [(item.state, item.result) for item in plan(at)] == [
        ("refused", f"{person} has changed since this was planned")
    ]
    at.advance(timedelta(hours=1))
    assert [one.state for one in apply_plan(at.service, [1])] == ["applied"]


def test_our_own_applied_item_does_not_refuse_the_next_of_the_record(house: House) -> None:
    """Two items for one record are applied one after the other."""

    def run(ctx: Ctx) -> None:
        ctx.crm.contacts.update(person, {"name": "Верно"})
        ctx.crm.contacts.update(person, {"owner_id": "2"})

    at = house(planning(run), mode="plan")
    person = at.crm.person.add_contact("Неверно")
    see(at, at.crm.crm.contacts.get(person))
    happen(at)

    assert [one.state for one in apply_plan(at.service, [1, 2])] == ["applied", "applied"]
    found = at.crm.crm.contacts.get(person)
    assert (found.name, found.owner_id) == ("Верно", "2")


def test_a_crm_that_refuses_leaves_the_item_planned(house: House) -> None:
    """The reason is given, and it may be applied again."""
    at = house(planning(lambda ctx: ctx.skip(str(ctx.crm.tasks.create(Task(text="x"))))), mode="plan")
    happen(at)
    at.world.fail_next(Rejected("not today"), 1, Verb.CREATE)

    assert apply_plan(at.service, [1]) == [Applied(1, "failed", reason="not today")]
    assert [one.state for one in apply_plan(at.service, [1])] == ["applied"]


def test_the_native_door_is_shut_for_writes(house: House) -> None:
    """What cannot be planned is not sent either."""
    refused: list[str] = []

    def run(ctx: Ctx) -> None:
        try:
            ctx.crm.call("POST", "/anything")
        except Unsupported as error:
            refused.append(error.message)

    at = house(planning(run), mode="plan")
    happen(at)

    assert refused == ["POST /anything was not sent: it cannot be planned"]


def test_a_batch_is_planned_item_by_item(house: House) -> None:
    """Each draft of a batch is an item of its own."""

    def run(ctx: Ctx) -> None:
        made = ctx.crm.tasks.create_many([Task(text="a"), Task(text="b")])
        ctx.explain(f"{made.done[0]}, {made.done[1]}")

    at = house(planning(run), mode="plan")
    happen(at)

    assert [(item.write.values()["text"], item.reasons) for item in plan(at)] == [
        ("a", ("acme/task:plan-1, acme/task:plan-2",)),
        ("b", ("acme/task:plan-1, acme/task:plan-2",)),
    ]


def test_the_crm_is_not_asked_about_a_record_that_is_only_planned(house: House) -> None:
    """A planned contact has no tasks and no deals there; outside plan mode its address is nobody's."""

    def in_plan(ctx: Ctx) -> None:
        person = ctx.crm.contacts.create(Contact(name="New"), once="new")
        assert [*ctx.crm.tasks.find(about=person), *ctx.crm.deals.find(contact=person)] == []

    def afterwards(ctx: Ctx) -> None:
        assert ctx.crm.contacts.get_many([ctx.crm.ref(Kind.CONTACT, "plan-1")]) == {}

    for mode, run in (("plan", in_plan), ("apply", afterwards)):
        at = house(planning(run), mode=mode)
        happen(at)
        assert [one for one in at.world.asked if one.verb in (Reading.FIND, Reading.LOAD)] == []
        assert at.states() == ["done"]
