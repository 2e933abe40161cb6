"""What the account has by name: itself, its fields, users, statuses and sites; read once, remembered."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from crmkit.adapter import Account
from crmkit.clock import Clock
from crmkit.models import FieldDef, Outcome
from crmkit.remembered import FRESH_S, Remembered
from crmkit.values import Kind
from crmkit_retailcrm.auth import RetailCrmSettings
from crmkit_retailcrm.client.line import Line
from crmkit_retailcrm.errors.refusals import VENDOR, refused_draft
from crmkit_retailcrm.translate import field_def
from crmkit_retailcrm.wire import FIELD_ENTITIES, NEW_PIPELINE, as_list, as_map, listed


class Directory:
    """The names of one account.

    Args:
        line: the way to the account.
        settings: the account's.
        clock: the time.
    """

    def __init__(self, line: Line, settings: RetailCrmSettings, clock: Clock) -> None:
        self._line = line
        self._settings = settings
        self._clock = clock
        self._names = Remembered(clock)
        self._lock = threading.Lock()
        self._missed: dict[str, float] = {}

    def account(self) -> Account:
        """The account; one request, then remembered for good."""
        return self._names.get("account", self._read_account, fresh_s=float("inf"))

    def fields(self, kind: Kind, *, afresh: bool = False) -> Sequence[FieldDef]:
        """The custom fields of a kind, with the options of their dictionaries; empty for kinds that have none."""
        if kind not in FIELD_ENTITIES:
            return ()
        every = self._names.get("fields", self._read_fields, afresh=afresh)
        return every[kind]

    def field_map(self, kind: Kind) -> Mapping[str, FieldDef]:
        """The custom fields of a kind by code."""
        return {field.id: field for field in self.fields(kind)}

    def users(self, *, afresh: bool = False) -> Sequence[Mapping[str, Any]]:
        """All users, those who have left included."""
        return self._names.get("users", lambda: list(self._line.every("users", "users")), afresh=afresh)

    def has_user(self, user_id: str) -> bool:
        """The account has, or had, such a user."""
        return any(str(user.get("id")) == user_id for afresh in (False, True) for user in self.users(afresh=afresh))

    def default_owner_id(self) -> str:
        """Whose tasks are that name nobody: the setting's, else the first active manager, else the first active user.

        Raises Rejected when the account has no active user.
        """
        if self._settings.default_owner_id is not None:
            return self._settings.default_owner_id
        active = sorted(
            (user for user in self.users() if user.get("active")),
            key=lambda user: (not user.get("isManager"), int(user["id"])),
        )
        if not active:
            raise refused_draft(
                self._settings.key, "owner_id", "a task has a performer", "Set owner_id, or default_owner_id."
            )
        return str(active[0]["id"])

    def pipelines(self, *, afresh: bool = False) -> Sequence[Mapping[str, Any]]:
        """The order types, each with all statuses in the order of their groups; three requests, then remembered."""
        return self._names.get("pipelines", self._read_pipelines, afresh=afresh)

    def has_stage(self, pipeline_id: str, stage_id: str) -> bool:
        """The account has such an order type with such a status."""
        return any(
            str(pipeline["id"]) == pipeline_id and any(status["code"] == stage_id for status in pipeline["statuses"])
            for afresh in (False, True)
            for pipeline in self.pipelines(afresh=afresh)
        )

    def main_pipeline(self) -> str:
        """The order type of orders that name none."""
        return str(_main(self._types())["code"])

    def outcomes(self, statuses: Collection[str]) -> Mapping[str, str]:
        """What statuses mean for their orders; one request, then remembered.

        For one that is not among them the list is read again, but not sooner than in ten minutes for the same one.
        """
        known = self._statuses()
        now = self._clock.now().timestamp()
        with self._lock:
            strange = [one for one in statuses if one not in known and self._missed.get(one, 0.0) < now - FRESH_S]
            self._missed |= dict.fromkeys(strange, now)
        if strange:
            known = self._statuses(afresh=True)
        return {code: str(status["outcome"]) for code, status in known.items()}

    def role(self, name: str) -> str | None:
        """The custom field that the settings name for `title`, `phone` or `email`."""
        roles = {
            "title": self._settings.title_field,
            "phone": self._settings.company_phone_field,
            "email": self._settings.company_email_field,
        }
        return roles[name]

    def site(self) -> str | None:
        """The shop in which records are made: the setting's, else the default one of those that the key sees."""
        if self._settings.site is not None:
            return self._settings.site
        return self._names.get("site", self._read_site)

    def _read_account(self) -> Account:
        found = as_map(as_map(self._line.get("settings")).get("settings"))
        url = self._settings.base_url.rstrip("/")
        host = urlsplit(url).hostname or ""
        return Account(
            key=self._settings.key,
            vendor=VENDOR,
            id=host,
            name=host.partition(".")[0],
            url=url,
            timezone=str(as_map(found.get("timezone")).get("value") or "Europe/Moscow"),
            currency=str(as_map(found.get("default_currency")).get("value") or "RUB"),
            country=self._settings.country,
        )

    def _read_fields(self) -> dict[Kind, tuple[FieldDef, ...]]:
        raw = list(self._line.every("custom-fields", "customFields"))
        dictionaries: dict[str, Mapping[str, Any]] = {}
        if any(field.get("dictionary") for field in raw):
            found = self._line.every("custom-fields/dictionaries", "customDictionaries")
            dictionaries = {str(one["code"]): one for one in found}
        return {
            kind: tuple(field_def(field, kind, dictionaries) for field in raw if field.get("entity") == entity)
            for kind, entity in FIELD_ENTITIES.items()
        }

    def _statuses(self, *, afresh: bool = False) -> Mapping[str, dict[str, Any]]:
        return self._names.get("statuses", self._read_statuses, afresh=afresh)

    def _types(self, *, afresh: bool = False) -> list[dict[str, Any]]:
        return self._names.get("types", self._read_types, afresh=afresh)

    def _read_statuses(self) -> dict[str, dict[str, Any]]:
        found = [dict(one) for one in listed(self._line.get("reference/statuses"), "statuses")]
        for status in found:
            code, chosen = str(status["code"]), self._settings.outcomes
            outcome = chosen.get(code) or chosen.get(str(status.get("group")), Outcome.OPEN)
            status["code"], status["outcome"] = code, outcome.value
        return {status["code"]: status for status in found}

    def _read_types(self) -> list[dict[str, Any]]:
        return listed(self._line.get("reference/order-types"), "orderTypes") or [{"code": NEW_PIPELINE, "name": ""}]

    def _read_pipelines(self) -> list[dict[str, Any]]:
        groups = {str(one["code"]): one for one in listed(self._line.get("reference/status-groups"), "statusGroups")}
        statuses = sorted(
            self._statuses(afresh=True).values(),
            key=lambda one: (_ordering(groups.get(str(one.get("group")), {})), _ordering(one)),
        )
        types = self._types(afresh=True)
        main = _main(types)
        return [{**one, "id": str(one["code"]), "isMain": one is main, "statuses": statuses} for one in types]

    def _read_site(self) -> str | None:
        """The default shop of those that the key sees. Source: retailCRM API v5, method `credentials`."""
        rights = as_map(self._line.send("GET", "/api/credentials"))
        sites = as_list(as_map(self._line.get("reference/sites")).get("sites"))
        if rights.get("siteAccess") == "access_selective":
            seen = [str(code) for code in as_list(rights.get("sitesAvailable"))]
            sites = [site for site in sites if str(site.get("code")) in seen]
        chosen = next((site for site in sites if site.get("defaultForCrm")), sites[0] if sites else None)
        return str(chosen["code"]) if chosen else None


def _main(types: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The order type that stands for orders without one."""
    return next((one for name in ("defaultForCrm", "defaultForApi") for one in types if one.get(name)), types[0])


def _ordering(one: Mapping[str, Any]) -> int:
    return int(one.get("ordering") or 0)
