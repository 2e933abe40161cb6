"""`crmkit run`: the service itself: a web server that stores what comes in, and workers that act on it."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Protocol

import click
from crmkit_runtime.logs import configure_logs
from crmkit_runtime.service import Service

from crmkit.errors import ConfigError
from crmkit_cli.language import tr
from crmkit_cli.opening import config_option, open_service


@click.command(
    help=tr(
        "Запустить сервис. Один процесс делает всё; --web-only и --worker-only разделяют приём и обработку.",
        "Run the service. One process does everything; --web-only and --worker-only split receiving and working.",
    )
)
@config_option
@click.option("--host", default="127.0.0.1", show_default=True, envvar="CRMKIT_HOST")
@click.option("--port", default=8800, show_default=True, envvar="CRMKIT_PORT")
@click.option("--concurrency", default=8, show_default=True, help=tr("Обработчиков сразу", "Handlers at a time"))
@click.option("--web-only", is_flag=True, help=tr("Только приём вебхуков", "Only receive"))
@click.option("--worker-only", is_flag=True, help=tr("Только обработка", "Only work"))
@click.option("--log-format", type=click.Choice(["console", "json"]), default="console", show_default=True)
def command(
    config_path: Path,
    host: str,
    port: int,
    concurrency: int,
    web_only: bool,
    worker_only: bool,
    log_format: str,
) -> None:
    """Serve until SIGTERM or Ctrl+C; what was received is kept, what runs is finished."""
    if web_only and worker_only:
        raise click.UsageError(tr("--web-only и --worker-only исключают друг друга", "choose one of the two"))
    configure_logs(log_format)
    with open_service(config_path) as service:
        stopped = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopped.set())
        _serve(service, host, port, concurrency, stopped, web=not worker_only, work=not web_only)


def _serve(
    service: Service, host: str, port: int, concurrency: int, stopped: threading.Event, *, web: bool, work: bool
) -> None:
    from crmkit_runtime.ingest import Ingest
    from crmkit_runtime.web import create_app
    from crmkit_runtime.worker import Worker

    ingest = Ingest(service) if web else None
    server = _listen(create_app(service, ingest), host, port) if ingest else None
    worker = Worker(service, concurrency=concurrency) if work else None
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
    import waitress.server

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


class _Server(Protocol):
    """What is used of waitress's server."""

    def run(self) -> None:
        """Serve until closed."""

    def close(self) -> None:
        """Stop."""
