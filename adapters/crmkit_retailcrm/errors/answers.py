"""What retailCRM's refusals mean: the only place where an answer becomes one of our errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from crmkit.errors import (
    AuthError,
    CrmKitError,
    NotFound,
    RateLimited,
    Rejected,
    Unsupported,
    VendorDown,
)
from crmkit.http import Judge, Reply, Request
from crmkit_retailcrm.errors.refusals import MEND, PARTLY_LOADED, VENDOR, Merged, errors_of


def judge_for(account: str) -> Judge:
    """The table of refusals, for answers to account `account`."""

    def judge(request: Request, reply: Reply) -> CrmKitError | None:
        return _Case(account, request, reply).error()

    return judge


def holds_file(path: str, reply: Reply) -> bool:
    """The answer is the bytes of a file, which may be a page or JSON as well.

    Source: retailCRM API v5, method `files/{id}/download`; files are named by `Content-Disposition`.
    """
    kind = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/octet-stream":
        return True
    is_named = "content-disposition" in reply.headers
    return path.endswith("/download") and (is_named or kind not in ("text/html", "application/json"))


class _Case:
    """One answer in the light of its request."""

    def __init__(self, account: str, request: Request, reply: Reply) -> None:
        self._account = account
        self._request = request
        self._reply = reply
        self._body: Mapping[str, Any] | None = None
        self._is_file = 200 <= reply.status < 300 and holds_file(request.path, reply)
        if not self._is_file:
            try:
                body = reply.json()
            except ValueError:
                body = None
            self._body = body if isinstance(body, Mapping) else None

    def error(self) -> CrmKitError | None:
        status = self._reply.status
        if status in (429, 503):
            return self._limited()
        if status >= 500 or self._is_unreadable():
            return self._unusable()
        if status == PARTLY_LOADED and self._request.path.endswith("/upload"):
            return None
        if 200 <= status < 300:
            return self._refused() if self._body is not None and self._body.get("success") is False else None
        return _TABLE.get(status, _Case._refused)(self)

    def _is_unreadable(self) -> bool:
        """The answer says nothing that the API says: a page, half of the data, or nothing where a body is due."""
        status = self._reply.status
        is_bare = not self._reply.content.strip() and status in _WITHOUT_BODY
        return self._body is None and not self._is_file and not is_bare

    def _limited(self) -> CrmKitError:
        return RateLimited(
            f"{self._call}: too many requests, or the CRM is under maintenance",
            retry_after_s=_seconds(self._reply.headers.get("retry-after")),
            remedy="crmkit pauses and goes on; check whether other programs use the same API key.",
            **self._where(),
        )

    def _unusable(self) -> CrmKitError:
        is_page = self._reply.content.lstrip()[:1] == b"<"
        if is_page and self._reply.status < 500:
            what = "answered with a page for people: the account does not exist, or a proxy stands before it"
            remedy = "Check base_url; crmkit tries again."
        else:
            what = "gave no usable answer" if self._reply.status >= 500 else "answered with half of the data or none"
            remedy = "crmkit tries again; if it lasts, see the vendor's status page."
        is_read = self._request.method in ("GET", "HEAD")
        return VendorDown(
            f"{self._call} {what}",
            maybe_applied=not self._request.is_safe and not is_read,
            remedy=remedy,
            **self._where(),
        )

    def _forbidden(self) -> CrmKitError:
        said = self._said
        if "apikey" in said.lower() or not said:
            return AuthError(
                f"{self._call}: the API key is not accepted",
                remedy="Check the key in Settings, Integration, API access keys; it may have been switched off.",
                **self._where(),
            )
        scope = self._scope()
        return Rejected(
            f"{self._call}: the API key has no right to do this ({said})",
            code="access_denied",
            remedy=f"Give the key the right {scope} in Settings, Integration, API access keys.",
            **self._where(),
        )

    def _not_found(self) -> CrmKitError:
        if "method" in self._said.lower():
            return Unsupported(
                f"{self._call}: retailCRM's API has no such method",
                remedy="Check the path; crmkit speaks version 5.",
                **self._where(),
            )
        survivor = (self._body or {}).get("combinedTo")
        if isinstance(survivor, Mapping) and survivor.get("id"):
            merged = Merged(
                f"{self._call}: the record was merged into {survivor['id']}",
                remedy="Use the record that took it in.",
                **self._where(),
            )
            merged.survivor = str(survivor["id"])
            return merged
        return NotFound(
            f"{self._call}: there is no such record",
            remedy="It may have been deleted, or belong to a site that the API key does not see.",
            **self._where(),
        )

    def _no_method(self) -> CrmKitError:
        return Unsupported(
            f"{self._call}: retailCRM's API does not offer this",
            remedy="See the adapter's page for what is absent.",
            **self._where(),
        )

    def _refused(self) -> CrmKitError:
        fields = errors_of(self._body or {})
        named = "; ".join(f"{field}: {text}" for field, text in fields.items())
        return Rejected(
            f"{self._call} was refused: {self._said}{f' ({named})' if named else ''}",
            fields=fields,
            remedy=MEND,
            **self._where(),
        )

    def _scope(self) -> str:
        entity = self._request.path.removeprefix("/api/v5/").partition("/")[0]
        right = "read" if self._request.method == "GET" else "write"
        return f"{_SCOPES.get(entity, entity)}_{right}"

    @property
    def _said(self) -> str:
        return str((self._body or {}).get("errorMsg") or "")

    @property
    def _call(self) -> str:
        return f"{self._request.method} {self._request.path}"

    def _where(self) -> dict[str, Any]:
        return {"account": self._account, "vendor": VENDOR, "status": self._reply.status}


_WITHOUT_BODY = (403, 404)
_SCOPES: Mapping[str, str] = {
    "customers": "customer",
    "customers-corporate": "customer",
    "orders": "order",
    "tasks": "task",
    "users": "user",
    "user-groups": "user",
    "files": "file",
    "segments": "segment",
    "custom-fields": "custom_fields",
    "costs": "cost",
    "integration-modules": "integration",
    "settings": "reference",
}
"""Names of the rights. Source: retailCRM API v5, page "API access rights"."""
_TABLE: Mapping[int, Callable[[_Case], CrmKitError]] = {
    401: _Case._forbidden,  # noqa: SLF001 -- the class's own table
    403: _Case._forbidden,  # noqa: SLF001
    404: _Case._not_found,  # noqa: SLF001
    405: _Case._no_method,  # noqa: SLF001
}


def _seconds(value: str | None) -> float | None:
    try:
        seconds = float(value or "")
    except ValueError:
        return None
    return seconds if 0 <= seconds < float("inf") else None
