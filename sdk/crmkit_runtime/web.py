"""create_app(): what the internet sees of a service: hook addresses, health, and a console that has a password."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict
from http import HTTPStatus

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from crmkit_runtime.console.views import make_console
from crmkit_runtime.health import readiness
from crmkit_runtime.hooks import HookDoor
from crmkit_runtime.ingest import Ingest
from crmkit_runtime.metrics import Metrics
from crmkit_runtime.service import Service

log = logging.getLogger(__name__)


def create_app(
    service: Service, ingest: Ingest, metrics: Metrics | None = None, console_password: str | None = None
) -> Flask:
    """The WSGI application of a service.

    `/hooks/<sender>/<account>/<secret>` takes deliveries (see `HookDoor`), `/healthz` says that this process lives and
    stores, `/readyz` that the service works, `/metrics` gives Prometheus figures when `metrics` is given, `/console` is
    there when it has a password. There is nothing else: a wrong secret is answered as an address that does not exist.
    """
    app = Flask("crmkit", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = service.config.max_body_bytes
    views = _Views(service, ingest, metrics)
    _add(app, "/healthz", views.health)
    _add(app, "/readyz", views.ready)
    if metrics is not None:
        _add(app, "/metrics", views.figures)
    if console_password is not None:
        app.register_blueprint(make_console(service, console_password))
    app.register_error_handler(HTTPException, _refusal)
    app.register_error_handler(Exception, _fault)
    # Deliveries pass before Flask: its routing and its objects cost as much as reading a delivery does.
    door = HookDoor(service, ingest, metrics, app.wsgi_app)
    app.wsgi_app = door  # type: ignore[method-assign]  # the place that Flask names for this
    return app


def _add(app: Flask, path: str, view: Callable[[], Response]) -> None:
    app.add_url_rule(path, path, view, methods=["GET"], provide_automatic_options=False)


class _Views:
    """What Flask answers."""

    def __init__(self, service: Service, ingest: Ingest, metrics: Metrics | None) -> None:
        self._service = service
        self._ingest = ingest
        self._metrics = metrics

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


def _empty(status: HTTPStatus) -> Response:
    return Response(status=status, content_type="text/plain; charset=utf-8")


def _refusal(error: HTTPException) -> Response:
    return _empty(HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR))


def _fault(error: Exception) -> Response:
    log.error("a request to %s failed", request.url_rule, exc_info=error)
    return _empty(HTTPStatus.INTERNAL_SERVER_ERROR)
