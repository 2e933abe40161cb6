"""Incoming leads (unsorted): made, accepted, declined."""

from __future__ import annotations

from typing import Any

from crmkit.clock import Clock
from crmkit.errors import Rejected
from crmkit.values import Json, Kind, Ref
from crmkit.write import Verb, Write
from crmkit_amocrm.client.line import API, Line
from crmkit_amocrm.errors.refusals import refused_draft, unsupported
from crmkit_amocrm.translate import Names, laid_over
from crmkit_amocrm.translate.intake import unsorted_body
from crmkit_amocrm.wire import embedded

ACCEPTED, DECLINED = "accepted", "declined"


class LeadInbox:
    """What can be done to requests that nobody has accepted yet."""

    def __init__(self, line: Line, names: Names, clock: Clock) -> None:
        self._line = line
        self._names = names
        self._clock = clock

    def write(self, write: Write) -> Ref | None:
        """Make a request; accept or decline it by its `status`; delete declines it."""
        match write.verb:
            case Verb.CREATE:
                return self._create(write)
            case Verb.UPDATE:
                return self._settle(write)
            case Verb.DELETE if write.ref is not None:
                return self._decline(write.ref, write)
        raise unsupported(
            self._names.account().key,
            f"{write.verb.value} an incoming lead",
            "Accept it first, then link its deal.",
        )

    def _create(self, write: Write) -> Ref:
        category, item = unsorted_body(write, self._names, self._clock.now())
        body = self._line.send("POST", f"{API}leads/unsorted/{category}", body=[{**item, "request_id": "0"}])
        made = embedded(body, "unsorted")
        if not made:
            raise Rejected(
                "amoCRM gave no uid for the incoming lead",
                account=self._names.account().key,
                remedy="Check that incoming leads are switched on for the pipeline.",
            )
        return Ref(self._names.account().key, Kind.LEAD, str(made[0]["uid"]))

    def _settle(self, write: Write) -> Ref | None:
        values = write.values()
        wrong = sorted(values.keys() - {"status", "owner_id"})
        if wrong or write.ref is None:
            raise refused_draft(
                self._names.account().key,
                ", ".join(wrong) or "ref",
                "an incoming lead can only be accepted or declined",
                "Change its deal instead: lead.deal.",
            )
        status = values.get("status")
        if status == DECLINED:
            return self._decline(write.ref, write)
        if status != ACCEPTED:
            raise refused_draft(
                self._names.account().key,
                "status",
                f"{status!r} is no answer to an incoming lead",
                f"Use {ACCEPTED!r} or {DECLINED!r}.",
            )
        path = f"{API}leads/unsorted/{write.ref.id}/accept"
        self._line.send("POST", path, body=self._body(write))
        return write.ref

    def _decline(self, ref: Ref, write: Write) -> Ref:
        self._line.send("DELETE", f"{API}leads/unsorted/{ref.id}/decline", body=self._body(write))
        return ref

    def _body(self, write: Write) -> Json:
        owner = write.values().get("owner_id") or self._names.account().user_id
        found: dict[str, Any] = {"user_id": int(owner)} if owner else {}
        body: Json = laid_over(found, write.extra)
        return body
