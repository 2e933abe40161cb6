"""A started sandbox, a client of its API and a receiver of its hooks."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

import pytest
import requests

from crmkit_sandbox import Sandbox

MONDAY = 1_760_000_000


class Client:
    """Calls of the emulated API with the long-lived token."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.base = sandbox.amocrm.base_url
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {sandbox.amocrm.token}"

    def __call__(self, method: str, path: str, json: Any = None, **query: Any) -> requests.Response:
        url = path if path.startswith("http") else f"{self.base}/api/v4/{path}"
        return self.session.request(method, url, json=json, params=query, timeout=10)

    def get(self, path: str, **query: Any) -> requests.Response:
        return self("GET", path, **query)

    def post(self, path: str, json: Any) -> requests.Response:
        return self("POST", path, json)

    def patch(self, path: str, json: Any) -> requests.Response:
        return self("PATCH", path, json)


@dataclass
class Receiver:
    """A server that notes the bodies it gets and answers `status`."""

    url: str
    status: int = 200
    bodies: list[str] = field(default_factory=list)

    def forms(self) -> list[dict[str, str]]:
        return [dict(parse_qsl(body, keep_blank_values=True, strict_parsing=True)) for body in self.bodies]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as made:
        made.amocrm.limits.enabled = False
        yield made


@pytest.fixture
def frozen(sandbox: Sandbox) -> Sandbox:
    sandbox.clock.freeze(MONDAY)
    return sandbox


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Client]:
    made = Client(sandbox)
    yield made
    made.session.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            made.bodies.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(made.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made = Receiver(f"http://127.0.0.1:{server.server_port}/hook")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield made
    server.shutdown()
    thread.join(5)
    server.server_close()
