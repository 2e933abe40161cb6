"""Writes: one by one, creations of several in uploads of fifty, each under a key of ours that the CRM keeps."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Sequence

from crmkit.errors import CrmKitError, Rejected, VendorDown
from crmkit.values import Json, Kind, Ref
from crmkit.write import Verb, Write
from crmkit_retailcrm.client.calls import CallLog
from crmkit_retailcrm.client.directory import Directory
from crmkit_retailcrm.client.files import FileWriter
from crmkit_retailcrm.client.line import Line
from crmkit_retailcrm.client.links import Linker
from crmkit_retailcrm.client.merge import Merger
from crmkit_retailcrm.client.notes import NoteWriter
from crmkit_retailcrm.client.reads import Reader
from crmkit_retailcrm.client.survivors import Survivors
from crmkit_retailcrm.client.uploads import Job, Uploader
from crmkit_retailcrm.errors.refusals import Merged, gone, refused_draft, unsupported
from crmkit_retailcrm.translate import Draft, amount_item, drafted, number_of, to_number, with_result
from crmkit_retailcrm.wire import SHELVES, as_list, as_map

Result = Ref | CrmKitError | None

_NUMBER = re.compile(r"[0-9]{1,18}")
_NOTE = re.compile(r"(?:customers|customers-corporate)\.[0-9]{1,18}|orders\.[0-9]{1,18}\.[0-9a-f]+\.[0-9]+")

KEYED = (Kind.CONTACT, Kind.COMPANY, Kind.DEAL)
"""The kinds with which the CRM keeps a key of ours, `externalId`."""


def external_id(write: Write) -> str:
    """The key under which a creation stands in the CRM: the effect's own, else one that nobody else has."""
    return f"crmkit-{write.marker}" if write.marker else f"crmkit-{uuid.uuid4().hex}"


class Writer:
    """Carries out writes of one account.

    Args:
        line: the way to the account.
        directory: what the account has by name.
        reader: reads what a change depends on.
        merger: makes one record out of several.
        files: writes files.
    """

    def __init__(self, line: Line, directory: Directory, reader: Reader, merger: Merger, files: FileWriter) -> None:
        self._line = line
        self._directory = directory
        self._reader = reader
        self._merger = merger
        self._linker = Linker(line, reader, directory)
        self._notes = NoteWriter(line, reader, directory)
        self._calls = CallLog(line, directory)
        self._files = files
        self._survivors = Survivors(line)
        self._uploader = Uploader(line, directory, reader)
        self._alone: dict[Verb, Callable[[Write], Ref | None]] = {
            Verb.CREATE: self._create,
            Verb.UPDATE: self._update,
            Verb.DELETE: self._delete,
            Verb.LINK: self._linker.link,
            Verb.UNLINK: self._linker.unlink,
            Verb.MERGE: self._merger.merge,
            # Who listens is told elsewhere: an account keeps no such thing.
            Verb.READDRESS: lambda write: write.ref,
        }

    def write_many(self, writes: Sequence[Write]) -> list[Result]:
        """A result for each, in order; a refused one does not stop the others."""
        results: list[Result] = [None] * len(writes)
        jobs: dict[Kind, list[Job]] = {}
        if calls := [place for place, write in enumerate(writes) if write.kind is Kind.CALL]:
            for place, result in zip(calls, self._calls.write_many([writes[one] for one in calls]), strict=True):
                results[place] = result
        for place, write in enumerate(writes):
            if write.kind is Kind.CALL:
                continue
            try:
                _check_addresses(write)
                if len(writes) > 1 and write.verb is Verb.CREATE and write.kind in KEYED:
                    jobs.setdefault(write.kind, []).append(Job(place, write, self._drafted(write)))
                else:
                    results[place] = self._done(write)
            except CrmKitError as error:
                results[place] = error
        for kind, several in jobs.items():
            for job, made in self._uploader.upload(kind, several):
                results[job.place] = self._followed(job, made)
        return results

    def _done(self, write: Write) -> Ref | None:
        """One write; one that names a record which was merged is done to the survivor."""
        try:
            return self._alone[write.verb](write)
        except Rejected as refusal:
            meant = self._survivors.readdressed(write, refusal)
            if meant is None:
                raise
        return self._alone[write.verb](meant)

    def _followed(self, job: Job, made: Ref | CrmKitError) -> Result:
        if isinstance(made, CrmKitError):
            return made
        try:
            self._follow(made, job.draft)
        except CrmKitError as error:
            return error
        return made

    def _drafted(self, write: Write) -> Draft:
        self._check(write)
        draft = drafted(write.kind, write.values(), write.extra, self._directory, is_new=True)
        draft.item.setdefault("externalId", external_id(write))
        if write.kind is Kind.DEAL and draft.amount is not None and not draft.item.get("items"):
            self._check_currency(draft)
            draft.item["items"] = [amount_item(str(draft.item.get("number") or ""), draft.amount)]
        if write.kind is Kind.COMPANY:
            draft.item.setdefault("nickName", "Без названия")
        if write.kind is Kind.DEAL:
            self._linker.complete_party(draft.item)
        return draft

    def _create(self, write: Write) -> Ref | None:
        if write.kind is Kind.NOTE:
            return self._notes.create(write)
        if write.kind is Kind.FILE:
            return self._files.create(write)
        self._check(write)
        if write.kind is Kind.TASK:
            return self._create_task(write)
        shelf = SHELVES[write.kind]
        draft = self._drafted(write)
        form: dict[str, Json] = {"site": self._directory.site(), shelf.one: draft.item}
        try:
            body = self._line.post(f"{shelf.path}/create", form)
        except Rejected as refusal:
            made = self._uploader.adopted(write.kind, str(draft.item["externalId"]), refusal)
            if made is None:
                raise
        else:
            made = self._ref(write.kind, as_map(body).get("id"))
        self._follow(made, draft)
        return made

    def _create_task(self, write: Write) -> Ref:
        draft = drafted(write.kind, write.values(), write.extra, self._directory, is_new=True)
        if "performerId" not in draft.item:
            draft.item |= {"performerId": int(self._directory.default_owner_id()), "performerType": "user"}
        if draft.result:
            draft.item["commentary"] = with_result(str(draft.item.get("commentary") or ""), draft.result)
        body = self._line.post("tasks/create", {"site": self._directory.site(), "task": draft.item})
        return self._ref(Kind.TASK, as_map(body).get("id"))

    def _update(self, write: Write) -> Ref | None:
        ref = _addressed(write)
        if write.kind is Kind.NOTE:
            raise unsupported(self._key, "change a note", "Write another one.")
        if write.kind is Kind.FILE:
            return self._files.update(ref, write)
        self._check(write)
        draft = drafted(write.kind, write.values(), write.extra, self._directory, is_new=False)
        if draft.result is not None:
            task = self._reader.task(ref.id)
            draft.item["commentary"] = with_result(str(as_map(task).get("commentary") or ""), draft.result)
        if draft.amount is not None:
            draft.item["items"] = self._repriced(ref, draft)
        done = self._edit(ref, draft) if draft.item else ref
        self._follow(done, draft)
        return done

    def _edit(self, ref: Ref, draft: Draft) -> Ref:
        """Change the record, or the one that took it in."""
        shelf = SHELVES[ref.kind]
        form: dict[str, Json] = {"by": "id", "site": None, shelf.one: draft.item}
        # Items without an id are added each time; all else may be said twice.
        is_repeatable = "items" not in draft.item and "payments" not in draft.item
        try:
            self._line.post(f"{shelf.path}/{ref.id}/edit", form, is_repeatable=is_repeatable)
        except Merged as merged:
            ref = Ref(ref.account, ref.kind, merged.survivor)
            self._line.post(f"{shelf.path}/{ref.id}/edit", form, is_repeatable=is_repeatable)
        return ref

    def _repriced(self, ref: Ref, draft: Draft) -> list[Json]:
        """The items of an order that is to come to another sum: only one that has no goods can be given it."""
        self._check_currency(draft)
        order, amount = self._reader.order(ref.id), draft.amount
        if order is None or amount is None:
            raise gone(self._key, str(ref))
        items = [as_map(item) for item in as_list(order.get("items"))]
        if not items:
            return [amount_item(str(order.get("number") or ""), amount)]
        offer = as_map(items[0].get("offer"))
        is_catalogued = any(offer.get(name) for name in ("externalId", "xmlId", "article"))
        if len(items) > 1 or is_catalogued or number_of(items[0].get("quantity")) != 1:
            raise draft.refuse(
                "amount", "the order's goods make its sum", "Change prices and quantities with extra={'items': [...]}."
            )
        beside = (number_of(order.get("totalSumm")) or 0) - (number_of(order.get("summ")) or 0)
        return [{"id": items[0]["id"], "initialPrice": to_number(amount.amount - beside), "quantity": 1}]

    def _check_currency(self, draft: Draft) -> None:
        amount, currency = draft.amount, self._directory.account().currency
        if amount is not None and amount.currency != currency and draft.item.get("currency") != amount.currency:
            raise draft.refuse(
                "amount", f"the account counts in {currency}", "Give the amount in it, or extra={'currency': ...}."
            )

    def _follow(self, done: Ref, draft: Draft) -> None:
        """What stands beside the record and has requests of its own."""
        if draft.company is not None:
            self._linker.join(done, draft.company)
        for person in draft.people:
            self._linker.join(person, done)
        if draft.legal:
            self._linker.legal(done, draft.legal)

    def _delete(self, write: Write) -> Ref | None:
        ref = _addressed(write)
        if ref.kind is Kind.FILE:
            return self._files.delete(ref)
        path, _, number = ref.id.partition(".")
        if ref.kind is Kind.NOTE and path != "orders":
            self._line.post(f"{path}/notes/{number}/delete", {}, is_repeatable=True)
            return ref
        raise unsupported(
            self._key,
            f"delete a {write.kind.value}",
            "Tag or close the record, and let a person delete it in retailCRM.",
        )

    def _check(self, write: Write) -> None:
        if write.kind not in (*KEYED, Kind.TASK):
            raise unsupported(self._key, f"write a {write.kind.value}", "Change it in retailCRM's own settings.")

    def _ref(self, kind: Kind, record_id: object) -> Ref:
        if not record_id:
            raise VendorDown("the answer names no id", maybe_applied=True, account=self._key)
        return Ref(self._key, kind, str(record_id))

    @property
    def _key(self) -> str:
        return self._directory.account().key


def _check_addresses(write: Write) -> None:
    """Raise NotFound for an address that no record of the CRM can have: ids are numbers, and go into paths."""
    named = [value for value in write.values().values() if isinstance(value, Ref | tuple | list)]
    inner = [one for value in named for one in ((value,) if isinstance(value, Ref) else value)]
    for ref in (write.ref, *write.others, *inner):
        if isinstance(ref, Ref) and not (_NOTE if ref.kind is Kind.NOTE else _NUMBER).fullmatch(ref.id):
            raise gone(ref.account, str(ref))


def _addressed(write: Write) -> Ref:
    if write.ref is None:
        raise refused_draft("", "ref", "a change names its record", "Give the record's address.")
    return write.ref
