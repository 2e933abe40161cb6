"""What the account has by name: itself, its user fields, employees, the mode of its CRM; read once, remembered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from crmkit.adapter import Account
from crmkit.clock import Clock
from crmkit.errors import AccountBlocked, AuthError, CrmKitError, RateLimited, Unsupported, VendorDown
from crmkit.models import FieldDef
from crmkit.remembered import Remembered
from crmkit.values import Json, Kind
from crmkit_bitrix24.auth import Bitrix24Settings
from crmkit_bitrix24.client.line import Line
from crmkit_bitrix24.errors.refusals import VENDOR
from crmkit_bitrix24.translate import Definitions, definitions_of, field_def
from crmkit_bitrix24.wire import ENTITIES, PAGE, Command, mapping, rows

_SIMPLE = "2"


class Directory:
    """The names of one account.

    Args:
        line: the way to the portal.
        settings: the account's.
        clock: the time.
    """

    def __init__(self, line: Line, settings: Bitrix24Settings, clock: Clock) -> None:
        self._line = line
        self._settings = settings
        self._names = Remembered(clock)
        self._is_admin = False

    def account(self) -> Account:
        """The account; one request, then remembered for good."""
        return self._names.get("account", self._read_account, fresh_s=float("inf"))

    def fields(self, kind: Kind, *, afresh: bool = False) -> Sequence[FieldDef]:
        """The user fields of a kind; empty for kinds that have none."""
        found = self.definitions(kind, afresh=afresh)
        return tuple(field_def(name, definition, kind) for name, definition in found.items())

    def definitions(self, kind: Kind, *, afresh: bool = False) -> Definitions:
        """The user fields of a kind as they are kept with bodies."""
        if kind not in ENTITIES:
            return Definitions({})
        return self._names.get(f"fields {kind}", lambda: self._read_fields(kind), afresh=afresh)

    def unread(self, kind: Kind) -> list[Command]:
        """What has to be asked before bodies of a kind can be translated, to go along with another call."""
        asked = [] if "account" in self._names else [Command("profile", {}), Command("crm.currency.base.get", {})]
        if kind in ENTITIES and f"fields {kind}" not in self._names:
            asked.append(Command(f"crm.{ENTITIES[kind].name}.fields", {}))
        return asked

    def take(self, kind: Kind, commands: Sequence[Command], results: Sequence[Json | CrmKitError]) -> None:
        """Remember what `unread` asked for, once it is answered; a refusal is met again when the name is needed."""
        answers = {
            command.method: result
            for command, result in zip(commands, results, strict=True)
            if not isinstance(result, CrmKitError)
        }
        if "profile" in answers:
            self._names.keep("account", self._account_of(answers["profile"], answers.get("crm.currency.base.get")))
        if kind in ENTITIES and (fields := answers.get(f"crm.{ENTITIES[kind].name}.fields")) is not None:
            self._names.keep(f"fields {kind}", definitions_of(mapping(fields)))

    def users(self, *, afresh: bool = False) -> Sequence[dict[str, Any]]:
        """The employees, whether they are still there or not."""
        return self._names.get("users", self._read_users, afresh=afresh)

    def knows_user(self, user_id: str) -> bool:
        """The portal has such an employee, or does not let us see its employees."""
        try:
            if any(str(user.get("ID")) == user_id for user in self.users()):
                return True
            return any(str(user.get("ID")) == user_id for user in self.users(afresh=True))
        except (VendorDown, RateLimited, AuthError, AccountBlocked):
            raise
        except CrmKitError:
            return True

    def administrator(self) -> str | None:
        """Our own user, when it is an administrator; the portal tells of nobody else. Source: page "profile"."""
        user_id = self.account().user_id
        return user_id if self._is_admin else None

    def has_leads(self) -> bool:
        """The CRM is in its classic mode, in which requests are leads. Source: page "crm.settings.mode.get"."""
        return self._names.get("mode", self._read_mode) != _SIMPLE

    def _read_account(self) -> Account:
        profile, currency = self._line.batch([Command("profile", {}), Command("crm.currency.base.get", {})])
        if isinstance(profile, VendorDown | RateLimited | AuthError | AccountBlocked):
            raise profile
        return self._account_of(profile, currency)

    def _account_of(self, profile: Json | CrmKitError, currency: object) -> Account:
        mine = {} if isinstance(profile, CrmKitError) else mapping(profile)
        self._is_admin = mine.get("ADMIN") is True
        url = self._settings.base_url.rstrip("/")
        host = urlsplit(url).netloc
        return Account(
            key=self._settings.key,
            vendor=VENDOR,
            id=self._settings.member_id or host,
            name=host,
            url=url,
            timezone=str(mine.get("TIME_ZONE") or "Europe/Moscow"),
            currency=currency if isinstance(currency, str) and currency else "RUB",
            country=self._settings.country,
            user_id=str(mine["ID"]) if mine.get("ID") else None,
        )

    def _read_fields(self, kind: Kind) -> Definitions:
        try:
            return definitions_of(mapping(self._line.call(f"crm.{ENTITIES[kind].name}.fields")))
        except Unsupported as error:
            if error.code != "ERROR_METHOD_NOT_FOUND":
                raise
            # A portal that cannot be asked for fields has none of its own.
            return Definitions({})

    def _read_users(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            page = rows(self._line.call("user.get", {"sort": "ID", "order": "ASC", "start": len(found)}))
            found += page
            if len(page) < PAGE:
                return found

    def _read_mode(self) -> str:
        try:
            return str(self._line.call("crm.settings.mode.get"))
        except (VendorDown, RateLimited, AuthError, AccountBlocked):
            raise
        except CrmKitError:
            return ""
