"""HookDoor: the addresses at which senders post, as plain WSGI, before anything is believed."""

from __future__ import annotations

import hmac
import logging
import time
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from crmkit.errors import NotFound, WebhookRejected
from crmkit.webhook import WebhookReply, WebhookRequest
from crmkit_runtime.ingest import Ingest
from crmkit_runtime.metrics import Metrics
from crmkit_runtime.service import Service

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger(__name__)

PREFIX = "/hooks/"
_STATUS = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


class HookDoor:
    """Takes `/hooks/<sender>/<account>/<secret>`; every other path goes on to `inner`.

    A POST is a delivery, and a GET of a source with something to say; other GETs and HEADs are probes and answered 200.
    404, with an empty body, for a wrong secret and an unknown address alike; 413 before a body over the cap is read;
    415 for a compressed one; 405 for other methods.

    Args:
        inner: the application behind.
    """

    def __init__(self, service: Service, ingest: Ingest, metrics: Metrics | None, inner: WSGIApplication) -> None:
        self._inner = inner
        self._ingest = ingest
        self._metrics = metrics
        self._clock = service.clock
        self._cap = service.config.max_body_bytes
        self._crms = {(account.adapter.vendor, account.key) for account in service.accounts.values()}
        self._secrets = {
            (sender, account.key): [secret.encode() for secret in service.hook_secrets(account.key)]
            for account in service.accounts.values()
            for sender in (account.adapter.vendor, *account.sources)
        }

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        path: str = environ.get("PATH_INFO", "")
        if not path.startswith(PREFIX):
            return self._inner(environ, start_response)
        reply = self._answer(path, environ)
        body = reply.body.encode()
        headers = [("Content-Type", reply.content_type), ("Content-Length", str(len(body)))]
        start_response(_STATUS[reply.status], headers)
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body]

    def _answer(self, path: str, environ: WSGIEnvironment) -> WebhookReply:
        sender, _, rest = path.removeprefix(PREFIX).partition("/")
        account, _, secret = rest.partition("/")
        if not self._opens(sender, account, secret):
            return WebhookReply(HTTPStatus.NOT_FOUND)
        method: str = environ["REQUEST_METHOD"]
        if method not in ("GET", "HEAD", "POST"):
            return WebhookReply(HTTPStatus.METHOD_NOT_ALLOWED)
        if method == "HEAD" or (method == "GET" and ((sender, account) in self._crms or not environ["QUERY_STRING"])):
            return WebhookReply()
        if environ.get("HTTP_CONTENT_ENCODING", "identity") != "identity":
            # A few bytes could unfold into gigabytes; no sender we know compresses.
            return WebhookReply(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        body = self._body(environ)
        if body is None:
            return WebhookReply(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        began = time.perf_counter()
        # The secret of the address stays here.
        request = WebhookRequest(
            method,
            f"{PREFIX}{sender}/{account}",
            environ.get("QUERY_STRING", ""),
            _headers(environ),
            body,
            self._clock.now(),
        )
        reply = self._receive(sender, account, request)
        if self._metrics is not None:
            self._metrics.count(sender, account, reply.status, time.perf_counter() - began)
        return reply

    def _receive(self, sender: str, account: str, request: WebhookRequest) -> WebhookReply:
        try:
            return self._ingest.receive(sender, account, request)
        except WebhookRejected as error:
            log.warning("delivery of %s for account %s refused: %s", sender, account, error)
            return WebhookReply(HTTPStatus.FORBIDDEN)
        except NotFound:
            return WebhookReply(HTTPStatus.NOT_FOUND)

    def _opens(self, sender: str, account: str, secret: str) -> bool:
        # An unknown address is compared as well, so that the time tells nothing.
        known = self._secrets.get((sender, account))
        offered = secret.encode("utf-8", "replace")
        matches = [hmac.compare_digest(offered, one) for one in known or [b"no such address"]]
        return known is not None and any(matches)

    def _body(self, environ: WSGIEnvironment) -> bytes | None:
        """The body; None when it is over the cap."""
        stream: Any = environ["wsgi.input"]
        length = environ.get("CONTENT_LENGTH") or ""
        if length.isdecimal():
            return bytes(stream.read(int(length))) if int(length) <= self._cap else None
        # Without a length only a server that marks the end of a chunked body may be read.
        if not environ.get("wsgi.input_terminated"):
            return b""
        body = bytes(stream.read(self._cap + 1))
        return body if len(body) <= self._cap else None


def _headers(environ: Mapping[str, Any]) -> Mapping[str, str]:
    found = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name[:5] == "HTTP_"}
    if content_type := environ.get("CONTENT_TYPE"):
        found["content-type"] = content_type
    return found
