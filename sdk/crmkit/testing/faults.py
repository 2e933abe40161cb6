"""Faults on demand, and the record of what was asked: how a test makes the memory CRM misbehave."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass

from crmkit.errors import CrmKitError
from crmkit.http import Urgency
from crmkit.values import Kind, Ref
from crmkit.write import Verb


class Reading(enum.StrEnum):
    """What is asked of a CRM beside writes."""

    ACCOUNT = "account"
    LOAD = "load"
    PAGES = "pages"
    FIND = "find"
    DOWNLOAD = "download"
    FIELDS = "fields"
    RECOVER = "recover"
    FEED = "feed"
    HOOKS = "hooks"
    CALL = "call"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request that reached the CRM."""

    account: str
    verb: Verb | Reading
    kind: Kind | None
    refs: tuple[Ref, ...] = ()
    urgency: Urgency = Urgency.LIVE


@dataclass(slots=True)
class Fault:
    """An error that waits for a request: `times` None until healed; with `is_applied` the write is done before."""

    error: CrmKitError | Callable[[], CrmKitError]
    times: int | None
    verb: Verb | Reading | None
    kind: Kind | None
    account: str | None
    is_applied: bool

    def meets(self, asked: Asked) -> bool:
        """The request is one that this fault waits for."""
        return (
            self.times != 0
            and self.verb in (None, asked.verb)
            and self.kind in (None, asked.kind)
            and self.account in (None, asked.account)
        )

    def take(self) -> CrmKitError:
        """The error, counted off."""
        if self.times is not None:
            self.times -= 1
        return self.error if isinstance(self.error, CrmKitError) else self.error()


class Faults:
    """The faults that wait; the first that meets a request is taken."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Let a fault wait behind the others."""
        self._waiting.append(fault)

    def clear(self) -> None:
        """Forget all faults."""
        self._waiting.clear()

    def find(self, asked: Asked) -> Fault | None:
        """The fault that meets the request, if any."""
        return next((fault for fault in self._waiting if fault.meets(asked)), None)
