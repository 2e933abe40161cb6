"""What stands before every emulated CRM: faults, outage, rate limit, latency and the log of calls."""

import io
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypedDict, cast
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from werkzeug.wrappers import Request, Response

from .clock import Clock
from .faults import Fault, Faults
from .limits import Limiter
from .traffic import Call, Traffic

# Where an application leaves notes for the gateway and the server. The dict is shared: werkzeug copies the environ.
NOTES = "crmkit_sandbox.notes"
Cut = Literal["reset", "truncated"]


class Notes(TypedDict, total=False):
    """`cut` tells the server to break the connection; `ignored` names parameters that did nothing."""

    cut: Cut
    ignored: list[str]


class Fronted(Protocol):
    """The side of an emulated CRM that its gateway sees."""

    key: str
    limits: Limiter
    requests: Traffic
    wsgi: WSGIApplication

    def is_api(self, path: str) -> bool:
        """True for calls of programs, which limits and faults concern; pages for people are left alone."""

    def refuse(self, status: int, retry_after: int | None) -> Response:
        """The vendor's own answer for a refusal that its gateway makes."""


@dataclass
class Latency:
    """How long each call of a program takes at least."""

    seconds: float = 0.0


@dataclass
class Gateway:
    """One emulated CRM behind its gateway, as a WSGI application."""

    vendor: Fronted
    faults: Faults
    clock: Clock
    latency: Latency = field(default_factory=Latency)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if not self.vendor.is_api(path):
            return self.vendor.wsgi(environ, start_response)
        at = self.clock.now()
        if self.latency.seconds > 0:
            time.sleep(self.latency.seconds)
        notes = notes_of(environ)
        answer = self._answer(environ, path)
        body = answer.get_data()
        self.vendor.requests.add(
            Call(
                method=environ["REQUEST_METHOD"],
                path=path,
                query=environ.get("QUERY_STRING", ""),
                status=0 if notes.get("cut") == "reset" else answer.status_code,
                at=at,
                bytes=len(body),
                ignored=tuple(notes.get("ignored", ())),
            )
        )
        return answer(environ, start_response)

    def _answer(self, environ: WSGIEnvironment, path: str) -> Response:
        if self.faults.is_down(self.vendor.key):
            return _page(502)
        verdict = self.vendor.limits.check()
        if verdict == "banned":
            return self.vendor.refuse(403, None)
        if verdict == "slow":
            return self.vendor.refuse(self.vendor.limits.refusal_status, self.vendor.limits.retry_after)
        fault = self.faults.take(self.vendor.key, environ["REQUEST_METHOD"], path)
        if fault is None:
            return self._apply(environ)
        return self._fail(fault, environ)

    def _apply(self, environ: WSGIEnvironment) -> Response:
        return Response.from_app(self.vendor.wsgi, environ, buffered=True)

    def _fail(self, fault: Fault, environ: WSGIEnvironment) -> Response:
        ways: dict[str, Callable[[], Response]] = {
            "html": lambda: _page(fault.status),
            "truncated": lambda: _cut(environ, "truncated", self._apply(environ)),
            "cut_json": lambda: _halved(self._apply(environ)),
            "reset": lambda: _cut(environ, "reset", Response()),
            "timeout": lambda: self._hang(environ, Response()),
            "applied_then_reset": lambda: _cut(environ, "reset", self._apply(environ)),
            "applied_then_502": lambda: _applied(self._apply(environ), _page(502)),
            "applied_then_timeout": lambda: self._hang(environ, self._apply(environ)),
        }
        if fault.body is None:
            return self.vendor.refuse(fault.status, fault.retry_after)
        return ways[fault.body]()

    def _hang(self, environ: WSGIEnvironment, answer: Response) -> Response:
        self.faults.hang()
        return _cut(environ, "reset", answer)


def notes_of(environ: WSGIEnvironment) -> Notes:
    """The notes of this call."""
    return cast(Notes, environ.setdefault(NOTES, {}))


def hold_body(environ: WSGIEnvironment) -> None:
    """Read the whole request body, so that an early refusal leaves nothing on a kept connection."""
    body = Request(environ).get_data(cache=False)
    environ["wsgi.input"] = io.BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))
    environ.pop("HTTP_TRANSFER_ENCODING", None)


def _page(status: int) -> Response:
    response = Response(status=status, content_type="text/html")
    title = response.status.title() if status != 502 else "502 Bad Gateway"
    response.set_data(f"<html>\n<head><title>{title}</title></head>\n<body>\n<h1>{title}</h1>\n</body>\n</html>\n")
    return response


def _cut(environ: WSGIEnvironment, how: Cut, answer: Response) -> Response:
    notes_of(environ)["cut"] = how
    return answer


def _halved(answer: Response) -> Response:
    body = answer.get_data()
    answer.set_data(body[: len(body) // 2])
    return answer


def _applied(_: Response, instead: Response) -> Response:
    return instead
