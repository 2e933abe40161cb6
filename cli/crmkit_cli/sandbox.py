"""`crmkit sandbox`: the emulated CRM as a server."""

from __future__ import annotations

import json
import socket
import time

import click

from crmkit.errors import ConfigError
from crmkit_cli.language import tr
from crmkit_cli.stopping import stopping_signal
from crmkit_sandbox import Sandbox

SAMPLE_AGE_S = 86_400.0
"""How old the sample records are."""


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
    # The emulator's own integration: nothing here opens any other door.
    oauth = {
        "client_id": amocrm.client_id,
        "client_secret": amocrm.client_secret,
        "redirect_uri": amocrm.redirect_uri,
        "code": amocrm.auth_code(),
    }
    if as_json:
        addresses = {"url": sandbox.url, "amocrm": amocrm.base_url, "token": amocrm.token, "page": page}
        click.echo(json.dumps({**addresses, "oauth": oauth}))
    else:
        click.echo(f"amoCRM API   {amocrm.base_url}")
        click.echo(f"{tr('токен', 'token')}        {amocrm.token}")
        click.echo(f"{tr('страница', 'page')}     {page}")
        for name, value in oauth.items():
            click.echo(f"{name:<13} {value}")
        click.echo(tr("Ctrl+C — остановить", "Ctrl+C stops it"))
    try:
        stopping_signal().wait()
    finally:
        sandbox.stop()


def start_sandbox(port: int, *, seed: bool) -> Sandbox:
    """A running emulator. Raises ConfigError for a port in use."""
    # Asked for here, because the server below would tell of it in its own words, beside ours.
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise _taken(port, error) from error
    sandbox = Sandbox(vendors=("amocrm",))
    if seed:
        # A base is older than the service that looks at it; made in the same second, its records would be news.
        sandbox.clock.freeze(time.time() - SAMPLE_AGE_S)
        sandbox.amocrm.seed()
        sandbox.clock.release()
    try:
        sandbox.start(port=port)
    except OSError as error:
        raise _taken(port, error) from error
    return sandbox


def _taken(port: int, error: OSError) -> ConfigError:
    reason = error.strerror or str(error)
    return ConfigError(
        tr(f"порт {port} занят или недоступен: {reason}", f"port {port} cannot be used: {reason}"),
        remedy=tr("Укажите другой порт; 0 — любой свободный.", "Choose another port; 0 takes a free one."),
    )
