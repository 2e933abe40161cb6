"""Writes: in batches that amoCRM takes whole or not at all, so that one bad item never blocks the good ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crmkit.clock import Clock
from crmkit.errors import CrmKitError, Rejected, VendorDown
from crmkit.models import Contact
from crmkit.values import Json, Kind, Ref
from crmkit.write import Verb, Write
from crmkit_amocrm.client.directory import Directory
from crmkit_amocrm.client.lead_inbox import LeadInbox
from crmkit_amocrm.client.line import API, Line
from crmkit_amocrm.client.links import Linker
from crmkit_amocrm.client.merge import Merger
from crmkit_amocrm.errors.refusals import (
    ENTITY_NOT_FOUND,
    GATEWAY_TIMEOUT,
    Fault,
    ItemsRejected,
    half_done,
    refused_draft,
    refused_item,
    unsupported,
)
from crmkit_amocrm.translate import drafted, parted
from crmkit_amocrm.translate.intake import call_body
from crmkit_amocrm.wire import BATCH, PATHS, SINGULAR, embedded

Result = Ref | CrmKitError | None
Lookup = Callable[[Write], Ref | None]


@dataclass(slots=True)
class _Job:
    """One write on its way: where it goes, what is sent, and what follows once it is done."""

    index: int
    write: Write
    method: str
    path: str
    name: str
    item: dict[str, Any]
    follow: Callable[[Ref], None] | None = None


class Writer:
    """Carries out writes of one account.

    Args:
        line: the way to the account.
        names: what the account has by name.
        clock: the time.
        load: reads records, for a change that depends on what is there.
        lookup: finds what a write created whose answer was lost since the given moment.
    """

    def __init__(
        self,
        line: Line,
        names: Directory,
        clock: Clock,
        *,
        load: Callable[[Sequence[Ref]], Sequence[Any]],
        lookup: Callable[[Write, float], Ref | None],
    ) -> None:
        self._line = line
        self._names = names
        self._clock = clock
        self._load = load
        self._lookup = lookup
        self._linker = Linker(line)
        self._merger = Merger(line, names)
        self._inbox = LeadInbox(line, names, clock)

    def write_many(self, writes: Sequence[Write]) -> list[Result]:
        """A result for each, in order; a refused one does not stop the others."""
        results: list[Result] = [None] * len(writes)
        groups: dict[tuple[str, str], list[_Job]] = {}
        for index, write in enumerate(writes):
            try:
                job = self._job(index, write)
                if job is None:
                    results[index] = self._alone(write)
                else:
                    groups.setdefault((job.method, job.path), []).append(job)
            except CrmKitError as error:
                results[index] = error
        for jobs in groups.values():
            for start in range(0, len(jobs), BATCH):
                self._send(jobs[start : start + BATCH], results)
        return results

    def _job(self, index: int, write: Write) -> _Job | None:
        """What goes into a batch; None for a write that has a request of its own."""
        if write.kind is Kind.LEAD or write.verb not in (Verb.CREATE, Verb.UPDATE):
            return None
        if write.kind is Kind.CALL:
            if write.verb is Verb.UPDATE:
                raise unsupported(self._key, "change a logged call", "Log it once, when it has ended.")
            return _Job(index, write, "POST", f"{API}calls", "calls", call_body(write, self._names))
        if write.kind not in (*PATHS, Kind.NOTE) or write.kind in (Kind.USER, Kind.PIPELINE):
            raise unsupported(self._key, f"write a {write.kind.value}", "Change it in amoCRM's own settings.")
        return self._create(index, write) if write.verb is Verb.CREATE else self._update(index, write)

    def _create(self, index: int, write: Write) -> _Job:
        extra, tied = parted(write.extra)
        draft = drafted(write.kind, write.values(), extra, self._names, is_new=True)
        path = PATHS.get(write.kind, "notes")
        if write.kind is Kind.NOTE:
            parent = draft.item.pop("entity_type", None)
            if parent is None:
                raise refused_draft(self._key, "about", "a note stands on a card", "Set about.")
            draft.item.setdefault("note_type", "common")
            path = f"{parent}/notes"
        links, kind = [*draft.links, *tied.get("link", ())], write.kind

        def follow(made: Ref) -> None:
            if links:
                self._linker.post(PATHS[kind], made.id, "link", links)

        name = path.rpartition("/")[2]
        return _Job(index, write, "POST", API + path, name, draft.item, follow if links else None)

    def _update(self, index: int, write: Write) -> _Job:
        ref = _addressed(write)
        extra, tied = parted(write.extra)
        draft = drafted(write.kind, write.values(), extra, self._names, is_new=False)
        path, record_id = PATHS.get(write.kind, ""), ref.id
        if write.kind is Kind.NOTE:
            parent, _, record_id = ref.id.partition(".")
            path = f"{parent}/notes"
            draft.item.setdefault("note_type", "common")
        company = draft.company

        def follow(_: Ref) -> None:
            if draft.changes_company:
                self._move_to_company(ref, company)
            for verb, items in tied.items():
                self._linker.post(PATHS[ref.kind], ref.id, verb, items)

        item = {"id": int(record_id), **draft.item} if record_id.isdigit() else {"id": record_id, **draft.item}
        name = path.rpartition("/")[2]
        return _Job(index, write, "PATCH", API + path, name, item, follow if draft.changes_company or tied else None)

    def _alone(self, write: Write) -> Ref | None:
        if write.kind is Kind.LEAD and write.verb is not Verb.MERGE:
            return self._inbox.write(write)
        match write.verb:
            case Verb.LINK | Verb.UNLINK:
                self._linker.write(write)
                return write.ref
            case Verb.READDRESS:
                return write.ref  # who listens is told elsewhere: an account keeps no such thing
            case Verb.DELETE:
                raise unsupported(
                    self._key,
                    f"delete a {write.kind.value}",
                    "Tag the record or close it, and let a person delete it in amoCRM.",
                )
        return self._merger.merge(write)

    def _send(self, jobs: list[_Job], results: list[Result]) -> None:
        """One request for up to a batch of jobs; what it refuses is taken out, and the rest sent again."""
        ready = [job for job in jobs if not _is_empty(job)]
        for job in jobs:
            if _is_empty(job):
                results[job.index] = self._followed(job, _addressed(job.write))
        if not ready:
            return
        started = self._clock.now().timestamp()
        items: list[Json] = [{**job.item, "request_id": str(place)} for place, job in enumerate(ready)]
        method, path = ready[0].method, ready[0].path
        try:
            body = self._line.send(method, path, body=items, is_repeatable=method == "PATCH")
        except ItemsRejected as refusal:
            self._without_refused(ready, refusal, results)
        except VendorDown as down:
            self._after_outage(ready, down, started, results)
        except CrmKitError as error:
            for job in ready:
                results[job.index] = error
        else:
            self._read(ready, body, results)

    def _without_refused(self, jobs: list[_Job], refusal: ItemsRejected, results: list[Result]) -> None:
        faults: dict[str, Fault] = {fault.request_id: fault for fault in refusal.faults}
        good = [job for place, job in enumerate(jobs) if str(place) not in faults]
        if len(good) == len(jobs):
            self._halved(jobs, refusal, results)
            return
        for place, job in enumerate(jobs):
            if str(place) in faults:
                results[job.index] = refused_item(self._key, job.write.target, faults[str(place)])
        if good:
            self._send(good, results)

    def _halved(self, jobs: list[_Job], error: CrmKitError, results: list[Result]) -> None:
        if len(jobs) == 1:
            results[jobs[0].index] = error
            return
        middle = len(jobs) // 2
        self._send(jobs[:middle], results)
        self._send(jobs[middle:], results)

    def _after_outage(self, jobs: list[_Job], down: VendorDown, started: float, results: list[Result]) -> None:
        """Of a lost batch: what was created is found and adopted; only after a 504 is the rest sent again, smaller."""
        is_too_large = down.status == GATEWAY_TIMEOUT and len(jobs) > 1
        missing = jobs
        if down.maybe_applied and len(jobs) > 1:
            missing = [job for job in jobs if not self._adopted(job, started, results)]
        if is_too_large and missing:
            self._halved(missing, down, results)
            return
        for job in missing:
            results[job.index] = down

    def _adopted(self, job: _Job, started: float, results: list[Result]) -> bool:
        try:
            found = self._lookup(job.write, started)
        except CrmKitError:
            return False
        if found is None or found in results:
            return False
        results[job.index] = self._followed(job, found)
        return True

    def _read(self, jobs: list[_Job], body: object, results: list[Result]) -> None:
        entities = embedded(body, jobs[0].name)
        answered = {str(entity.get("request_id", place)): entity for place, entity in enumerate(entities)}
        lost = _call_errors(body)
        for place, job in enumerate(jobs):
            if job.write.verb is Verb.UPDATE:
                results[job.index] = self._followed(job, _addressed(job.write))
            elif str(place) in answered:
                results[job.index] = self._followed(job, self._made(job, answered[str(place)]))
            else:
                results[job.index] = self._unanswered(job, lost.get(str(place)))

    def _unanswered(self, job: _Job, error: Mapping[str, Any] | None) -> Result:
        if error is not None and error.get("status") == ENTITY_NOT_FOUND:
            return None
        text = str((error or {}).get("detail") or (error or {}).get("title") or "the answer does not mention it")
        if error is None:
            return VendorDown(
                f"{job.write.target}: {text}",
                maybe_applied=True,
                account=self._key,
                remedy="Look whether it is there before sending it again.",
            )
        return refused_item(self._key, job.write.target, Fault("", {"": text}, str(error.get("status") or "")))

    def _made(self, job: _Job, entity: Mapping[str, Any]) -> Ref:
        kind = job.write.kind
        if kind is Kind.CALL:
            parent = str(entity.get("entity_type") or "contact")
            return Ref(self._key, kind, f"{SINGULAR.get(parent, parent)}.{entity['id']}")
        if kind is Kind.NOTE:
            return Ref(self._key, kind, f"{job.path.removeprefix(API).partition('/')[0]}.{entity['id']}")
        return Ref(self._key, kind, str(entity["id"]))

    def _followed(self, job: _Job, done: Ref) -> Result:
        if job.follow is None:
            return done
        try:
            job.follow(done)
        except CrmKitError as error:
            return half_done(self._key, str(done), error) if job.write.verb is Verb.CREATE else error
        return done

    def _move_to_company(self, ref: Ref, company: Ref | None) -> None:
        """A contact has one company: the old one is let go, the new one taken."""
        found = next(iter(self._load([ref])), None)
        old = found.company if isinstance(found, Contact) else None
        if old == company:
            return
        if old is not None:
            self._linker.write(Write(Verb.UNLINK, ref.kind, ref=ref, others=(old,)))
        if company is not None:
            self._linker.write(Write(Verb.LINK, ref.kind, ref=ref, others=(company,)))

    @property
    def _key(self) -> str:
        return self._names.account().key


def _addressed(write: Write) -> Ref:
    if write.ref is None:
        raise Rejected(
            f"a {write.verb.value} of kind {write.kind.value} names no record", remedy="Give the record's ref."
        )
    return write.ref


def _is_empty(job: _Job) -> bool:
    """Nothing of the record itself changes: only what follows is to be done."""
    return job.method == "PATCH" and not (job.item.keys() - {"id", "note_type"})


def _call_errors(body: object) -> dict[str, Mapping[str, Any]]:
    errors = body.get("errors") if isinstance(body, dict) else None
    return {str(error.get("request_id", place)): error for place, error in enumerate(errors or [])}
