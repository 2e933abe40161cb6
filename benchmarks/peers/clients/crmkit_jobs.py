"""The jobs by crmkit: every record a typed one, handled as it comes."""
# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import gettempdir
from typing import Any

from stopwatch import report

from crmkit import Crm, Kind, Task, connect
from crmkit.adapter import Doors
from crmkit.http import RateLimit, Urgency
from crmkit.registry import adapter
from crmkit.tokens import FileTokenStore

given: Mapping[str, Any] = json.load(sys.stdin)


class Unlimited:
    """Lets everybody pass at once, as the emulator does when its limits are off."""

    def wait(self, limits: Sequence[RateLimit], urgency: Urgency) -> None:
        """Pass."""

    def push(self, limit: RateLimit, seconds: float) -> None:
        """Nobody is refused."""


def opened() -> Crm:
    """The account, with our limiter unless the limits are off."""
    vendor, base_url, secrets = given["vendor"], given["base_url"], given["secrets"]
    if not given["is_unlimited"]:
        return connect(vendor, base_url=base_url, **secrets)
    found = adapter(vendor)
    own = found.settings_type(key="script", vendor=vendor, base_url=base_url, **secrets)
    return Crm(found.open(own, Doors(tokens=FileTokenStore(Path(gettempdir())), limiter=Unlimited())))


crm = opened()


def contacts_by_id() -> int:
    """People by their ids."""
    return len(crm.contacts.get_many([crm.ref(Kind.CONTACT, one) for one in given["ids"]]))


def tasks() -> int:
    """A to-do on each deal."""
    due = datetime.now(UTC) + timedelta(days=1)
    new = [Task(text="Call back", due=due, about=crm.ref(Kind.DEAL, one)) for one in given["ids"]]
    return len(crm.tasks.create_many(new).done)


JOBS: Mapping[str, Callable[[], int]] = {
    "leads": lambda: sum(1 for _ in crm.deals.iterate()),
    "deals": lambda: sum(1 for _ in crm.deals.iterate()),
    "orders": lambda: sum(1 for _ in crm.deals.iterate()),
    "customers": lambda: sum(1 for _ in crm.contacts.iterate()),
    "contacts by id": contacts_by_id,
    "tasks": tasks,
    "many tasks": tasks,
}
report(JOBS[sys.argv[1]])
