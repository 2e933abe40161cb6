"""The authorised way to one account: every request carries a token, a refused token is renewed once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from crmkit.errors import AuthError
from crmkit.http import Request, Transport
from crmkit.values import Json
from crmkit_amocrm.wire import PAGE, embedded, has_next

API = "/api/v4/"
Params = Sequence[tuple[str, str]]


class Line:
    """Sends requests of one account.

    Args:
        base_url: where the account lives at the moment.
        access: gives a token.
        renew: has another token than the refused one, or raises.
        dial: opens a transport to a base URL.
        headers: sent with every request.
    """

    def __init__(
        self,
        *,
        base_url: Callable[[], str],
        access: Callable[[], str],
        renew: Callable[[str, AuthError], None],
        dial: Callable[[str], Transport],
        headers: Mapping[str, str],
    ) -> None:
        self._base_url = base_url
        self._access = access
        self._renew = renew
        self._dial = dial
        self._headers = headers
        self._lock = threading.Lock()
        self._transports: dict[str, Transport] = {}

    @property
    def answer_s(self) -> float:
        """Seconds that three of four answers take at most, waiting for the limit not counted; 0 before the first."""
        return self._transport().answer_s

    def get(self, path: str, params: Params = ()) -> Json:
        """The answer to a read below `/api/v4/`; None for 204."""
        return self.send("GET", API + path, params)

    def items(self, path: str, name: str, params: Params = ()) -> list[dict[str, Any]]:
        """The entities of one page."""
        return embedded(self.get(path, params), name)

    def every(self, path: str, name: str, params: Params = (), limit: int = PAGE) -> Iterator[dict[str, Any]]:
        """The entities of all pages, for lists that are short; the page size is the server's choice."""
        page = 1
        while True:
            body = self.get(path, [*params, ("limit", str(limit)), ("page", str(page))])
            yield from embedded(body, name)
            if not has_next(body):
                return
            page += 1

    def send(
        self,
        method: str,
        path: str,
        params: Params = (),
        body: Json = None,
        *,
        is_repeatable: bool = False,
    ) -> Json:
        """The decoded answer to any request; a write is repeated only when `is_repeatable`.

        A 401 did nothing, so one repeat with a renewed token is right for writes as well.
        """
        token = self._access()
        try:
            return self._with(token, method, path, params, body, is_repeatable)
        except AuthError as error:
            if error.status != 401:
                raise
            self._renew(token, error)
        return self._with(self._access(), method, path, params, body, is_repeatable)

    def _with(self, token: str, method: str, path: str, params: Params, body: Json, is_repeatable: bool) -> Json:
        request = Request(
            method,
            path,
            query=params,
            body=body,
            headers={**self._headers, "Authorization": f"Bearer {token}"},
            is_safe=is_repeatable or method in ("GET", "HEAD"),
        )
        return self._transport().send(request).json()

    def _transport(self) -> Transport:
        base_url = self._base_url()
        with self._lock:
            if base_url not in self._transports:
                self._transports[base_url] = self._dial(base_url)
            return self._transports[base_url]

    def close(self) -> None:
        """Give back the connections."""
        with self._lock:
            for transport in self._transports.values():
                transport.close()
