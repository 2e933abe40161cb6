"""Creations of several records at once, which the CRM takes in part where it refuses some."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from crmkit.errors import CrmKitError, Rejected, VendorDown
from crmkit.values import Json, Kind, Ref
from crmkit.write import Write
from crmkit_retailcrm.client.directory import Directory
from crmkit_retailcrm.client.line import Line
from crmkit_retailcrm.client.reads import Reader
from crmkit_retailcrm.errors.refusals import errors_of, refused_item
from crmkit_retailcrm.translate import Draft
from crmkit_retailcrm.wire import BATCH, SHELVES, as_list, as_map

_ANSWERS = {Kind.CONTACT: "Customers", Kind.COMPANY: "Customers", Kind.DEAL: "Orders"}


@dataclass(frozen=True, slots=True)
class Job:
    """One creation: its place among the writes, and its body."""

    place: int
    write: Write
    draft: Draft

    @property
    def key(self) -> str:
        """The key under which it stands in the CRM."""
        return str(self.draft.item["externalId"])


class Uploader:
    """Uploads records of one account.

    Args:
        line: the way to the account.
        directory: what the account has by name.
        reader: looks for what is there already.
    """

    def __init__(self, line: Line, directory: Directory, reader: Reader) -> None:
        self._line = line
        self._directory = directory
        self._reader = reader

    def upload(self, kind: Kind, jobs: Sequence[Job]) -> Iterator[tuple[Job, Ref | CrmKitError]]:
        """What became of each, fifty at a time.

        Of an upload whose answer was lost, what is there is found by its key; the rest was not made, or may still be.
        """
        for start in range(0, len(jobs), BATCH):
            part = jobs[start : start + BATCH]
            try:
                yield from self._sent(kind, part)
            except VendorDown as down:
                for job in part:
                    yield job, (self._found(kind, job.key) if down.maybe_applied else None) or down
            except CrmKitError as error:
                for job in part:
                    yield job, error

    def adopted(self, kind: Kind, key: str, refusal: Rejected) -> Ref | None:
        """The record that an earlier call of the same effect made, when that is why this one is refused."""
        said = " ".join([refusal.message, *refusal.fields, *refusal.fields.values()])
        return self.by_key(kind, key) if "externalId" in said else None

    def by_key(self, kind: Kind, key: str) -> Ref | None:
        """The record that stands under a key of ours."""
        found = self._reader.by_key(kind, key)
        return None if found is None else Ref(self._directory.account().key, kind, str(found["id"]))

    def _sent(self, kind: Kind, jobs: Sequence[Job]) -> Iterator[tuple[Job, Ref | CrmKitError]]:
        shelf, name = SHELVES[kind], _ANSWERS[kind]
        items: list[Json] = [job.draft.item for job in jobs]
        form: dict[str, Json] = {"site": self._directory.site(), shelf.many: items}
        body = as_map(self._line.post(f"{shelf.path}/upload", form))
        made = {str(one.get("externalId")): one.get("id") for one in as_list(body.get(f"uploaded{name}"))}
        failed = {str(one.get("externalId")) for one in as_list(body.get(f"failed{name}"))}
        said = _by_key(jobs, errors_of(body))
        for job in jobs:
            if made.get(job.key):
                yield job, Ref(self._directory.account().key, kind, str(made[job.key]))
            elif job.key in failed or job.key in said:
                refusal = refused_item(self._directory.account().key, job.write.target, said.get(job.key, "no reason"))
                yield job, self.adopted(kind, job.key, refusal) or refusal
            else:
                yield job, self._found(kind, job.key) or self._unmentioned(job)

    def _found(self, kind: Kind, key: str) -> Ref | None:
        try:
            return self.by_key(kind, key)
        except CrmKitError:
            return None

    def _unmentioned(self, job: Job) -> VendorDown:
        return VendorDown(
            f"{job.write.target}: the answer does not mention it",
            maybe_applied=True,
            account=self._directory.account().key,
            remedy="Look whether it is there before sending it again.",
        )


def _by_key(jobs: Sequence[Job], errors: dict[str, str]) -> dict[str, str]:
    """What the answer says of each: the vendor counts the places in the upload, or names our key in its text."""
    found: dict[str, str] = {}
    for name, text in errors.items():
        if name.isdigit() and int(name) < len(jobs) and not any(job.key in text for job in jobs):
            found[jobs[int(name)].key] = text
        for job in jobs:
            if job.key in text or job.key == name:
                found[job.key] = text
    return found
