"""The first start on a large account while people go on working: silence for what was there, every change once."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import parse_qs

import pytest
from tests.end_to_end.situations.premises import Open, Premises, until
from tests.end_to_end.situations.witness import witness

from crmkit.events import DealCreated, DealStageChanged, DealUpdated
from crmkit_call_tasks import call_tasks
from crmkit_sandbox.amocrm import AmoCrm

OpenPremises = Callable[..., Premises]
DEALS = 5_000
CHANGES_EVERY_S = 0.05
PHONES = ("+79161110001", "+79161110002")
SERVED_WITHIN_S = 10.0

pytestmark = pytest.mark.timed


class People(threading.Thread):
    """Works on deals all over the account, a change every moment: a price, a move, a new deal, in turn.

    No deal is touched twice, so that what has to be told of each is known: `wanted` counts it by event and id.
    """

    def __init__(self, amo: AmoCrm, leads: range) -> None:
        super().__init__(daemon=True)
        self.wanted: Counter[tuple[str, str]] = Counter()
        self.paths: dict[str, str] = {}
        self._amo = amo
        self._leads = leads
        self._stopped = threading.Event()

    def run(self) -> None:
        stages = [status["id"] for status in self._amo.account.main_pipeline["statuses"] if status["type"] == 0]
        # Near and far from where the load is: beside each other in time, far apart in the list.
        for turn, place in enumerate((number * 997) % len(self._leads) for number in range(len(self._leads))):
            if self._stopped.wait(CHANGES_EVERY_S):
                return
            lead = self._leads[place]
            if turn % 3 == 0:
                self._amo.update_lead(lead, price=777_000 + turn)
                self.wanted["DealUpdated", str(lead)] += 1
            elif turn % 3 == 1:
                before = self._amo.leads[lead]["status_id"]
                after = stages[(stages.index(before) + 1) % len(stages)]
                self._amo.move_lead(lead, after)
                self.wanted["DealUpdated", str(lead)] += 1
                self.wanted["DealStageChanged", str(lead)] += 1
                self.paths[str(lead)] = f"{before} -> {after}"
            else:
                self.wanted["DealCreated", str(self._amo.add_lead(name=f"Новая {turn}"))] += 1

    def stop(self) -> None:
        """Go home."""
        self._stopped.set()
        self.join()


def test_a_first_start_while_hooks_pour_in(premises: OpenPremises) -> None:
    """Nothing is told of untouched deals, each change once; a restart resumes; missed calls are served meanwhile."""
    place = premises(is_turned=False)
    amo = place.amo()
    leads = amo.bulk_leads(DEALS)
    clients = [amo.add_contact(name=phone, phones=[phone], hooks=False) for phone in PHONES]
    people = People(amo, leads)
    extensions = (witness(DealCreated, DealUpdated, DealStageChanged), call_tasks)
    with place.open(*extensions) as desk:
        desk.start()
        until(lambda: _is_connected(desk), within_s=20, otherwise=desk.account)
        people.start()
        first_s = serve_call(amo, desk, clients[0], PHONES[0])
        until(lambda: desk.account().mirrored.get("deal", 0) > DEALS / 4, within_s=60, otherwise=desk.account)
    with place.open(*extensions) as desk:
        before = desk.account()
        desk.start()
        second_s = serve_call(amo, desk, clients[1], PHONES[1])
        until(lambda: "deal" in desk.account().loaded, within_s=90, otherwise=desk.account)
        people.stop()
        until(lambda: _told(desk) >= people.wanted, within_s=60, otherwise=lambda: people.wanted - _told(desk))
        until(lambda: _is_idle(desk), within_s=30, otherwise=desk.account)

        assert _told(desk) == people.wanted
        assert _paths(desk) == people.paths
        assert max(first_s, second_s) <= SERVED_WITHIN_S
        assert before.loading == ("deal",)
        assert desk.account().runs.get("dead", 0) == 0
        pages = _pages_asked(amo)
        assert set(range(1, DEALS // 250 + 1)) <= set(pages)
        assert (pages[1], max(pages.values()) <= 2) == (1, True)


def serve_call(amo: AmoCrm, desk: Open, contact: int, phone: str) -> float:
    """Miss a call, and wait for its task; the seconds that took."""
    amo.add_call_note("contacts", contact, phone=phone, duration=0)

    def is_served() -> bool:
        return any(task["entity_id"] == contact for task in amo.tasks.values())

    return until(is_served, within_s=3 * SERVED_WITHIN_S, otherwise=desk.account)


def _is_connected(desk: Open) -> bool:
    """The hooks are asked for, and the second of connecting, which a CRM cannot tell from the one before, is over."""
    connected = desk.account().connected_at
    return connected is not None and datetime.now(UTC).timestamp() >= int(connected.timestamp()) + 1


def _is_idle(desk: Open) -> bool:
    state = desk.account()
    return not state.hints_waiting and not state.runs.get("queued")


def _told(desk: Open) -> Counter[tuple[str, str]]:
    words = [line.split() for line in desk.told("witness")]
    return Counter((event, id_.rstrip(":")) for event, id_, *_ in words)


def _paths(desk: Open) -> dict[str, str]:
    lines = [line.partition(": ") for line in desk.told("witness") if line.startswith("DealStageChanged")]
    return {head.split()[1]: path for head, _, path in lines}


def _pages_asked(amo: AmoCrm) -> Counter[int]:
    """How often each page of the list of deals was given."""
    asked = [parse_qs(call.query) for call in amo.requests if call.path == "/api/v4/leads" and call.status == 200]
    return Counter(int(query["page"][0]) for query in asked if query.get("order[id]") == ["asc"])
