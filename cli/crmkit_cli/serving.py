"""Serving: a web server that stores what comes in, and workers that act on it, in one process."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Protocol

import click
import waitress.server

from crmkit.errors import ConfigError
from crmkit_cli.language import tr
from crmkit_runtime.ingest import Ingest
from crmkit_runtime.service import Service
from crmkit_runtime.web import create_app
from crmkit_runtime.worker import Worker


class _Server(Protocol):
    """What is used of waitress's server."""

    def run(self) -> None:
        """Serve until closed."""

    def close(self) -> None:
        """Stop."""


def serve(
    service: Service,
    host: str,
    port: int,
    stopped: threading.Event,
    *,
    concurrency: int = 8,
    sweep_s: float = 60.0,
    web: bool = True,
    work: bool = True,
) -> None:
    """Receive and work until `stopped` is set; then finish what has begun. Raises ConfigError for a port in use."""
    ingest = Ingest(service) if web else None
    server = _listen(create_app(service, ingest), host, port) if ingest else None
    worker = Worker(service, concurrency=concurrency, sweep=timedelta(seconds=sweep_s)) if work else None
    if server is not None:
        threading.Thread(target=server.run, name="web", daemon=True).start()
        click.echo(tr(f"Принимаю на http://{host}:{port}", f"Listening on http://{host}:{port}"))
    if worker is not None:
        worker.start()
        click.echo(tr("Обработчики работают", "Workers are running"))
    try:
        stopped.wait()
    finally:
        if server is not None:
            server.close()
        if ingest is not None:
            ingest.close()
        if worker is not None:
            worker.stop()


def _listen(app: object, host: str, port: int) -> _Server:
    try:
        server: _Server = waitress.server.create_server(
            app, host=host, port=port, threads=16, ident="crmkit", channel_timeout=30
        )
    except OSError as error:
        raise ConfigError(
            tr(f"порт {port} занят или недоступен: {error.strerror}", f"port {port} is in use: {error.strerror}"),
            remedy=tr("Укажите другой: --port.", "Choose another with --port, or stop who holds it."),
        ) from error
    return server
