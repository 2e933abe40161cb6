"""Logging calls: registered, finished, and their recording attached; for applications only."""

from __future__ import annotations

from typing import Any

from crmkit.errors import CrmKitError
from crmkit.models import Call
from crmkit.values import Kind, Ref
from crmkit.write import Write
from crmkit_bitrix24.client.directory import Directory
from crmkit_bitrix24.client.line import Line
from crmkit_bitrix24.client.marker import marker_of
from crmkit_bitrix24.errors.refusals import half_done, refused_draft, unsupported
from crmkit_bitrix24.translate import CALL_CODES, CALL_TYPES, moment
from crmkit_bitrix24.wire import Command, mapping

_KINDS = ("CONTACT", "COMPANY", "LEAD")


class Telephony:
    """Enters calls into one account's log.

    Args:
        line: the way to the portal.
        directory: what the account has by name.
        key: the account's key.
    """

    def __init__(self, line: Line, directory: Directory, key: str) -> None:
        self._line = line
        self._directory = directory
        self._key = key

    def log(self, write: Write) -> Ref | None:
        """The logged call's address; None when nobody in the portal has the number.

        Raises Unsupported through a webhook. Source: Bitrix24 REST, pages "telephony.externalCall.*".
        """
        call = write.record
        if not isinstance(call, Call):
            raise unsupported(self._key, "change a logged call", "Log it once, when it has ended.")
        if not self._line.is_application:
            raise unsupported(self._key, "log calls through a webhook", "Connect an application (OAuth).")
        if call.phone is None:
            raise refused_draft(self._key, "phone", "a call has a number", "Set phone.")
        number = call.phone.e164 or call.phone.raw
        card = self._card(call, number)
        if card is None:
            return None
        user = self._user(call)
        params: dict[str, Any] = {
            "USER_ID": user,
            "PHONE_NUMBER": number,
            "TYPE": CALL_TYPES[call.direction],
            "CRM_CREATE": 0,
            "CRM_ENTITY_TYPE": card[0],
            "CRM_ENTITY_ID": card[1],
            "SHOW": 0,
            "ADD_TO_CHAT": 0,
            # The same key gives the same call for half an hour, so that a repeat does not register another.
            "EXTERNAL_CALL_ID": marker_of(write),
            **write.extra,
        }
        if call.started_at is not None:
            params["CALL_START_DATE"] = moment(call.started_at)
        made = mapping(self._line.call("telephony.externalCall.register", params))
        ref = Ref(self._key, Kind.CALL, str(made["CALL_ID"]))
        try:
            self._finish(ref, user, call)
        except CrmKitError as error:
            raise half_done(self._key, str(ref), error) from error
        return ref

    def _finish(self, ref: Ref, user: str, call: Call) -> None:
        finish = {
            "CALL_ID": ref.id,
            "USER_ID": user,
            "DURATION": call.talk_s,
            "STATUS_CODE": CALL_CODES[call.status],
            "ADD_TO_CHAT": 0,
        }
        self._line.call("telephony.externalCall.finish", finish, is_safe=False)
        if call.recording is not None and call.recording.url:
            record = {"CALL_ID": ref.id, "FILENAME": "call.mp3", "RECORD_URL": call.recording.url}
            self._line.call("telephony.externalCall.attachRecord", record)

    def _user(self, call: Call) -> str:
        user = call.owner_id or (call.employee.user_id if call.employee else None) or self._directory.account().user_id
        if user is None:
            raise refused_draft(self._key, "owner_id", "the portal has to know whose call it was", "Set owner_id.")
        return user

    def _card(self, call: Call, number: str) -> tuple[str, int] | None:
        for ref, name in ((call.contact, "CONTACT"), (call.company, "COMPANY"), (call.deal, "DEAL")):
            if ref is not None:
                return name, int(ref.id)
        values = [number, number.lstrip("+")]
        commands = [
            Command("crm.duplicate.findbycomm", {"type": "PHONE", "values": values, "entity_type": name})
            for name in _KINDS
        ]
        for name, result in zip(_KINDS, self._line.every(commands), strict=True):
            if found := mapping(result).get(name):
                return name, int(found[0])
        return None
