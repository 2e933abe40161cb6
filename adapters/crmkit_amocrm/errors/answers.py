"""What amoCRM's refusals mean: the only place where an answer becomes one of our errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from crmkit.errors import (
    AccountBlocked,
    AuthError,
    CrmKitError,
    NotFound,
    RateLimited,
    Rejected,
    Unsupported,
    VendorDown,
)
from crmkit.http import Judge, Reply, Request
from crmkit_amocrm.errors.refusals import MEND, VENDOR, Fault, ItemsRejected


def judge_for(account: str) -> Judge:
    """The table of refusals, for answers to account `account`."""

    def judge(request: Request, reply: Reply) -> CrmKitError | None:
        return _Case(account, request, reply).error()

    return judge


def token_judge_for(account: str) -> Judge:
    """The same for the token endpoint, where 400 and 401 both mean that the grant is refused."""

    def judge(request: Request, reply: Reply) -> CrmKitError | None:
        case = _Case(account, request, reply)
        if reply.status in (400, 401, 403, 404) and case.body is not None:
            return case.refused_grant()
        return case.error()

    return judge


def _faults(reply_body: object) -> Iterator[Fault]:
    """The items that a 400 complains of. Source: amoCRM API v4, page "Errors"."""
    found = reply_body.get("validation-errors") if isinstance(reply_body, dict) else None
    for item in found if isinstance(found, list) else []:
        errors = [error for error in item.get("errors") or [] if isinstance(error, dict)]
        if errors:
            fields = {str(error.get("path", "")): _says(error) for error in errors}
            yield Fault(str(item.get("request_id", "")), fields, str(errors[0].get("code", "")))


_RIGHTS: tuple[tuple[str, str], ...] = (
    ("/webhooks", "webhooks are for administrators"),
    ("/users", "users are for administrators"),
    ("/roles", "roles are for administrators"),
    ("/pipelines", "changing pipelines is for administrators"),
    ("/custom_fields", "changing custom fields is for administrators"),
    ("/events", "the event list needs the right to see the records"),
    ("/tasks", "the task's owner or card is out of the user's rights"),
    ("/leads", "the user's role does not allow this for deals"),
    ("/contacts", "the user's role does not allow this for contacts"),
    ("/companies", "the user's role does not allow this for companies"),
)

STOCK_PAUSE_S = 300
"""What the body of a 429 says to everybody, also to who is one request over the limit of a second.

Source: Kommo, page "HTTP codes"."""


class _Case:
    """One answer in the light of its request."""

    def __init__(self, account: str, request: Request, reply: Reply) -> None:
        self._account = account
        self._request = request
        self._reply = reply
        self._is_read = request.method in ("GET", "HEAD")
        self.is_cut = False
        self.body: dict[str, Any] | None = None
        if reply.content.strip():
            try:
                body = reply.json()
            except ValueError:
                self.is_cut = True
            else:
                self.body = body if isinstance(body, dict) else {}

    def error(self) -> CrmKitError | None:
        status = self._reply.status
        if 200 <= status < 300:
            return self._unusable()
        if status in _TABLE:
            return _TABLE[status](self)
        if 400 <= status < 500:
            return self._refused()
        return self._down("gave no usable answer")

    def _unusable(self) -> CrmKitError | None:
        if self.is_cut:
            return self._down("answered with something else than JSON, or with half of it")
        # Only 204 may be empty: an empty list is 204, never 200 without a body.
        if self.body is None and self._reply.status == 200 and self._request.method != "DELETE":
            return self._down("answered 200 without a body")
        return None

    def _down(self, what: str) -> VendorDown:
        return VendorDown(
            f"{self._call} {what}",
            maybe_applied=not self._request.is_safe and not self._is_read,
            remedy="crmkit tries again; if it lasts, see the vendor's status page.",
            **self._where(),
        )

    def unauthorized(self) -> CrmKitError:
        return AuthError(
            f"{self._call}: the access token is not accepted",
            remedy="Check the token; if the integration was switched off in the account, install it again.",
            **self._where(),
        )

    def refused_grant(self) -> CrmKitError:
        body = self.body or {}
        hint = body.get("hint") or body.get("detail") or body.get("title") or "no reason given"
        return AuthError(
            f"the token request was refused: {hint}",
            remedy="Authorise the integration again, and check client_id, client_secret and redirect_uri.",
            **self._where(),
        )

    def unpaid(self) -> CrmKitError:
        return AccountBlocked(
            f"{self._call}: the account is not paid, or its plan does not have this",
            remedy="Pay for the account or change the plan; the token is fine.",
            **self._where(),
        )

    def forbidden(self) -> CrmKitError:
        if self.body is None or not self.body:
            # Source: amoCRM API v4, page "HTTP codes": a ban answers every call with plain text.
            return AccountBlocked(
                f"{self._call}: amoCRM has banned this address or account after too many requests",
                remedy="Stop all programs that use the account and write to amoCRM's support.",
                **self._where(),
            )
        path = self._request.path
        right = next((text for part, text in _RIGHTS if part in path), "the user has no right to do this")
        if "/webhooks" in path:
            return AuthError(f"{self._call}: {right}", remedy=_ADMINISTRATOR, **self._where())
        return Rejected(f"{self._call}: {right}", remedy=_ADMINISTRATOR, **self._where())

    def not_found(self) -> CrmKitError:
        return NotFound(
            f"{self._call}: there is no such record or path",
            remedy="It may have been deleted or merged; if every call says so, check base_url.",
            **self._where(),
        )

    def no_method(self) -> CrmKitError:
        return Unsupported(
            f"{self._call}: amoCRM's API does not offer this",
            remedy="See the adapter's page for what is absent.",
            **self._where(),
        )

    def invalid(self) -> CrmKitError | None:
        # `POST /calls` answers per item, with 400 when none of them landed.
        if self._request.path.endswith("/calls") and isinstance((self.body or {}).get("errors"), list):
            return None
        return self._refused()

    def limited(self) -> CrmKitError:
        header = _seconds(self._reply.headers.get("retry-after"))
        said = _seconds((self.body or {}).get("retry_after"))
        return RateLimited(
            f"{self._call}: too many requests",
            retry_after_s=said if header is None else header,
            is_stock_phrase=header is None and said == STOCK_PAUSE_S,
            remedy="crmkit pauses and goes on; check whether other programs use the same integration.",
            **self._where(),
        )

    def _refused(self) -> Rejected:
        faults = tuple(_faults(self.body))
        fields = {path: text for fault in faults for path, text in fault.fields.items()}
        detail = (self.body or {}).get("detail") or (self.body or {}).get("title") or self._reply.text
        named = "; ".join(f"{path}: {text}" for path, text in fields.items())
        refusal = ItemsRejected(
            f"{self._call} was refused: {named or detail}",
            fields=fields,
            code=faults[0].code if faults else None,
            remedy=MEND,
            **self._where(),
        )
        refusal.faults = faults
        return refusal

    @property
    def _call(self) -> str:
        return f"{self._request.method} {self._request.path}"

    def _where(self) -> dict[str, Any]:
        return {
            "account": self._account,
            "vendor": VENDOR,
            "status": self._reply.status,
            "request_id": self._reply.headers.get("x-request-id"),
        }


_ADMINISTRATOR = "Give the user who authorised the integration that right, or authorise as an administrator."

_TABLE = {
    400: _Case.invalid,
    401: _Case.unauthorized,
    402: _Case.unpaid,
    403: _Case.forbidden,
    404: _Case.not_found,
    405: _Case.no_method,
    429: _Case.limited,
}


def _seconds(value: Any) -> float | None:
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        return None
    return seconds if 0 <= seconds < float("inf") else None


def _says(error: Mapping[str, Any]) -> str:
    return f"{error.get('detail') or 'refused'} ({error.get('code') or 'no code'})"
