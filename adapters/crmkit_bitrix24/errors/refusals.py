"""What Bitrix24's refusals mean: the table that chooses the error, and refusals that need no answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from crmkit.errors import (
    AccountBlocked,
    AuthError,
    Conflict,
    CrmKitError,
    NotFound,
    RateLimited,
    Rejected,
    Unsupported,
    VendorDown,
)
from crmkit.refusals import Refusals

VENDOR = "bitrix24"
REFUSALS = Refusals(VENDOR, "Bitrix24")
refused_draft = REFUSALS.draft
unsupported = REFUSALS.unsupported
unreadable = REFUSALS.unreadable
EXPIRED = "expired_token"
INVALID = "invalid_token"
SPENT = frozenset({"invalid_grant", "bad_verification_code"})
"""Refusals of the authorisation server that say: this code or refresh token is of no use any more."""

LIMIT_CODES = frozenset({"OPERATION_TIME_LIMIT"})
"""Refusals of one method only, which must not hold the whole account: whoever reads the answer tells them."""

AUTHORISE = "Install the application again, or set a new code or refresh_token, and start crmkit anew."
CHECK_WEBHOOK = "Check that the incoming webhook still exists and that its user may do this."


def refusal(
    account: str, method: str, body: Mapping[str, Any], status: int | None = None, *, is_safe: bool = True
) -> CrmKitError:
    """The error that an error body stands for: of an answer, or of one command in a batch (`status` None).

    Decided by code, then by HTTP status, last by text, which may be localized.
    Source: Bitrix24 REST, pages "Error codes" and "System errors".
    """
    error: Any = body.get("error")
    if isinstance(error, Mapping):
        # REST 3.0 nests what the older API gives flat.
        body = {**error, "error_description": error.get("message")}
        error = error.get("code")
    code = str(error).strip() if error not in (None, 0) else ""
    make = _BY_CODE.get(code) or _BY_CODE.get(code.upper())
    if make is None:
        make = _missing if _is_missing(code, body) else _BY_STATUS.get(status or 400)
    if make is None:
        make = _down if (status or 400) >= 500 else _rejected
    found = make(f"{method}: {said(body, code)}", {"account": account, "vendor": VENDOR, "code": code or None})
    found.status = status
    if isinstance(found, VendorDown):
        found.maybe_applied = not is_safe
    return found


def half_done(account: str, target: str, error: CrmKitError) -> VendorDown:
    """The record was made, but what hangs on it was not."""
    return VendorDown(
        f"{target} was created, but what belongs to it was not: {error.message}",
        maybe_applied=True,
        account=account,
        vendor=VENDOR,
        ref=target,
        status=error.status,
        remedy="Write the rest with update() or link(); the record itself is there.",
    )


def unnamed(account: str, target: str) -> VendorDown:
    """A creation whose answer holds no id."""
    return VendorDown(
        f"{target} was answered without an id",
        maybe_applied=True,
        account=account,
        vendor=VENDOR,
        remedy="Look whether it is there before sending it again.",
    )


def refresh_refused(account: str, refusal: AuthError | None) -> AuthError:
    """Neither the stored refresh token nor what the settings hold is of any use."""
    return AuthError(
        "the refresh token is refused: it is spent, expired or revoked",
        account=account,
        vendor=VENDOR,
        status=refusal.status if refusal else None,
        code=refusal.code if refusal else None,
        remedy=AUTHORISE,
    )


def busy_method(account: str, method: str, seconds: float) -> RateLimited:
    """A method that has used up its time; nothing was sent."""
    return RateLimited(
        f"{method} has used up its operating time; {seconds:.0f} s are left until it is free",
        retry_after_s=seconds,
        account=account,
        vendor=VENDOR,
        code="OPERATION_TIME_LIMIT",
        remedy="Nothing was sent; other methods go on. Ask for fewer fields, or spread the work.",
    )


def unmergeable(account: str, survivor: str, url: str) -> Conflict:
    """Cards whose values Bitrix24 will not choose between."""
    return Conflict(
        "Bitrix24 will not merge these cards: their values differ",
        account=account,
        vendor=VENDOR,
        ref=survivor,
        remedy=f"Let a person choose the values at {url}, or make them equal first.",
    )


def said(body: Mapping[str, Any], code: str = "") -> str:
    """What the vendor says, without its HTML."""
    text = str(body.get("error_description") or body.get("error_message") or body.get("error") or code or "")
    # Loaded once something is refused: a command's start pays for the imports of every adapter.
    import html

    plain = html.unescape(re.sub(r"<[^>]*>", " ", text))
    return " ".join(plain.split())[:300] or "no reason given"


def _is_missing(code: str, body: Mapping[str, Any]) -> bool:
    text = f"{code} {said(body)}".lower()
    return bool(re.search(r"\bnot found\b|не найден", text)) and "call is not found" not in text


_Make = Callable[[str, Any], CrmKitError]


def _auth(message: str, where: Any) -> CrmKitError:
    return AuthError(message, remedy=CHECK_WEBHOOK, **where)


def _token(message: str, where: Any) -> CrmKitError:
    return AuthError(message, remedy=AUTHORISE, **where)


def _scope(message: str, where: Any) -> CrmKitError:
    return Unsupported(message, remedy="Give the webhook or the application the scope that the method needs.", **where)


def _denied(message: str, where: Any) -> CrmKitError:
    return Rejected(message, remedy="Give the user of the webhook or application the right, or use another.", **where)


def _kind_of_access(message: str, where: Any) -> CrmKitError:
    return Unsupported(message, remedy="The method needs an application (OAuth); a webhook cannot call it.", **where)


def _unpaid(message: str, where: Any) -> CrmKitError:
    return AccountBlocked(message, remedy="Pay for the portal or the application, or change the plan.", **where)


def _gone(message: str, where: Any) -> CrmKitError:
    return AccountBlocked(message, remedy="The portal no longer exists: remove the account.", **where)


def _overload(message: str, where: Any) -> CrmKitError:
    return AccountBlocked(
        message, remedy="Bitrix24 has blocked the portal's REST by hand: stop and write to its support.", **where
    )


def _no_method(message: str, where: Any) -> CrmKitError:
    return Unsupported(message, remedy="Check the method's name, the scope and the portal's modules.", **where)


def _restricted(message: str, where: Any) -> CrmKitError:
    return Unsupported(message, remedy="The portal's plan does not have this.", **where)


def _limited(message: str, where: Any) -> CrmKitError:
    # No header says how long: in two seconds four calls have leaked out of the bucket, or ten of a better plan's.
    remedy = "crmkit pauses and goes on; check who else calls this portal from the same address."
    return RateLimited(message, retry_after_s=2.0, remedy=remedy, **where)


def _busy(message: str, where: Any) -> CrmKitError:
    return RateLimited(message, retry_after_s=60.0, remedy="The method is paused; other methods go on.", **where)


def _missing(message: str, where: Any) -> CrmKitError:
    return NotFound(message, remedy="It may have been deleted or merged, or be hidden from our user.", **where)


def _rejected(message: str, where: Any) -> CrmKitError:
    return Rejected(message, remedy="Mend the named values; the same call will be refused again.", **where)


def _down(message: str, where: Any) -> CrmKitError:
    return VendorDown(message, remedy="crmkit tries again; if it lasts, see the vendor's status page.", **where)


_BY_CODE: Mapping[str, _Make] = {
    EXPIRED: _token,
    INVALID: _token,
    "NO_AUTH_FOUND": _auth,
    "INVALID_CREDENTIALS": _auth,
    "ERROR_OAUTH": _token,
    "METHOD_CONFIRM_WAITING": _auth,
    "PAYMENT_REQUIRED": _unpaid,
    "PORTAL_DELETED": _gone,
    "OVERLOAD_LIMIT": _overload,
    "INSUFFICIENT_SCOPE": _scope,
    "insufficient_scope": _scope,
    "invalid_scope": _scope,
    "ACCESS_DENIED": _denied,
    "USER_ACCESS_ERROR": _denied,
    "ALLOWED_ONLY_INTRANET_USER": _denied,
    "WRONG_AUTH_TYPE": _kind_of_access,
    "ERROR_METHOD_NOT_FOUND": _no_method,
    "ERROR_EVENT_NOT_FOUND": _no_method,
    "ERROR_BATCH_METHOD_NOT_ALLOWED": _no_method,
    "CRM_FEATURE_RESTRICTION_ERROR": _restricted,
    "QUERY_LIMIT_EXCEEDED": _limited,
    "OPERATION_TIME_LIMIT": _busy,
    "NOT_FOUND": _missing,
    "INTERNAL_SERVER_ERROR": _down,
    "ERROR_UNEXPECTED_ANSWER": _down,
}
_BY_STATUS: Mapping[int, _Make] = {
    401: _auth,
    402: _unpaid,
    403: _denied,
    404: _no_method,
    405: _no_method,
    429: _limited,
}
