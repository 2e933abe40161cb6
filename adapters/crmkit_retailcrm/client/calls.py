"""Finished calls go into the CRM's telephony log, fifty at a time; it cannot be read back."""

from __future__ import annotations

from collections.abc import Sequence

from crmkit.errors import CrmKitError
from crmkit.values import Json, Kind, Ref
from crmkit.write import Verb, Write
from crmkit_retailcrm.client.line import Line
from crmkit_retailcrm.errors.refusals import unsupported
from crmkit_retailcrm.translate import Names, call_item, call_key
from crmkit_retailcrm.wire import BATCH


class CallLog:
    """Enters calls of one account.

    Args:
        line: the way to the account.
        names: what the account has by name.
    """

    def __init__(self, line: Line, names: Names) -> None:
        self._line = line
        self._names = names

    def write_many(self, writes: Sequence[Write]) -> list[Ref | CrmKitError | None]:
        """The address of each call, or why it was refused. A call that was entered before stays as it was."""
        account = self._names.account()
        results: list[Ref | CrmKitError | None] = [None] * len(writes)
        ready: list[tuple[int, dict[str, Json]]] = []
        for place, write in enumerate(writes):
            if write.verb is not Verb.CREATE:
                results[place] = unsupported(account.key, "change a logged call", "Log it once, when it has ended.")
                continue
            try:
                ready.append((place, call_item(write, account)))
                results[place] = Ref(account.key, Kind.CALL, call_key(write))
            except CrmKitError as error:
                results[place] = error
        for start in range(0, len(ready), BATCH):
            part = ready[start : start + BATCH]
            try:
                # The vendor keeps a call once by its externalId, so that sending it again does no harm.
                calls = [item for _, item in part]
                self._line.post("telephony/calls/upload", {"calls": calls}, is_repeatable=True)
            except CrmKitError as error:
                for place, _ in part:
                    results[place] = error
        return results
