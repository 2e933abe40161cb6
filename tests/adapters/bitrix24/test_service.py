"""Bitrix24 beside a real service: events and the feed tell the same story, once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crmkit import CallFinished, CallStatus, Context, DealCreated, DealStageChanged, Direction, Extension
from crmkit.settings import NoSettings
from crmkit_runtime.redelivery import deliver_again
from crmkit_testing.bench import Bench, bench

PHONE = "+79031112233"


def watcher(seen: list[tuple[str, ...]]) -> Extension[NoSettings]:
    """An extension that writes down what it hears, and renames each new deal."""
    extension = Extension("watcher")

    @extension.on(DealCreated)
    def made(event: DealCreated, ctx: Context[NoSettings]) -> None:
        seen.append(("made",))
        ctx.crm.deals.update(event.ref, {"title": "Наша"})

    @extension.on(DealStageChanged)
    def moved(event: DealStageChanged, ctx: Context[NoSettings]) -> None:
        seen.append((event.before.stage_id if event.before else "", event.after.stage_id))

    @extension.on(CallFinished)
    def called(event: CallFinished, ctx: Context[NoSettings]) -> None:
        seen.append(("missed" if event.call.missed else "answered",))

    return extension


def a_day(desk: Bench) -> None:
    """A deal is made and dragged three times, and its client calls in vain."""
    stages = list(desk.side.stages().values())
    deal = desk.person.add_deal("Окна")
    desk.advance(timedelta(seconds=70))
    for stage in stages[1:4]:
        desk.side.change(deal, {"stage": stage}, hooks=True)
        desk.side.turn(5)
    contact = desk.contacts[0].ref
    desk.side.call(contact, PHONE, direction=Direction.IN, status=CallStatus.MISSED, talk_s=0, hooks=True)
    desk.advance(timedelta(seconds=120))
    desk.settle()


@pytest.mark.parametrize("lost", [0, 1000], ids=["events", "feed-alone"])
def test_a_day_is_told_once_whether_events_come_or_not(lost: int) -> None:
    """Each move with the stage before it, in order; our own change of the title makes no more noise."""
    seen: list[tuple[str, ...]] = []
    with bench(watcher(seen), "bitrix24") as desk:
        desk.person.add_contact("Иван Петров", phone=PHONE)
        desk.settle()
        desk.lose_next_hooks(lost)
        a_day(desk)
        titles = [deal.title for deal in desk.deals]
    assert seen == [
        ("made",),
        ("NEW", "PREPARATION"),
        ("PREPARATION", "PREPAYMENT_INVOICE"),
        ("PREPAYMENT_INVOICE", "EXECUTING"),
        ("missed",),
    ]
    assert titles == ["Наша"]


def test_a_stored_event_is_read_again_though_its_token_was_not_kept() -> None:
    """The token was compared when the event came; storage holds stars in its place."""
    with bench(watcher([]), "bitrix24") as desk:
        desk.person.add_contact("Иван Петров", phone=PHONE)
        desk.settle()
        [delivery] = [one for one in desk.deliveries if one.outcome == "contact:1 added"]
        again = deliver_again(desk.service, delivery.id)
    assert (again.id, again.refusals) == (delivery.id, ())
