"""The hook addresses: who is let in, and what a stranger hears."""

from __future__ import annotations

import http.client
import resource
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import waitress.server
from flask.testing import FlaskClient

from crmkit.webhook import Delivery, WebhookRequest
from crmkit_runtime.hooks import HookDoor
from crmkit_runtime.tables import delivery
from crmkit_runtime.web import create_app

Door = Any
EMPTY = {"delivery": 0, "hint": 0, "event": 0, "run": 0}


@pytest.fixture
def client(door: Door) -> FlaskClient:
    return create_app(door.service, door.ingest).test_client()


def test_a_delivery_is_stored_before_it_is_answered(door: Door, client: FlaskClient) -> None:
    """POST at the right address: 200, and the delivery is there with the secret nowhere in it."""
    answer = client.post(door.path_of(), data=door.hook(7), content_type="application/json", query_string="a=1")
    assert (answer.status_code, answer.data, door.stored["hint"]) == (200, b"", 1)
    assert door.rows(delivery.c.method, delivery.c.query, delivery.c.content_type) == [
        ("POST", "a=1", "application/json")
    ]


def test_the_adapter_sees_names_in_lower_case_and_no_secret(
    door: Door, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Headers come by lower-case names, the path without its last part, the body byte by byte, the time aware."""
    seen = []
    adapter = door.service.accounts["acme"].adapter

    def parse(request: WebhookRequest, settings: object) -> Delivery:
        seen.append(request)
        return Delivery()

    monkeypatch.setattr(adapter, "parse", parse)
    body = b"a=%D0%96&b=\xff"
    client.post(
        door.path_of(), data=body, headers={"X-Signature": "ab"}, content_type="application/x-www-form-urlencoded"
    )
    (request,) = seen
    assert (request.method, request.path, request.body) == ("POST", "/hooks/memory/acme", body)
    assert (request.headers["x-signature"], request.headers["content-type"]) == (
        "ab",
        "application/x-www-form-urlencoded",
    )
    assert request.received_at == door.service.clock.now()


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path[:-1] + ("y" if path.endswith("x") else "x"),
        lambda path: path[:-1],
        lambda path: path + "/",
        lambda path: path.rpartition("/")[0] + "/",
        lambda path: path.rpartition("/")[0],
        lambda path: path.replace("memory", "amocrm"),
        lambda path: path.replace("acme", "other"),
        lambda path: path.replace("acme", "nobody"),
        lambda path: "/hooks/",
        lambda path: "/hooks/\u0416/\u0416/\u0416",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_a_wrong_address_does_not_exist(
    door: Door, client: FlaskClient, change: Callable[[str], str], method: str
) -> None:
    """Wrong secret, sender or account: 404 with an empty body, and nothing is stored."""
    answer = client.open(change(door.path_of()), method=method, data=door.hook(7))
    assert (answer.status_code, answer.data, door.stored) == (404, b"", EMPTY)


def test_a_body_of_another_account_is_403(door: Door, client: FlaskClient) -> None:
    """The right address of one account does not take another account's deliveries."""
    answer = client.post(door.path_of(), data=door.hook(7, account="other"))
    assert (answer.status_code, answer.data, door.stored) == (403, b"", EMPTY)


@pytest.mark.parametrize(
    ("method", "status"), [("GET", 200), ("HEAD", 200), ("PUT", 405), ("DELETE", 405), ("OPTIONS", 405)]
)
def test_probes_of_a_crm(door: Door, client: FlaskClient, method: str, status: int) -> None:
    """A CRM that looks whether the address lives hears 200; other methods are refused; nothing is stored."""
    answer = client.open(door.path_of(), method=method)
    assert (answer.status_code, answer.data, door.stored) == (status, b"", EMPTY)


def test_a_source_gets_its_word_back(door: Door, client: FlaskClient) -> None:
    """A GET with a question is answered as the source wants; one without is a probe."""
    path = door.path_of("exchange")
    assert [client.get(path, query_string="echo=abc").data, client.get(path).data] == [b"abc", b""]


def test_compressed_bodies_are_refused(door: Door, client: FlaskClient) -> None:
    """415, and the body is not looked at."""
    answer = client.post(door.path_of(), data=b"\x1f\x8b", headers={"Content-Encoding": "gzip"})
    assert (answer.status_code, door.stored) == (415, EMPTY)


def test_a_body_up_to_the_cap_is_taken(open_door: Callable[..., Door]) -> None:
    """The cap itself passes, one byte more is 413 and leaves nothing."""
    door = open_door(max_body_bytes=2048)
    client = create_app(door.service, door.ingest).test_client()
    answers = [client.post(door.path_of(), data=b"x" * size).status_code for size in (2048, 2049)]
    assert (answers, door.stored["delivery"]) == ([200, 413], 1)


class Stream:
    """A chunked body that counts what is read of it."""

    def __init__(self, length: int) -> None:
        self.left = length
        self.read_bytes = 0

    def read(self, size: int) -> bytes:
        taken = min(size, self.left)
        self.left -= taken
        self.read_bytes += taken
        return b"x" * taken


@pytest.mark.parametrize(("is_marked", "status", "read"), [(True, "413", 1025), (False, "200", 0)])
def test_a_body_without_a_length(open_door: Callable[..., Door], is_marked: bool, status: str, read: int) -> None:
    """It is read up to the cap where the server marks its end, and else not at all."""
    door = open_door(max_body_bytes=1024)
    hooks = HookDoor(door.service, door.ingest, None, lambda environ, start: [])
    stream, said = Stream(50_000_000), []
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": door.path_of(),
        "QUERY_STRING": "",
        "wsgi.input": stream,
        "wsgi.input_terminated": is_marked,
    }
    hooks(environ, lambda line, headers: said.append(line[:3]))  # type: ignore[arg-type]
    assert (said, stream.read_bytes) == ([status], read)


@pytest.fixture
def port(door: Door) -> Iterator[int]:
    """A real server on a free port."""
    server = waitress.server.create_server(
        create_app(door.service, door.ingest), host="127.0.0.1", port=0, threads=4, clear_untrusted_proxy_headers=True
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield server.effective_port
    server.close()
    server.task_dispatcher.shutdown()
    thread.join(5)


def test_fifty_megabytes_are_not_held_in_memory(door: Door, port: int) -> None:
    """413, nothing stored, and the process has not grown by the body."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    link = http.client.HTTPConnection("127.0.0.1", port)
    piece = b"x" * 65536
    link.putrequest("POST", door.path_of())
    link.putheader("Content-Length", str(50_000_000))
    link.endheaders()
    for _ in range(50_000_000 // len(piece)):
        link.send(piece)
    link.send(b"x" * (50_000_000 % len(piece)))
    assert link.getresponse().status == 413
    link.close()
    grown_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown_kb < 20_000
    assert door.stored == EMPTY


def test_after_a_key_rotation_old_addresses_live_on(open_door: Callable[..., Door]) -> None:
    """An address typed into a CRM keeps working while the old key is kept, and dies with it."""
    old, new = "A" * 43 + "=", "B" * 43 + "="
    first = open_door({"CRMKIT_KEY": old})
    path = first.path_of()
    first.service.tokens.check_key()
    both = open_door({"CRMKIT_KEY": f"{new},{old}"})
    both.service.tokens.rotate()
    alone = open_door({"CRMKIT_KEY": new})
    answers = [
        create_app(door.service, door.ingest).test_client().post(path, data=door.hook(1)).status_code
        for door in (first, both, alone)
    ]
    assert answers == [200, 200, 404]
    assert both.path_of() != path


def test_an_own_secret_wins(open_door: Callable[..., Door]) -> None:
    """A secret from the environment is the address, and no derived one opens it."""
    derived = open_door().path_of()
    door = open_door({"CRMKIT_ACME_HOOK_SECRET": "s" * 32})
    client = create_app(door.service, door.ingest).test_client()
    answers = [client.post(path, data=door.hook(1)).status_code for path in (door.path_of(), derived)]
    assert (door.path_of(), answers) == (f"/hooks/memory/acme/{'s' * 32}", [200, 404])


@pytest.mark.parametrize("path", ["/", "/hooks", "/console", "/metrics", "/static/x", "/favicon.ico"])
def test_there_is_nothing_else(client: FlaskClient, path: str) -> None:
    """Every other address is 404 with an empty body."""
    answer = client.get(path)
    assert (answer.status_code, answer.data) == (404, b"")
