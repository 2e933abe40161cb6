"""Contract: hooks and feed tell of every change, under the record's own address, and lose nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from crmkit.adapter import Capability
from crmkit.crm import Crm
from crmkit.errors import BadPayload, WebhookRejected
from crmkit.models import Contact, Deal, Phone, Task
from crmkit.testing.contract.bed import Bed, ContractPart, need, read_feed
from crmkit.values import Kind, Ref
from crmkit.webhook import Action, Hint, WebhookRequest


class FeedContract(ContractPart):
    """The account's own feed."""

    def test_a_feed_begins_now(self, bed: Bed, crm: Crm) -> None:
        """The first reading brings no hints, and the next none of what was before."""
        bed.add(Deal(title="Старая"))
        bed.advance(60)
        start = bed.connection.feed(None)
        bed.advance(60)
        hints, _ = read_feed(bed.connection, start.cursor)
        assert start.hints == ()
        assert [hint for hint in hints if hint.action is Action.ADDED] == []

    def test_every_change_of_people_is_told(self, bed: Bed, crm: Crm) -> None:
        """Made, changed, moved: each record is named under its own address."""
        person = bed.add(Contact(name="Иван", phones=(Phone(raw="+79123456789"),)))
        cursor = self._start(bed)
        deal = bed.add(Deal(title="Окна", stage=bed.stages[0]))
        task = bed.add(Task(text="Перезвонить", about=deal, due=bed.now() + timedelta(days=1)))
        bed.advance(5)
        bed.change(person, {"name": "Иван Петров"})
        bed.change(deal, {"stage": bed.stages[1]})
        bed.advance(5)
        hints, _ = read_feed(bed.connection, cursor)
        assert {person, deal, task} - {hint.ref for hint in hints} == set()

    def test_a_new_record_is_told_as_new(self, bed: Bed, crm: Crm) -> None:
        """Some hint of a new deal says that it was added, or when it was created."""
        cursor = self._start(bed)
        deal = bed.add(Deal(title="Окна"))
        bed.advance(5)
        hints, _ = read_feed(bed.connection, cursor)
        own = [hint for hint in hints if hint.ref == deal]
        assert any(hint.action is Action.ADDED or hint.created_at is not None for hint in own)

    def test_a_deletion_is_told(self, bed: Bed, crm: Crm) -> None:
        """A record that a person threw away is named."""
        need(crm, Capability.DELETION_FEED)
        deal = bed.add(Deal(title="Окна"))
        cursor = self._start(bed)
        bed.delete(deal)
        bed.advance(5)
        hints, _ = read_feed(bed.connection, cursor)
        assert Action.DELETED in {hint.action for hint in hints if hint.ref == deal}

    def test_a_deletion_read_and_not_stored_is_told_again(self, bed: Bed, crm: Crm) -> None:
        """Whoever read it died before storing it: the next reader begins at the same cursor and is told as well."""
        need(crm, Capability.DELETION_FEED)
        deal = bed.add(Deal(title="Окна"))
        cursor = self._start(bed)
        bed.delete(deal)
        bed.advance(5)
        first, _ = read_feed(bed.connection, cursor)
        second, _ = read_feed(bed.reopen(), cursor)
        told = [{hint.ref for hint in hints if hint.action is Action.DELETED} for hints in (first, second)]
        assert told == [{deal}, {deal}]

    def test_moves_come_one_by_one_in_order(self, bed: Bed, crm: Crm) -> None:
        """Three moves, one of them back: each with its stages, rising in time, under a key of its own."""
        need(crm, Capability.STAGE_HISTORY)
        one, two, three = bed.stages[:3]
        deal = bed.add(Deal(title="Окна", stage=one))
        bed.advance(5)
        cursor = self._start(bed)
        for stage in (two, three, two):
            bed.change(deal, {"stage": stage})
            bed.advance(5)
        hints, _ = read_feed(bed.connection, cursor)
        moves = [hint.move for hint in hints if hint.ref == deal and hint.move is not None]
        unique = {move.key: move for move in moves}
        told = sorted(unique.values(), key=lambda move: move.at)
        path = [(stage.pipeline_id, stage.stage_id) for stage in (one, two, three, two)]
        assert [(move.from_stage, move.to_stage) for move in told] == list(pairwise(path))

    def test_a_move_read_twice_keeps_its_key(self, bed: Bed, crm: Crm) -> None:
        """Reading the same rows from the same cursor gives the same moves."""
        need(crm, Capability.STAGE_HISTORY)
        deal = bed.add(Deal(title="Окна", stage=bed.stages[0]))
        bed.advance(5)
        cursor = self._start(bed)
        bed.change(deal, {"stage": bed.stages[1]})
        bed.advance(5)
        first, _ = read_feed(bed.connection, cursor)
        second, _ = read_feed(bed.reopen(), cursor)
        assert {hint.move for hint in first if hint.move} == {hint.move for hint in second if hint.move}
        assert len({hint.move for hint in first if hint.move}) == 1

    def test_a_cursor_outlives_the_connection(self, bed: Bed, crm: Crm) -> None:
        """After a restart the feed goes on where it was; what happened meanwhile is told."""
        cursor = self._start(bed)
        bed.add(Deal(title="Раз"))
        bed.advance(5)
        _, cursor = read_feed(bed.connection, cursor)
        bed.advance(3600)
        during = bed.add(Deal(title="Два"))
        bed.advance(5)
        hints, _ = read_feed(bed.reopen(), cursor)
        assert during in {hint.ref for hint in hints}

    def test_nothing_is_lost_in_the_second_of_a_reading(self, bed: Bed, crm: Crm) -> None:
        """A change in the same second as a reading, but after it, is told by a later reading."""
        cursor = self._start(bed)
        seen: set[Ref] = set()
        made: list[Ref] = []
        for number in range(4):
            made.append(bed.add(Deal(title=f"Сделка {number}")))
            hints, cursor = read_feed(bed.connection, cursor)
            seen |= {hint.ref for hint in hints}
        for _ in range(3):
            bed.advance(10)
            hints, cursor = read_feed(bed.connection, cursor)
            seen |= {hint.ref for hint in hints}
        assert set(made) - seen == set()

    def test_more_changes_than_a_page_are_all_told(self, bed: Bed, crm: Crm) -> None:
        """Two hundred and fifty changes between two readings: none is missing."""
        cursor = self._start(bed)
        made = {bed.add(Deal(title=f"Сделка {number}")) for number in range(250)}
        bed.advance(30)
        hints, _ = read_feed(bed.connection, cursor)
        assert made - {hint.ref for hint in hints} == set()

    def test_a_quiet_feed_brings_nothing_new(self, bed: Bed, crm: Crm) -> None:
        """When nothing happens, reading again and again ends, and brings at most what the overlap repeats."""
        cursor = self._start(bed)
        deal = bed.add(Deal(title="Окна"))
        bed.advance(3600)
        _, cursor = read_feed(bed.connection, cursor)
        bed.advance(3600)
        _, cursor = read_feed(bed.connection, cursor)
        bed.advance(3600)
        hints, _ = read_feed(bed.connection, cursor)
        assert {hint.ref for hint in hints} - {deal} == set()

    def test_a_call_is_told_under_its_own_address(self, bed: Bed, crm: Crm) -> None:
        """The feed names the call that `load` gives."""
        need(crm, Capability.CALLS)
        person = bed.add(Contact(name="Иван", phones=(Phone(raw="+79123456789"),)))
        bed.advance(5)
        cursor = self._start(bed)
        bed.call_comes("+79123456789", person, missed=True)
        bed.advance(5)
        hints, _ = read_feed(bed.connection, cursor)
        calls = {hint.ref for hint in hints if hint.ref.kind is Kind.CALL}
        assert calls == {call.ref for call in crm.calls.find(about=person)}
        assert {record.ref for record in bed.connection.load(sorted(calls))} == calls

    def _start(self, bed: Bed) -> str:
        cursor = bed.connection.feed(None).cursor
        # Whole seconds: a change in the very second of the beginning belongs to nobody.
        bed.advance(2)
        return cursor


class HookContract(ContractPart):
    """The vendor's webhooks."""

    def test_subscribing_twice_is_one_subscription(self, bed: Bed, crm: Crm) -> None:
        """The second time nothing is done, and one delivery comes for one new record."""
        need(crm, Capability.WEBHOOKS)
        first = bed.connection.ensure_hooks(bed.hook_url)
        second = bed.connection.ensure_hooks(bed.hook_url)
        deal = bed.add(Deal(title="Окна"))
        added = [hint for hint in self._hints(bed) if hint.ref == deal and hint.action is Action.ADDED]
        assert (first.action, second.action) == ("created", "kept")
        assert list(bed.subscriptions()) == [bed.hook_url]
        assert len(added) == 1

    def test_delivered_hooks_name_the_records(self, bed: Bed, crm: Crm) -> None:
        """Made, changed, moved and deleted records are named under their own addresses, as `load` gives them."""
        need(crm, Capability.WEBHOOKS)
        bed.connection.ensure_hooks(bed.hook_url)
        person = bed.add(Contact(name="Иван", phones=(Phone(raw="+79123456789"),)))
        deal = bed.add(Deal(title="Окна", stage=bed.stages[0]))
        made = {(hint.ref, hint.action) for hint in self._hints(bed)}
        bed.change(person, {"name": "Иван Петров"})
        bed.change(deal, {"stage": bed.stages[1]})
        changed = {hint.ref for hint in self._hints(bed)}
        bed.delete(deal)
        deleted = {(hint.ref, hint.action) for hint in self._hints(bed)}
        assert {(person, Action.ADDED), (deal, Action.ADDED)} - made == set()
        assert {person, deal} - changed == set()
        assert (deal, Action.DELETED) in deleted

    def test_a_merge_by_people_is_told(self, bed: Bed, crm: Crm) -> None:
        """Hooks and feed together name both records; whoever says where the loser went names the survivor."""
        need(crm, Capability.WEBHOOKS)
        bed.connection.ensure_hooks(bed.hook_url)
        survivor, loser = (bed.add(Contact(name=name)) for name in ("Иван", "Иван П."))
        bed.advance(5)
        cursor = bed.connection.feed(None).cursor
        bed.deliveries()
        bed.advance(2)
        bed.merge(survivor, loser)
        bed.advance(5)
        hints, _ = read_feed(bed.connection, cursor)
        hints += self._hints(bed)
        assert {survivor, loser} - {hint.ref for hint in hints} == set()
        assert {hint.merged_into for hint in hints} <= {None, survivor}
        assert [record.ref for record in bed.connection.load([survivor, loser])] == [survivor]

    def test_our_own_writes_are_told_too(self, bed: Bed, crm: Crm) -> None:
        """The vendor tells of what programs do; telling it from people's work is not the hook's business."""
        need(crm, Capability.WEBHOOKS)
        bed.connection.ensure_hooks(bed.hook_url)
        deal = crm.deals.create(Deal(title="Окна"))
        assert deal in {hint.ref for hint in self._hints(bed)}

    def test_a_call_is_delivered_under_its_own_address(self, bed: Bed, crm: Crm) -> None:
        """The hook of a call names the same record as the call log."""
        need(crm, Capability.WEBHOOKS)
        need(crm, Capability.CALLS)
        bed.connection.ensure_hooks(bed.hook_url)
        person = bed.add(Contact(name="Иван", phones=(Phone(raw="+79123456789"),)))
        bed.call_comes("+79123456789", person, missed=True)
        calls = {hint.ref for hint in self._hints(bed) if hint.ref.kind is Kind.CALL}
        assert calls == {call.ref for call in crm.calls.find(about=person)}

    @pytest.mark.parametrize("body", [b"", b"\xff\xfe\x00", b"{", b"[1,2]", b"a=1&b[c]=2", b"[" * 5000])
    def test_nonsense_is_refused_in_our_own_words(self, bed: Bed, crm: Crm, body: bytes) -> None:
        """A body that is no hook is a BadPayload, a WebhookRejected, or a delivery without hints; nothing else."""
        request = WebhookRequest("POST", "/", "", {"content-type": "application/json"}, body, datetime.now(UTC))
        try:
            hints: Sequence[Hint] = bed.adapter.parse(request, bed.settings).hints
        except (BadPayload, WebhookRejected):
            hints = ()
        assert hints == ()

    def _hints(self, bed: Bed) -> list[Hint]:
        requests = bed.deliveries()
        return [hint for request in requests for hint in bed.adapter.parse(request, bed.settings).hints]
