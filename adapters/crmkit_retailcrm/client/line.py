"""The way to one account: every request carries the key, every structured argument goes as JSON in a form field."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from crmkit.http import Request, Transport
from crmkit.values import Json
from crmkit_retailcrm.errors.answers import holds_file
from crmkit_retailcrm.wire import API, FILE_TYPE, PAGE, listed, page_count

Params = Sequence[tuple[str, str]]

LONG_S = 120.0
"""How long a file may take."""


class Line:
    """Sends requests of one account.

    Args:
        dial: opens a transport; the argument says whether for the telephony, which has a limit of its own.
        api_key: gives the key.
    """

    def __init__(self, dial: Callable[[bool], Transport], api_key: Callable[[], str]) -> None:
        self._api_key = api_key
        self._main = dial(False)
        self._telephony = dial(True)

    @property
    def answer_s(self) -> float:
        """Seconds that three of four answers take at most, waiting for the limit not counted; 0 before the first."""
        return self._main.answer_s

    def get(self, path: str, params: Params = ()) -> Json:
        """The answer to a read below `/api/v5/`."""
        return self.send("GET", API + path, params)

    def page(self, path: str, name: str, params: Params = (), number: int = 1) -> tuple[list[dict[str, Any]], int]:
        """The entities of one page, and how many pages there are."""
        body = self.get(path, [*params, ("limit", str(PAGE)), ("page", str(number))])
        return listed(body, name), page_count(body)

    def every(self, path: str, name: str, params: Params = ()) -> Iterator[dict[str, Any]]:
        """The entities of all pages, for lists that are short."""
        number = 1
        while True:
            items, pages = self.page(path, name, params, number)
            yield from items
            if number >= pages or not items:
                return
            number += 1

    def post(self, path: str, form: Mapping[str, Json], *, is_repeatable: bool = False) -> Json:
        """The answer to a write below `/api/v5/`; repeated after a lost answer only when `is_repeatable`."""
        return self.send("POST", API + path, (), form, is_repeatable=is_repeatable)

    def send(
        self, method: str, path: str, params: Params = (), form: Json = None, *, is_repeatable: bool = False
    ) -> Json:
        """The decoded answer to any request; of a file its bytes as base64, under `content`."""
        request = Request(
            method,
            path,
            query=params,
            form=_fields(form),
            headers={"X-API-KEY": self._api_key()},
            is_safe=is_repeatable or method in ("GET", "HEAD"),
        )
        line = self._telephony if path.startswith(f"{API}telephony/") else self._main
        reply = line.send(request)
        if holds_file(path, reply):
            return {"success": True, "content": base64.b64encode(reply.content).decode("ascii")}
        return reply.json()

    def download(self, path: str) -> bytes:
        """The bytes that lie below `/api/v5/`."""
        headers = {"X-API-KEY": self._api_key()}
        request = Request("GET", API + path, headers=headers, is_safe=True, read_timeout_s=LONG_S)
        return self._main.send(request).content

    def upload(self, path: str, content: bytes) -> Json:
        """The answer to bytes sent below `/api/v5/`; not repeated after a lost answer."""
        headers = {"X-API-KEY": self._api_key(), "Content-Type": FILE_TYPE}
        request = Request("POST", API + path, headers=headers, content=content, read_timeout_s=LONG_S)
        return self._main.send(request).json()

    def close(self) -> None:
        """Give back the connections."""
        self._main.close()
        self._telephony.close()


def _fields(form: Json) -> list[tuple[str, str]] | None:
    """Form fields: texts as they are, all else as JSON. Source: retailCRM API v5, page "API rules"."""
    if form is None:
        return None
    if not isinstance(form, Mapping):
        raise TypeError("a form is a mapping of field names to values")
    return [
        (name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":")))
        for name, value in form.items()
        if value is not None
    ]
