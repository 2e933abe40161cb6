"""What the account has by name: itself, its custom fields, pipelines, reasons of loss; read once, remembered."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from crmkit.adapter import Account
from crmkit.clock import Clock
from crmkit.models import FieldDef
from crmkit.values import Kind
from crmkit_amocrm.auth import AmoCrmSettings
from crmkit_amocrm.client.line import Line
from crmkit_amocrm.errors.refusals import VENDOR
from crmkit_amocrm.translate import field_def
from crmkit_amocrm.wire import PATHS

T = TypeVar("T")

FRESH_S = 600.0
"""Names are read again after this long; an unknown name is looked for afresh at once."""

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
        self._lock = threading.RLock()
        self._kept: dict[str, tuple[float, Any]] = {}

    def account(self) -> Account:
        """The account; one request, then remembered for good."""
        return self._remembered("account", self._read_account, float("inf"))

    def fields(self, kind: Kind, *, afresh: bool = False) -> Sequence[FieldDef]:
        """The custom fields of a kind; empty for kinds that have none."""
        if kind not in _WITH_FIELDS:
            return ()
        return self._remembered(f"fields {kind}", lambda: self._read_fields(kind), 0.0 if afresh else FRESH_S)

    def loss_reasons(self, *, afresh: bool = False) -> Mapping[str, int]:
        """Ids of the reasons why deals are lost, by name."""
        return self._remembered("loss reasons", self._read_loss_reasons, 0.0 if afresh else FRESH_S)

    def _remembered(self, name: str, read: Callable[[], T], fresh_s: float) -> T:
        now = self._clock.now().timestamp()
        with self._lock:
            kept = self._kept.get(name)
            if kept is not None and now - kept[0] < fresh_s:
                found: T = kept[1]
                return found
            found = read()
            self._kept[name] = (now, found)
            return found

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
