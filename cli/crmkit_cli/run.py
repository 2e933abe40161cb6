"""`crmkit run`: the service itself: a web server that stores what comes in, and workers that act on it."""

from __future__ import annotations

from pathlib import Path

import click

from crmkit_cli.language import tr
from crmkit_cli.opening import config_option, open_service
from crmkit_cli.serving import serve
from crmkit_cli.stopping import stopping_signal


@click.command(
    help=tr(
        "Запустить сервис. Один процесс делает всё; --web-only и --worker-only разделяют приём и обработку: процессов "
        "каждого вида может быть несколько, база одна.\n\n"
        "Пример: crmkit migrate && crmkit run --port 8800\n\n"
        "SIGTERM и Ctrl+C останавливают сервис: принятое сохранено, начатое закончено.",
        "Run the service. One process does everything; --web-only and --worker-only split receiving and working: "
        "there may be several processes of each, on one database.\n\n"
        "Example: crmkit migrate && crmkit run --port 8800\n\n"
        "SIGTERM and Ctrl+C stop it: what was received is kept, what runs is finished.",
    )
)
@config_option
@click.option("--host", default="127.0.0.1", show_default=True, envvar="CRMKIT_HOST", help=tr("Адрес", "Address"))
@click.option(
    "--port",
    default=8800,
    show_default=True,
    envvar="CRMKIT_PORT",
    type=click.IntRange(0, 65535),
    help=tr("Порт; 0 — любой свободный", "Port; 0 for a free one"),
)
@click.option(
    "--concurrency",
    default=8,
    show_default=True,
    type=click.IntRange(1, 256),
    help=tr("Обработчиков сразу", "Handlers at a time"),
)
@click.option("--web-only", is_flag=True, help=tr("Только приём вебхуков", "Only receive"))
@click.option("--worker-only", is_flag=True, help=tr("Только обработка", "Only work"))
@click.option(
    "--log-format",
    type=click.Choice(["console", "json"]),
    default="console",
    show_default=True,
    help=tr("Вид журнала", "How log lines look"),
)
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
    with open_service(config_path) as service:
        serve(
            service,
            host,
            port,
            stopping_signal(),
            concurrency=concurrency,
            web=not worker_only,
            work=not web_only,
            is_json=log_format == "json",
        )
