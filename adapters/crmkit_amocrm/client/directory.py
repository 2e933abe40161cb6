"""What the account has by name: itself, its custom fields, pipelines, reasons of loss; read once, remembered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crmkit.adapter import Account
from crmkit.clock import Clock
from crmkit.models import FieldDef
from crmkit.remembered import Remembered
from crmkit.values import Kind
from crmkit_amocrm.auth import AmoCrmSettings
from crmkit_amocrm.client.line import Line
from crmkit_amocrm.errors.refusals import VENDOR
from crmkit_amocrm.translate import field_def
from crmkit_amocrm.wire import PATHS

_WITH_FIELDS = (Kind.DEAL, Kind.CONTACT, Kind.COMPANY)


class Directory:
    """The names of one account.

    Args:
        line: the way to the account.
        settings: the account's.
        clock: the time.
    """

    def __init__(self, line: Line, settings: AmoCrmSettings, clock: Clock) -> None:
        self._line = line
        self._settings = settings
        self._clock = clock
        self._names = Remembered(clock)

    def account(self) -> Account:
        """The account; one request, then remembered for good."""
        return self._names.get("account", self._read_account, fresh_s=float("inf"))

    def fields(self, kind: Kind, *, afresh: bool = False) -> Sequence[FieldDef]:
        """The custom fields of a kind; empty for kinds that have none."""
        if kind not in _WITH_FIELDS:
            return ()
        return self._names.get(f"fields {kind}", lambda: self._read_fields(kind), afresh=afresh)

    def loss_reasons(self, *, afresh: bool = False) -> Mapping[str, int]:
        """Ids of the reasons why deals are lost, by name."""
        return self._names.get("loss reasons", self._read_loss_reasons, afresh=afresh)

    def _read_account(self) -> Account:
        found: Any = self._line.get("account", [("with", "datetime_settings")])
        inner = (found.get("_embedded") or {}).get("datetime_settings") or {}
        user = self._settings.user_id or found.get("current_user_id")
        return Account(
            key=self._settings.key,
            vendor=VENDOR,
            id=str(found["id"]),
            name=found.get("name") or "",
            url=self._settings.base_url.rstrip("/"),
            timezone=inner.get("timezone") or "Europe/Moscow",
            currency=found.get("currency") or "RUB",
            country=self._settings.country,
            user_id=str(user) if user else None,
        )

    def _read_fields(self, kind: Kind) -> tuple[FieldDef, ...]:
        path = f"{PATHS[kind]}/custom_fields"
        return tuple(field_def(raw, kind) for raw in self._line.every(path, "custom_fields"))

    def _read_loss_reasons(self) -> dict[str, int]:
        return {str(item["name"]): int(item["id"]) for item in self._line.every("leads/loss_reasons", "loss_reasons")}
