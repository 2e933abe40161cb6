"""Two accounts of one service whose records have equal ids never mix, whichever the CRM."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import requests
from tests.end_to_end.situations.others import VENDORS
from tests.end_to_end.situations.witness import tell
from tests.end_to_end.three_crms.branches import Branches

from crmkit import (
    Contact,
    Context,
    Deal,
    DealOwnerChanged,
    DealStageChanged,
    DealUpdated,
    Extension,
    Money,
    NoSettings,
    Phone,
    Ref,
    Task,
)

NORTH, SOUTH = "north", "south"
PHONE = "+79161110001"
MINUTES = timedelta(minutes=10)


def clerk() -> Extension[NoSettings]:
    """Tells of deals; each new owner calls the client, under a name that is the same in both accounts."""
    extension = Extension("clerk")
    extension.on(DealUpdated)(tell)
    extension.on(DealStageChanged)(tell)

    @extension.on(DealOwnerChanged)
    def make_task(event: DealOwnerChanged, ctx: Context[NoSettings]) -> None:
        person = ctx.crm.contacts.find_one(phone=PHONE)
        deal = ctx.mirror.get(Deal, event.ref)
        assert person is not None
        assert deal is not None
        text = f"Позвонить: {person.name}, {deal.title}"
        ctx.crm.tasks.create(Task(text=text, about=event.ref, due=ctx.now), once="call")

    return extension


def furnish(place: Branches) -> Ref:
    """A person and a deal in each account; the deal's address, which is the same in both but for the account."""
    deals = set()
    for key, side in place.sides.items():
        person = side.add(Contact(name=f"Анна {key}", phones=(Phone(raw=PHONE),)), hooks=False)
        amount = Money(Decimal(100), "RUB")
        one = side.user_ids()[0]
        stage = next(iter(side.stages().values()))
        deal = Deal(title=f"Окна {key}", contacts=(person,), amount=amount, owner_id=one, stage=stage)
        deals.add(side.add(deal, hooks=False))
    [found] = deals
    assert isinstance(found, Ref)
    return found


@pytest.mark.parametrize("vendor", VENDORS)
def test_accounts_with_equal_ids_never_mix(tmp_path: Path, vendor: str) -> None:
    """The same numbers, phones and once-names in two accounts: each has its own copies, events and tasks."""
    with Branches(tmp_path, vendor, (NORTH, SOUTH)) as place:
        deal = furnish(place)
        first, second = list(place.sides[NORTH].stages().values())[:2]
        with place.open(clerk()) as desk:
            desk.connect()
            place.sides[NORTH].change(deal, {"amount": Money(Decimal(500), "RUB")}, hooks=True)
            place.sides[SOUTH].change(deal, {"stage": second}, hooks=True)
            desk.pass_time(MINUTES)
            for side in place.sides.values():
                side.change(deal, {"owner_id": side.user_ids()[1]}, hooks=True)
            desk.pass_time(MINUTES)
            told = {key: [line for line in desk.told("clerk", key) if "owner" not in line] for key in place.keys}
            states = {key: {run.state for run in desk.runs("clerk", key)} for key in place.keys}
        tasks = {key: [(task.text, task.about) for task in place.tasks(key)] for key in place.keys}
        titles = {key: place.deal(key, deal).title for key in place.keys}
    changed = "amount items" if vendor == "retailcrm" else "amount"
    assert told == {
        NORTH: [f"DealUpdated {deal.id}: {changed}: Окна north/100 -> Окна north/500"],
        SOUTH: [
            f"DealUpdated {deal.id}: stage: Окна south/100 -> Окна south/100",
            f"DealStageChanged {deal.id}: {first.stage_id} -> {second.stage_id}",
        ],
    }
    assert titles == {NORTH: "Окна north", SOUTH: "Окна south"}
    assert states == {NORTH: {"done"}, SOUTH: {"done"}}
    assert tasks == {key: [(f"Позвонить: Анна {key}, Окна {key}", deal)] for key in (NORTH, SOUTH)}


@pytest.mark.parametrize("vendor", VENDORS)
def test_one_account_that_is_away_does_not_hold_up_the_other(tmp_path: Path, vendor: str) -> None:
    """The north is down: its deal waits, the south's is served at once; then the north's is served too."""
    with Branches(tmp_path, vendor, (NORTH, SOUTH)) as place:
        deal = furnish(place)
        with place.open(clerk()) as desk:
            desk.connect()
            for side in place.sides.values():
                side.change(deal, {"owner_id": side.user_ids()[1]}, hooks=True)
            place.sides[NORTH].down(True)
            desk.pass_time(MINUTES)
            meanwhile = {key: desk.account(key).runs.get("done", 0) for key in place.keys}
            place.sides[NORTH].down(False)
            desk.pass_time(MINUTES)
            desk.pass_time(MINUTES)
        tasks = {key: [task.text for task in place.tasks(key)] for key in place.keys}
    assert (meanwhile[NORTH], meanwhile[SOUTH] > 0) == (0, True)
    assert tasks == {key: [f"Позвонить: Анна {key}, Окна {key}"] for key in (NORTH, SOUTH)}


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_hook_with_one_accounts_secret_does_not_open_the_others_door(tmp_path: Path, vendor: str) -> None:
    """Each account's address has a secret of its own: the other's is answered like an address that does not exist."""
    with Branches(tmp_path, vendor, (NORTH, SOUTH)) as place, place.open(clerk()) as desk:
        desk.connect()
        before = desk.account(SOUTH).hints_waiting
        stolen = desk.service.hook_url(NORTH, vendor).replace(f"/{NORTH}/", f"/{SOUTH}/")
        answer = requests.post(stolen, data={"event": "ONCRMDEALUPDATE", "data[FIELDS][ID]": "1"}, timeout=5)
        assert (answer.status_code, answer.content, desk.account(SOUTH).hints_waiting) == (404, b"", before)
