"""A threaded loopback server that keeps connections and can break them on purpose."""

import contextlib
import os
import socket
import struct
import sys
import threading
import traceback
from wsgiref.types import WSGIApplication, WSGIEnvironment

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.wrappers import Response

from .gateway import hold_body, notes_of

RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class _Handler(WSGIRequestHandler):
    """werkzeug's handler closes each connection and waits 10 ms for stray bytes; this one keeps it alive."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024
    server: "_Server"

    def setup(self) -> None:
        super().setup()
        self.server.open_sockets.add(self.connection)

    def finish(self) -> None:
        self.server.open_sockets.discard(self.connection)
        try:
            super().finish()
        except OSError:
            self.close_connection = True

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:
            # The peer went away, or a planned fault broke the connection.
            self.close_connection = True

    def run_wsgi(self) -> None:
        if self.headers.get("Expect", "").lower().strip() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.wfile.flush()
        self.environ = self.make_environ()
        environ: WSGIEnvironment = self.environ
        hold_body(environ)
        notes = notes_of(environ)
        try:
            answer = Response.from_app(self.server.app, environ, buffered=True)
        except Exception:  # noqa: BLE001  a server outlives one bad call; the trace is for who wrote the emulator
            traceback.print_exc(file=sys.stderr)
            answer = Response("the emulator failed, see its log\n", status=500)
        if notes.get("cut") == "reset":
            self._reset()
        else:
            self._write(answer, is_cut=notes.get("cut") == "truncated")

    def _write(self, answer: Response, *, is_cut: bool) -> None:
        body = answer.get_data()
        self.send_response(answer.status_code, answer.status.partition(" ")[2])
        for key, value in answer.headers.items():
            if key.lower() not in ("content-length", "connection"):
                self.send_header(key, value)
        if answer.status_code != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[: len(body) // 2] if is_cut else body)
        self.wfile.flush()
        if is_cut:
            self.close_connection = True

    def _reset(self) -> None:
        self.close_connection = True
        self.server.open_sockets.discard(self.connection)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        # Closing the descriptor itself: the buffered files would hold a plain close() back.
        os.close(self.connection.detach())
        raise ConnectionResetError("planned fault")

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing: the sandbox keeps its own log of calls."""

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002  werkzeug's name
        """Say nothing: the sandbox keeps its own log of calls."""


class _Server(ThreadedWSGIServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, host: str, port: int, app: WSGIApplication) -> None:
        self.open_sockets: set[socket.socket] = set()
        super().__init__(host, port, app, _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Connections that a fault or a client broke are no news."""


class LoopbackServer:
    """`app` on 127.0.0.1, in threads of this process."""

    def __init__(self, app: WSGIApplication, port: int = 0, host: str = "127.0.0.1") -> None:
        try:
            self._server = _Server(host, port, app)
        except SystemExit:
            raise OSError(f"port {port} on {host} is taken; choose another or 0 for any free one") from None
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._serve, name=f"sandbox-{self.port}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop serving and drop the connections that clients keep."""
        stopping = threading.Thread(target=self._server.shutdown, daemon=True)
        stopping.start()
        # A connection ends the server's wait at once; without it each stop costs a whole poll.
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            stopping.join(5)
        self._thread.join(5)
        for connection in list(self._server.open_sockets):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._server.server_close()

    def _serve(self) -> None:
        self._server.serve_forever(poll_interval=0.1)
