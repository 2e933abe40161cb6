"""Serving: a web server that stores what comes in, and workers that act on it, in one process."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Protocol

import click
import waitress.server

from crmkit.errors import ConfigError
from crmkit_cli.language import tr
from crmkit_runtime.console.session import password_of
from crmkit_runtime.ingest import Ingest
from crmkit_runtime.logs import configure
from crmkit_runtime.metrics import Metrics, is_wanted
from crmkit_runtime.service import Service
from crmkit_runtime.web import create_app
from crmkit_runtime.worker import Worker

LAST_WORDS_S = 5.0
"""How long a request under way may take to be answered once the server is told to stop."""


class _Tasks(Protocol):
    """What is used of waitress's threads."""

    def shutdown(self, cancel_pending: bool, timeout: float) -> bool:
        """Let them finish."""


class _Server(Protocol):
    """What is used of waitress's server."""

    task_dispatcher: _Tasks
    effective_port: int

    def run(self) -> None:
        """Serve until closed."""

    def close(self) -> None:
        """Take no new connection."""


def serve(
    service: Service,
    host: str,
    port: int,
    stopped: threading.Event,
    *,
    concurrency: int = 8,
    web: bool = True,
    work: bool = True,
    is_json: bool = False,
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Receive and work until `stopped` is set; then finish what has begun. `ready` is called once both are up.

    Raises ConfigError for a port in use.
    """
    configure(is_json=is_json, secrets=service.secrets())
    ingest = Ingest(service) if web else None
    try:
        server = _listen(service, ingest, host, port) if ingest else None
    except ConfigError:
        if ingest is not None:
            ingest.close()
        raise
    worker = Worker(service, concurrency=concurrency) if work else None
    if server is not None:
        threading.Thread(target=_run, args=(server, stopped), name="web", daemon=True).start()
        address = f"http://{host}:{server.effective_port}"
        click.echo(tr(f"Принимаю на {address}", f"Listening on {address}"))
    if worker is not None:
        worker.start()
        click.echo(tr("Обработчики работают", "Workers are running"))
    ready()
    try:
        stopped.wait()
    finally:
        click.echo(tr("Останавливаюсь: заканчиваю начатое", "Stopping: finishing what has begun"))
        if server is not None:
            server.close()
            server.task_dispatcher.shutdown(False, LAST_WORDS_S)
        if ingest is not None:
            ingest.close()
        if worker is not None:
            worker.stop()


def _run(server: _Server, stopped: threading.Event) -> None:
    try:
        server.run()
    except (OSError, ValueError):
        # The sockets were closed under the loop that watches them: that is how it is told to end.
        if not stopped.is_set():
            raise


def _listen(service: Service, ingest: Ingest, host: str, port: int) -> _Server:
    metrics = Metrics(service) if is_wanted(service, os.environ) else None
    try:
        server: _Server = waitress.server.create_server(
            create_app(service, ingest, metrics, password_of(os.environ)),
            host=host,
            port=port,
            threads=16,
            ident="crmkit",
            channel_timeout=30,
            # A body that the door would refuse is not even spooled to the disk.
            max_request_body_size=service.config.max_body_bytes + 1,
        )
    except (OSError, ValueError) as error:
        # waitress tells a host that it cannot resolve with a ValueError.
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ConfigError(
            tr(
                f"порт {port} на {host} занят или недоступен: {reason}",
                f"port {port} on {host} cannot be used: {reason}",
            ),
            remedy=tr("Укажите другой: --port.", "Choose another with --port, or stop who holds it."),
        ) from error
    return server
