"""create_app(): what the internet sees of a service: hook addresses, health, and nothing else."""

from __future__ import annotations

import hmac
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from http import HTTPStatus

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from crmkit.errors import NotFound, WebhookRejected
from crmkit.webhook import WebhookReply, WebhookRequest
from crmkit_runtime.health import readiness
from crmkit_runtime.ingest import Ingest
from crmkit_runtime.metrics import Metrics
from crmkit_runtime.service import Service

log = logging.getLogger(__name__)


def create_app(service: Service, ingest: Ingest, metrics: Metrics | None = None) -> Flask:
    """The WSGI application of a service.

    `/hooks/<sender>/<account>/<secret>` takes deliveries, `/healthz` says that this process lives and stores, `/readyz`
    that the service works, `/metrics` gives Prometheus figures when `metrics` is given. There is nothing else: a wrong
    secret is answered as an address that does not exist.
    """
    app = Flask("crmkit", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = service.config.max_body_bytes
    door = _Door(service, ingest, metrics)
    _add(app, "/hooks/<sender>/<account>/<secret>", door.deliver, ["GET", "POST"])
    _add(app, "/healthz", door.health, ["GET"])
    _add(app, "/readyz", door.ready, ["GET"])
    if metrics is not None:
        _add(app, "/metrics", door.figures, ["GET"])
    app.register_error_handler(HTTPException, _refusal)
    app.register_error_handler(Exception, _fault)
    return app


def _add(app: Flask, path: str, view: Callable[..., Response], methods: Sequence[str]) -> None:
    app.add_url_rule(path, path, view, methods=methods, provide_automatic_options=False)


class _Door:
    """The views, with the secrets of every address at hand."""

    def __init__(self, service: Service, ingest: Ingest, metrics: Metrics | None) -> None:
        self._service = service
        self._ingest = ingest
        self._metrics = metrics
        self._clock = service.clock
        self._secrets = {
            (sender, account.key): [secret.encode() for secret in service.hook_secrets(account.key)]
            for account in service.accounts.values()
            for sender in (account.adapter.vendor, *account.sources)
        }

    def deliver(self, sender: str, account: str, secret: str) -> Response:
        """Take a delivery, or answer a probe."""
        if not self._opens(sender, account, secret):
            return _empty(HTTPStatus.NOT_FOUND)
        if request.headers.get("Content-Encoding", "identity") != "identity":
            # A few bytes could unfold into gigabytes; no sender we know compresses.
            return _empty(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        is_crm = sender == self._service.accounts[account].adapter.vendor
        if request.method == "HEAD" or (request.method == "GET" and (is_crm or not request.query_string)):
            return _empty(HTTPStatus.OK)
        began = time.perf_counter()
        reply = self._receive(sender, account)
        if self._metrics is not None:
            self._metrics.count(sender, account, reply.status, time.perf_counter() - began)
        return Response(reply.body, reply.status, content_type=reply.content_type)

    def health(self) -> Response:
        """200 while this process can store deliveries."""
        return _empty(HTTPStatus.OK if self._ingest.is_alive else HTTPStatus.SERVICE_UNAVAILABLE)

    def ready(self) -> Response:
        """200 when deliveries are stored and handled; the body names what is wrong."""
        found = readiness(self._service, ingest_is_alive=self._ingest.is_alive)
        response = jsonify({"ready": found.is_ready, **asdict(found)})
        response.status_code = HTTPStatus.OK if found.is_ready else HTTPStatus.SERVICE_UNAVAILABLE
        return response

    def figures(self) -> Response:
        """Prometheus' text."""
        text = self._metrics.render() if self._metrics else b""
        return Response(text, content_type="text/plain; version=0.0.4; charset=utf-8")

    def _opens(self, sender: str, account: str, secret: str) -> bool:
        # An unknown address is compared as well, so that the time tells nothing.
        known = self._secrets.get((sender, account))
        offered = secret.encode("utf-8", "replace")
        matches = [hmac.compare_digest(offered, one) for one in known or [b"no such address"]]
        return known is not None and any(matches)

    def _receive(self, sender: str, account: str) -> WebhookReply:
        environ = request.environ
        delivery = WebhookRequest(
            method=request.method,
            # The secret of the address stays here.
            path=f"/hooks/{sender}/{account}",
            query=environ.get("QUERY_STRING", ""),
            headers={name.lower(): value for name, value in request.headers.items()},
            body=request.get_data(cache=False),
            received_at=self._clock.now(),
        )
        try:
            return self._ingest.receive(sender, account, delivery)
        except WebhookRejected as error:
            log.warning("delivery of %s for account %s refused: %s", sender, account, error)
            return WebhookReply(HTTPStatus.FORBIDDEN)
        except NotFound:
            return WebhookReply(HTTPStatus.NOT_FOUND)


def _empty(status: HTTPStatus) -> Response:
    return Response(status=status, content_type="text/plain; charset=utf-8")


def _refusal(error: HTTPException) -> Response:
    return _empty(HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR))


def _fault(error: Exception) -> Response:
    log.error("a request to %s failed", request.url_rule, exc_info=error)
    return _empty(HTTPStatus.INTERNAL_SERVER_ERROR)
