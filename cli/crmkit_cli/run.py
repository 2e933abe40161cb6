"""`crmkit run`: the service itself: a web server that stores what comes in, and workers that act on it."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

import click

from crmkit_cli.language import tr
from crmkit_cli.opening import config_option, open_service
from crmkit_cli.serving import serve
from crmkit_runtime.logs import configure_logs


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
@click.option(
    "--sweep-every",
    "sweep_s",
    default=60.0,
    show_default=True,
    help=tr("Как часто искать пропущенное в журнале CRM, с", "How often to look for lost events in the CRM's feed, s"),
)
@click.option("--log-format", type=click.Choice(["console", "json"]), default="console", show_default=True)
def command(
    config_path: Path,
    host: str,
    port: int,
    concurrency: int,
    web_only: bool,
    worker_only: bool,
    sweep_s: float,
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
        parts = {"web": not worker_only, "work": not web_only}
        serve(service, host, port, stopped, concurrency=concurrency, sweep_s=sweep_s, **parts)
