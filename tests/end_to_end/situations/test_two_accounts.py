"""Two accounts of one service whose records have equal ids never mix."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import requests
from tests.end_to_end.situations.premises import Premises
from tests.end_to_end.situations.witness import tell

from crmkit.events import CallFinished, DealStageChanged, DealUpdated
from crmkit.extension import Context, Extension
from crmkit.models import Deal, Task
from crmkit.settings import NoSettings
from crmkit.values import Kind, Ref

OpenPremises = Callable[..., Premises]
NORTH, SOUTH = "north", "south"
PHONE = "+79161110001"
MINUTES = timedelta(minutes=10)


def clerk() -> Extension[NoSettings]:
    """Tells of deals, and makes a task for each call under a name that is the same in both accounts."""
    extension = Extension("clerk")
    extension.on(DealUpdated)(tell)
    extension.on(DealStageChanged)(tell)

    @extension.on(CallFinished)
    def make_task(event: CallFinished, ctx: Context[NoSettings]) -> None:
        person = ctx.crm.contacts.find_one(phone=PHONE)
        assert person is not None
        deal = ctx.mirror.get(Deal, Ref(ctx.account.key, Kind.DEAL, "20000001"))
        text = f"Перезвонить: {person.name}, {deal.title if deal else 'нет сделки'}"
        ctx.crm.tasks.create(Task(text=text, about=person.ref, due=ctx.now), once="call-back")

    return extension


def test_accounts_with_equal_ids_never_mix(premises: OpenPremises) -> None:
    """The same numbers, phones and once-names in two accounts: each has its own copies, events and tasks."""
    place = premises((NORTH, SOUTH))
    leads, people = {}, {}
    for key in (NORTH, SOUTH):
        amo = place.amo(key)
        people[key] = amo.add_contact(name=f"Анна {key}", phones=[PHONE], hooks=False)
        leads[key] = amo.add_lead(name=f"Окна {key}", price=100, hooks=False)
    [lead], [person] = set(leads.values()), set(people.values())
    with place.open(clerk()) as desk:
        desk.connect()
        place.amo(NORTH).update_lead(lead, price=500)
        place.amo(SOUTH).move_lead(lead, 142)
        desk.settle()
        for key in (NORTH, SOUTH):
            place.amo(key).add_call_note("contacts", person, phone=PHONE, duration=0)
            desk.settle()
        desk.pass_time(MINUTES)

        assert desk.told("clerk", NORTH) == [f"DealUpdated {lead}: amount: Окна north/100 -> Окна north/500"]
        assert [line.split(" -> ")[0] for line in desk.told("clerk", SOUTH)] == [
            f"DealUpdated {lead}: closed_at outcome stage: Окна south/100",
            f"DealStageChanged {lead}: {ordinary_first(place)}",
        ]
        for key in (NORTH, SOUTH):
            assert [(task["text"], task["entity_id"]) for task in place.amo(key).tasks.values()] == [
                (f"Перезвонить: Анна {key}, Окна {key}", person)
            ]
            assert {run.state for run in desk.runs("clerk", key)} == {"done"}


def ordinary_first(place: Premises) -> str:
    """Id of the stage in which new deals begin."""
    statuses = place.amo(SOUTH).account.main_pipeline["statuses"]
    return str(next(status["id"] for status in statuses if status["type"] == 0))


def test_one_account_that_is_away_does_not_hold_up_the_other(premises: OpenPremises) -> None:
    """The north is down: its call waits, the south's is served at once; then the north's is served too."""
    place = premises((NORTH, SOUTH))
    people = {key: place.amo(key).add_contact(name="Анна", phones=[PHONE], hooks=False) for key in (NORTH, SOUTH)}
    with place.open(clerk()) as desk:
        desk.connect()
        place.sandboxes[NORTH].faults.down("amocrm")
        for key in (NORTH, SOUTH):
            place.amo(key).add_call_note("contacts", people[key], phone=PHONE, duration=0)
        desk.settle()
        meanwhile = {key: len(place.amo(key).tasks) for key in (NORTH, SOUTH)}
        place.sandboxes[NORTH].faults.down("amocrm", False)
        desk.pass_time(MINUTES)
        desk.pass_time(MINUTES)
        assert meanwhile == {NORTH: 0, SOUTH: 1}
        assert {key: len(place.amo(key).tasks) for key in (NORTH, SOUTH)} == {NORTH: 1, SOUTH: 1}


def test_a_hook_with_one_accounts_secret_does_not_open_the_others_door(premises: OpenPremises) -> None:
    """Each account's address has a secret of its own: the other's is answered like an address that does not exist."""
    place = premises((NORTH, SOUTH))
    with place.open(clerk()) as desk:
        desk.connect()
        before = desk.account(SOUTH).hints_waiting
        stolen = desk.service.hook_url(NORTH, "amocrm").replace(f"/{NORTH}/", f"/{SOUTH}/")
        answer = requests.post(stolen, data={"leads[update][0][id]": "20000001"}, timeout=5)
        assert (answer.status_code, answer.content, desk.account(SOUTH).hints_waiting) == (404, b"", before)
