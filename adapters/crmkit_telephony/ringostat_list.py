"""Ringostat's list of calls, read in pieces that its limit allows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from crmkit.clock import Clock
from crmkit.errors import AuthError, BadPayload, CrmKitError, RateLimited, Rejected, VendorDown
from crmkit.http import Limiter, RateLimit, Reply, Request, Transport, Urgency

NAME = "ringostat"

MOST = 6_500
"""Calls in one answer; as many may mean that there were more. Source: Ringostat help, article 6547413."""

PIECE = timedelta(days=1)
SHORTEST_PIECE = timedelta(seconds=2)


class CallList:
    """The calls of one Ringostat project, by time.

    Args:
        base_url: address of the API.
        key: what the header `Auth-key` carries.
        timezone: zone in which the project reads and writes times.
    """

    def __init__(
        self, base_url: str, key: SecretStr, *, account: str, timezone: str, limiter: Limiter, clock: Clock
    ) -> None:
        self._key = key
        self._account = account
        self._zone = ZoneInfo(timezone)
        self._transport = Transport(
            base_url,
            vendor=NAME,
            account=account,
            judge=self._judge,
            # The vendor names no limit: two a second disturb nobody.
            limits=[RateLimit(f"{NAME}:{account}", 2, 1.0)],
            limiter=limiter,
            urgency=Urgency.BULK,
            clock=clock,
        )

    def rows(self, since: datetime, until: datetime, fields: Sequence[str]) -> Iterator[dict[str, str]]:
        """Yield the calls that began from `since` to `until`, as texts by the vendor's names; empty ones are left out.

        A call on the edge of two pieces may come twice.
        """
        start = since
        while start < until:
            end = min(start + PIECE, until)
            yield from self._piece(start, end, fields)
            start = end

    def _piece(self, start: datetime, end: datetime, fields: Sequence[str]) -> Iterator[dict[str, str]]:
        found = self._read(start, end, fields)
        if len(found) < MOST or end - start < SHORTEST_PIECE:
            yield from found
            return
        middle = start + (end - start) / 2
        yield from self._piece(start, middle, fields)
        yield from self._piece(middle, end, fields)

    def _read(self, start: datetime, end: datetime, fields: Sequence[str]) -> list[dict[str, str]]:
        query = [
            ("export_type", "json"),
            ("from", self._local(start)),
            ("to", self._local(end)),
            ("fields", ",".join(fields)),
        ]
        headers = {"Auth-key": self._key.get_secret_value()}
        reply = self._transport.send(Request("GET", "/calls/list", query, headers=headers, is_safe=True))
        data = reply.json()
        if data is None:
            return []
        if not isinstance(data, list) or not all(isinstance(row, dict) for row in data):
            raise BadPayload(
                f"the list of calls is a {type(data).__name__}, expected a list of calls",
                account=self._account,
                vendor=NAME,
                remedy="Check api_url of the source.",
            )
        return [
            {str(name): str(value).strip() for name, value in row.items() if value not in (None, "")}
            for row in data
            if isinstance(row, dict)
        ]

    def _local(self, at: datetime) -> str:
        return at.astimezone(self._zone).strftime("%Y-%m-%d %H:%M:%S")

    def _judge(self, request: Request, reply: Reply) -> CrmKitError | None:
        where = f"{request.method} {request.path}"
        if reply.status in (401, 403):
            return AuthError(
                f"{where}: the API key is not accepted",
                account=self._account,
                vendor=NAME,
                status=reply.status,
                remedy="Make a new key in Ringostat and put it into the source's api_key.",
            )
        if reply.status == 429:
            return RateLimited(f"{where}: too many requests", account=self._account, vendor=NAME, status=429)
        if reply.status >= 500 or (reply.status == 200 and not _is_json(reply)):
            return VendorDown(
                f"{where}: no usable answer", account=self._account, vendor=NAME, status=reply.status,
                remedy="Ringostat may be under maintenance; the list is read again later.",
            )  # fmt: skip
        if reply.status >= 300:
            return Rejected(
                f"{where}: refused", account=self._account, vendor=NAME, status=reply.status,
                remedy="Check api_url and timezone of the source.",
            )  # fmt: skip
        return None

    def close(self) -> None:
        """Give back the connections."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _is_json(reply: Reply) -> bool:
    try:
        json.loads(reply.content or b"null")
    except ValueError:
        return False
    return True
