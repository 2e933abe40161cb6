"""Answers of Bitrix24 as errors: what is no answer, what leads elsewhere, what the table of refusals knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from crmkit.errors import AuthError, ConfigError, CrmKitError, VendorDown
from crmkit.http import Judge, Reply, Request
from crmkit_bitrix24.errors.refusals import AUTHORISE, CHECK_WEBHOOK, LIMIT_CODES, VENDOR, refusal, said


class PortalMoved(ConfigError):
    """The portal has another address now; nothing was done.

    Args:
        host: where it is, with scheme.
    """

    pauses_account = True
    host: str = ""


def judge_for(account: str) -> Judge:
    """The table of refusals, for answers to account `account`."""

    def judge(request: Request, reply: Reply) -> CrmKitError | None:
        if reply.status in (301, 302, 303, 307, 308):
            return _moved(account, reply)
        body = _body(reply)
        if body is None:
            return _no_answer(account, request, reply)
        if (reply.status < 400 and "error" not in body) or str(body.get("error")) in LIMIT_CODES:
            return None
        return refusal(account, request.path.lstrip("/"), body, reply.status, is_safe=request.is_safe)

    return judge


def token_judge_for(account: str) -> Judge:
    """The same for the authorisation server, where every 4xx means that the grant is refused."""

    def judge(request: Request, reply: Reply) -> CrmKitError | None:
        body = _body(reply)
        if body is None or reply.status >= 500:
            return _no_answer(account, request, reply)
        if reply.status < 400 and "error" not in body:
            return None
        return AuthError(
            f"the token request was refused: {said(body)}",
            account=account,
            vendor=VENDOR,
            status=reply.status,
            code=str(body.get("error") or "") or None,
            remedy=AUTHORISE,
        )

    return judge


def _body(reply: Reply) -> Mapping[str, Any] | None:
    try:
        body = reply.json()
    except ValueError:
        return None
    return body if isinstance(body, Mapping) else None


def _no_answer(account: str, request: Request, reply: Reply) -> CrmKitError:
    if reply.status == 401:
        return AuthError(
            f"{request.path.lstrip('/')}: not authorised",
            account=account,
            vendor=VENDOR,
            status=reply.status,
            remedy=CHECK_WEBHOOK,
        )
    return VendorDown(
        f"{request.path.lstrip('/')} was answered with something else than JSON, or with half of it",
        maybe_applied=not request.is_safe,
        account=account,
        vendor=VENDOR,
        status=reply.status,
        remedy="crmkit tries again; if it lasts, check base_url and the vendor's status page.",
    )


def _moved(account: str, reply: Reply) -> PortalMoved:
    parts = urlsplit(reply.headers.get("location", ""))
    moved = PortalMoved(
        f"the portal's address leads on to {parts.hostname or 'nowhere'}",
        account=account,
        vendor=VENDOR,
        status=reply.status,
        remedy="Set base_url to the portal's present address.",
    )
    moved.host = f"{parts.scheme}://{parts.netloc}" if parts.hostname and "@" not in parts.netloc else ""
    return moved
