"""Every error crmkit raises: one tree, plain values, a remedy in each message."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict, Unpack


class Details(TypedDict, total=False):
    """What every error may say beside its message; `CrmKitError` explains each."""

    account: str | None
    vendor: str | None
    ref: str | None
    status: int | None
    code: str | None
    request_id: str | None
    remedy: str | None


class CrmKitError(Exception):
    """What went wrong, with whom, and what to do next.

    Holds plain values only, so that it can be logged, stored and shown: never a live object, never a token.

    Args:
        message: what was tried and what happened, in one sentence.
        account: key of the account, when one is concerned.
        vendor: vendor key (`amocrm`, `bitrix24`, `retailcrm`).
        ref: the record concerned, as text (`acme/deal:42`).
        status: HTTP status of the vendor's answer.
        code: the vendor's own error code.
        request_id: the vendor's id of the call, for their support.
        remedy: what the reader should do next.
    """

    retryable = False
    """Trying the same again later can succeed."""

    pauses_account = False
    """The whole account is affected: its work waits, and no attempt is counted."""

    def __init__(self, message: str, **details: Unpack[Details]) -> None:
        super().__init__(message)
        self.message = message
        self.account = details.get("account")
        self.vendor = details.get("vendor")
        self.ref = details.get("ref")
        self.status = details.get("status")
        self.code = details.get("code")
        self.request_id = details.get("request_id")
        self.remedy = details.get("remedy")

    def __str__(self) -> str:
        where = [
            f"account {self.account}" if self.account else "",
            self.ref or "",
            f"{self.vendor} answered {self.status}" if self.vendor and self.status else (self.vendor or ""),
            f"code {self.code}" if self.code else "",
            f"request {self.request_id}" if self.request_id else "",
        ]
        details = ", ".join(part for part in where if part)
        text = f"{self.message} [{details}]" if details else self.message
        if not self.remedy:
            return text
        return f"{text} {self.remedy}" if text.endswith((".", "!", "?")) else f"{text}. {self.remedy}"

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only arguments do not survive Exception's own pickling, and workers pass errors between processes.
        return (_rebuild, (type(self), self.message, dict(self.__dict__)))


def _rebuild(cls: type[CrmKitError], message: str, values: dict[str, object]) -> CrmKitError:
    error = cls.__new__(cls)
    Exception.__init__(error, message)
    error.__dict__.update(values)
    return error


class ConfigError(CrmKitError):
    """A setting, a file or an installation is wrong; nothing was sent to a CRM."""


class AuthError(CrmKitError):
    """The CRM does not accept our credentials; a person must authorise again."""

    pauses_account = True


class AccountBlocked(CrmKitError):
    """The CRM refuses every call of this account: not paid (402) or banned (403 for all)."""

    pauses_account = True


class NotFound(CrmKitError):
    """The record does not exist, or is not visible to us."""


class Ambiguous(CrmKitError):
    """More than one record matches where one was asked for.

    Args:
        matches: the records that match, as text.
    """

    def __init__(self, message: str, *, matches: tuple[str, ...] = (), **details: Unpack[Details]) -> None:
        super().__init__(message, **details)
        self.matches = matches


class Rejected(CrmKitError):
    """The CRM refuses these values; the same call will be refused again.

    Args:
        fields: field name -> what the vendor says of it.
    """

    def __init__(self, message: str, *, fields: Mapping[str, str] | None = None, **details: Unpack[Details]) -> None:
        super().__init__(message, **details)
        self.fields = dict(fields or {})


class Conflict(CrmKitError):
    """The record has changed since, or already exists."""


class RateLimited(CrmKitError):
    """The CRM's request limit is used up; nothing was done.

    Args:
        retry_after_s: seconds to wait, as the vendor says; None when it does not.
        is_stock_phrase: the vendor tells everybody this time, however little is over the limit; shorter pauses are
            tried before it is believed.
    """

    retryable = True
    pauses_account = True

    def __init__(
        self,
        message: str,
        *,
        retry_after_s: float | None = None,
        is_stock_phrase: bool = False,
        **details: Unpack[Details],
    ) -> None:
        super().__init__(message, **details)
        self.retry_after_s = retry_after_s
        self.is_stock_phrase = is_stock_phrase


class VendorDown(CrmKitError):
    """The CRM cannot be reached or gives no usable answer.

    Args:
        maybe_applied: a write was sent and its outcome is unknown: look before repeating it.
    """

    retryable = True
    pauses_account = True

    def __init__(self, message: str, *, maybe_applied: bool = False, **details: Unpack[Details]) -> None:
        super().__init__(message, **details)
        self.maybe_applied = maybe_applied


class BadPayload(CrmKitError, ValueError):
    """Bytes that came in are not what the sender's format promises."""


class Unsupported(CrmKitError):
    """This CRM, or this account's plan, cannot do that."""


class WebhookRejected(CrmKitError):
    """A delivery is not authentic, or belongs to another account; nothing was stored."""
