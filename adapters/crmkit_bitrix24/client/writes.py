"""Carrying out writes: alone with one call, many by fifties, each with its own result."""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from crmkit.errors import CrmKitError
from crmkit.values import Json, Kind, Ref
from crmkit.write import Verb, Write
from crmkit_bitrix24.client.cards import Cards, Job, addressed, made_id
from crmkit_bitrix24.client.directory import Directory
from crmkit_bitrix24.client.line import Batch, Line
from crmkit_bitrix24.client.links import Linker
from crmkit_bitrix24.client.merge import Merger
from crmkit_bitrix24.client.telephony import Telephony
from crmkit_bitrix24.client.todos import Todos, made_task_id
from crmkit_bitrix24.errors.refusals import half_done, unnamed, unsupported
from crmkit_bitrix24.wire import BATCH, ENTITIES

Result = Ref | CrmKitError | None


class Writer:
    """Carries out writes of one account.

    Args:
        line: the way to the portal.
        names: what the account has by name.
        url: the portal's address.
        key: the account's key.
    """

    def __init__(self, line: Line, names: Directory, url: str, key: str) -> None:
        self._line = line
        self._key = key
        self._linker = Linker(line)
        self._cards = Cards(line, names, self._linker)
        self._todos = Todos(line, names, key)
        self._telephony = Telephony(line, names, key)
        self._merger = Merger(line, url, key)

    def write_many(self, writes: Sequence[Write]) -> list[Result]:
        """A result for each, in order; a refused one does not stop the others."""
        results: list[Result] = [None] * len(writes)
        current = self._current(writes, results)
        sent: deque[list[Job]] = deque()
        parts = self._parts(self._jobs(writes, current, results), sent)
        for answers in self._line.batches(parts, is_write=True, is_ordered=_is_ordered(writes)):
            for job, answer in zip(sent.popleft(), answers, strict=True):
                results[job.index] = self._settled(job, answer)
        return results

    def _jobs(
        self, writes: Sequence[Write], current: Mapping[Ref, Mapping[str, Any]], results: list[Result]
    ) -> Iterator[Job]:
        """What goes into batches; all else is done, or refused, when its turn comes."""
        for index, write in enumerate(writes):
            if isinstance(results[index], CrmKitError):
                continue
            try:
                job = self._job(index, write, current)
                if job is None:
                    results[index] = self._alone(write)
                elif job.command is None:
                    results[index] = self._followed(job, addressed(write))
                else:
                    yield job
            except CrmKitError as error:
                results[index] = _named(error, write)

    def _parts(self, jobs: Iterator[Job], sent: deque[list[Job]]) -> Iterator[Batch]:
        """The jobs by fifties, each of them noted in `sent` as it leaves."""
        while part := list(islice(jobs, BATCH)):
            sent.append(part)
            commands = [job.command for job in part if job.command is not None]
            yield Batch(commands, True, all(job.is_repeatable for job in part))

    def _current(self, writes: Sequence[Write], results: list[Result]) -> Mapping[Ref, Mapping[str, Any]]:
        """The cards whose multifields change, in one batch; one that is gone must not stop the others."""
        try:
            return self._cards.current(writes)
        except CrmKitError as error:
            if len(writes) == 1:
                results[0] = _named(error, writes[0])
                return {}
        found: dict[Ref, Mapping[str, Any]] = {}
        for index, write in enumerate(writes):
            try:
                found.update(self._cards.current([write]))
            except CrmKitError as error:
                results[index] = _named(error, write)
        return found

    def _job(self, index: int, write: Write, current: Mapping[Ref, Mapping[str, Any]]) -> Job | None:
        """What can go into a batch; None for a write of several calls."""
        if write.verb in (Verb.LINK, Verb.UNLINK, Verb.MERGE, Verb.READDRESS) or write.kind is Kind.CALL:
            return None
        if write.kind not in (*ENTITIES, Kind.TASK, Kind.NOTE):
            raise unsupported(self._key, f"write a {write.kind.value}", "Change it in the portal's own settings.")
        if write.verb is Verb.CREATE:
            if write.kind is Kind.TASK:
                return self._todos.create(index, write)
            return (
                self._todos.create_note(index, write) if write.kind is Kind.NOTE else self._cards.create(index, write)
            )
        ref = addressed(write)
        if write.verb is Verb.DELETE:
            delete = {Kind.TASK: self._todos.delete, Kind.NOTE: self._todos.delete_note}
            return delete.get(write.kind, self._cards.delete)(index, write, ref)
        if write.kind is Kind.TASK:
            return self._todos.update(index, write, ref)
        if write.kind is Kind.NOTE:
            return self._todos.update_note(index, write, ref)
        return self._cards.update(index, write, ref, current.get(ref, {}))

    def _alone(self, write: Write) -> Ref | None:
        if write.kind is Kind.CALL:
            return self._telephony.log(write)
        if write.verb is Verb.MERGE:
            self._merger.merge(addressed(write), write.others)
        elif write.verb is not Verb.READDRESS:  # who listens is told elsewhere: a portal keeps no such thing
            self._linker.write(write)
        return write.ref

    def _settled(self, job: Job, answer: Json | CrmKitError) -> Result:
        if isinstance(answer, CrmKitError):
            return _named(answer, job.write)
        made = self._made(job.write, answer)
        return made if isinstance(made, CrmKitError) else self._followed(job, made)

    def _made(self, write: Write, answer: Json) -> Ref | CrmKitError:
        if write.ref is not None:
            return write.ref
        try:
            record_id = made_task_id(answer) if write.kind is Kind.TASK else made_id(write.kind, answer)
        except KeyError:
            return unnamed(self._key, write.target)
        return Ref(self._key, write.kind, record_id)

    def _followed(self, job: Job, done: Ref) -> Result:
        if job.follow is None:
            return done
        try:
            job.follow(done)
        except CrmKitError as error:
            return half_done(self._key, str(done), error) if job.write.verb is Verb.CREATE else _named(error, job.write)
        return done


def _is_ordered(writes: Sequence[Write]) -> bool:
    """One batch must wait for the other: a record is written twice, or remarks are to stand in their order."""
    refs = [write.ref for write in writes if write.ref is not None]
    is_mixed = any(write.verb is not writes[0].verb for write in writes)
    return is_mixed or len(set(refs)) < len(refs) or any(write.kind is Kind.NOTE for write in writes)


def _named(error: CrmKitError, write: Write) -> CrmKitError:
    """The error with the record it is about; a copy, because a batch shares one."""
    if error.ref is not None or write.ref is None:
        return error
    own = copy.copy(error)
    own.ref = str(write.ref)
    return own
