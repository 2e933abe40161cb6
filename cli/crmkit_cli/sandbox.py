"""`crmkit sandbox`: the emulated CRM as a server."""

from __future__ import annotations

import json
import signal
import threading

import click

from crmkit.errors import ConfigError
from crmkit_cli.language import tr
from crmkit_sandbox import Sandbox


@click.command(
    help=tr(
        "Поднять эмулятор CRM на этой машине: API, вебхуки, лимиты и страница, где можно двигать сделки и звонить.\n\n"
        "Остановить: Ctrl+C.",
        "Start the emulated CRM on this machine: API, webhooks, limits, and a page to move deals and make calls.\n\n"
        "Stop it with Ctrl+C.",
    )
)
@click.option("--port", default=8801, show_default=True, help=tr("Порт; 0 — любой свободный", "Port; 0 for a free one"))
@click.option("--seed/--empty", default=True, help=tr("С примером данных или пустой", "With sample data, or empty"))
@click.option("--json", "as_json", is_flag=True, help=tr("Адреса одной строкой JSON", "Addresses as one JSON line"))
def command(port: int, seed: bool, as_json: bool) -> None:
    """Serve until interrupted."""
    sandbox = start_sandbox(port, seed=seed)
    amocrm = sandbox.amocrm
    page = f"{sandbox.url}/amocrm/"
    if as_json:
        click.echo(json.dumps({"url": sandbox.url, "amocrm": amocrm.base_url, "token": amocrm.token, "page": page}))
    else:
        click.echo(f"amoCRM API   {amocrm.base_url}")
        click.echo(f"{tr('токен', 'token')}        {amocrm.token}")
        click.echo(f"{tr('страница', 'page')}     {page}")
        click.echo(tr("Ctrl+C — остановить", "Ctrl+C stops it"))
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    try:
        stopped.wait()
    finally:
        sandbox.stop()


def start_sandbox(port: int, *, seed: bool) -> Sandbox:
    """A running emulator. Raises ConfigError for a port in use."""
    sandbox = Sandbox(vendors=("amocrm",))
    if seed:
        sandbox.amocrm.seed()
    try:
        sandbox.start(port=port)
    except OSError as error:
        raise ConfigError(
            tr(f"порт {port} занят или недоступен: {error.strerror}", f"port {port} is in use: {error.strerror}"),
            remedy=tr("Укажите другой порт; 0 — любой свободный.", "Choose another port; 0 takes a free one."),
        ) from error
    return sandbox
