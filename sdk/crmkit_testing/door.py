"""The service's door on loopback: its real Flask application behind a real server."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 -- werkzeug's own name
        """Say nothing: the address holds a secret."""


class Door:
    """Listens from the beginning, so that its address is known before the service is opened; use it in `with`."""

    def __init__(self) -> None:
        self._server = make_server("127.0.0.1", 0, Flask("closed"), threaded=True, request_handler=_Quiet)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @property
    def url(self) -> str:
        """The address."""
        return f"http://127.0.0.1:{self._server.port}"

    def lead_to(self, app: Flask) -> None:
        """Answer with this application from now on."""
        self._server.app = app

    def shut(self) -> None:
        """Answer 404 to everything."""
        self._server.app = Flask("closed")

    def send(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> int:
        """Send a delivery as a stranger would; the status of the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=10)
        try:
            connection.request(method, path, body, dict(headers))
            answer = connection.getresponse()
            answer.read()
            return answer.status
        finally:
            connection.close()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
