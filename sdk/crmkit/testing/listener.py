"""A door on loopback that takes down what an emulator delivers."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from crmkit.webhook import WebhookRequest


class HookListener:
    """Answers 200 to every delivery and keeps it; use it in `with`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: list[WebhookRequest] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @property
    def url(self) -> str:
        """The address of the door."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/hook"

    def take(self) -> list[WebhookRequest]:
        """The deliveries since the last question, oldest first."""
        with self._lock:
            taken, self._taken = self._taken, []
            return taken

    def _keep(self, request: WebhookRequest) -> None:
        with self._lock:
            self._taken.append(request)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        keep = self._keep

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                address = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                keep(WebhookRequest("POST", address.path, address.query, headers, body, datetime.now(UTC)))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- http.server's own name
                """Stay silent."""

        return Handler

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
