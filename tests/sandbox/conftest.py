"""A started sandbox, a client of its API and a receiver of its hooks."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
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


class RetailClient:
    """Calls of the emulated retailCRM: JSON arguments in form fields, `by` always there to be named."""

    def __init__(self, shop: Sandbox, key: str | None = None) -> None:
        self.base = shop.retailcrm.base_url
        self.session = requests.Session()
        self.session.headers["X-API-KEY"] = key or shop.retailcrm.api_key

    def get(self, path: str, **query: Any) -> requests.Response:
        return self.session.get(f"{self.base}/api/v5/{path}", params=query, timeout=10)

    def post(self, path: str, **form: Any) -> requests.Response:
        fields = {name: value if isinstance(value, str) else json.dumps(value) for name, value in form.items()}
        return self.session.post(f"{self.base}/api/v5/{path}", data=fields, timeout=10)


class PortalClient:
    """Calls of the emulated Bitrix24 as JSON: through the administrator's webhook, or through the app."""

    def __init__(self, portal: Sandbox) -> None:
        self.crm = portal.bitrix24
        self.session = requests.Session()
        self.token: str | None = None

    def __call__(self, method: str, /, **params: Any) -> requests.Response:
        base = f"{self.crm.base_url}/rest/" if self.token else self.crm.webhook_url
        body = {"auth": self.token, **params} if self.token else params
        return self.session.post(f"{base}{method}", json=body, timeout=10)

    def result(self, method: str, /, **params: Any) -> Any:
        answer = self(method, **params)
        assert answer.status_code == 200, answer.text
        return answer.json()["result"]

    def refusal(self, method: str, /, **params: Any) -> tuple[int, Any, str]:
        answer = self(method, **params)
        return answer.status_code, answer.json()["error"], answer.json()["error_description"]

    def as_app(self, user_id: int | None = None) -> "PortalClient":
        self.token = self.crm.issue_tokens(user_id=user_id)["access_token"]
        return self


@dataclass
class Receiver:
    """A server that notes the bodies it gets and answers `status`."""

    url: str
    status: int = 200
    bodies: list[str] = field(default_factory=list)

    def forms(self) -> list[dict[str, str]]:
        return [dict(parse_qsl(body, keep_blank_values=True, strict_parsing=True)) for body in self.bodies]


@contextmanager
def opened(vendor: str, at: float | None = None) -> Iterator[Sandbox]:
    """A started sandbox of one vendor that refuses nobody for haste; its clock stands at `at`, or runs."""
    with Sandbox(vendors=(vendor,)) as made:
        made.vendors[vendor].limits.enabled = False
        if at is not None:
            made.clock.freeze(at)
        yield made


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with opened("amocrm") as made:
        yield made


@pytest.fixture
def frozen(sandbox: Sandbox) -> Sandbox:
    sandbox.clock.freeze(MONDAY)
    return sandbox


@pytest.fixture
def shop() -> Iterator[Sandbox]:
    with opened("retailcrm", MONDAY) as made:
        yield made


@pytest.fixture
def portal() -> Iterator[Sandbox]:
    with opened("bitrix24", MONDAY) as made:
        yield made


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Client]:
    made = Client(sandbox)
    with made.session:
        yield made


@pytest.fixture
def retail(shop: Sandbox) -> Iterator[RetailClient]:
    made = RetailClient(shop)
    with made.session:
        yield made


@pytest.fixture
def rest(portal: Sandbox) -> Iterator[PortalClient]:
    made = PortalClient(portal)
    with made.session:
        yield made


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.bodies.append(self.path.partition("?")[2])
            self.reply()

        def do_POST(self) -> None:
            made.bodies.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.reply()

        def reply(self) -> None:
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
