"""`crmkit sandbox`: the emulated CRMs as a server."""

from __future__ import annotations

import json
import socket
from collections.abc import Sequence

import click

from crmkit.errors import ConfigError
from crmkit_cli.emulated import VENDORS, credentials, page
from crmkit_cli.emulated import seed as seed_samples
from crmkit_cli.language import tr
from crmkit_cli.stopping import stopping_signal
from crmkit_sandbox import Sandbox


@click.command(
    help=tr(
        "Поднять эмуляторы CRM на этой машине: API, вебхуки, лимиты и у каждой страница, где можно двигать сделки и "
        "звонить. Без --vendor — все три: amoCRM, Битрикс24, retailCRM.\n\n"
        "Остановить: Ctrl+C.",
        "Start the emulated CRMs on this machine: API, webhooks, limits, and a page of each to move deals and make "
        "calls. All three without --vendor: amoCRM, Bitrix24, retailCRM.\n\n"
        "Stop it with Ctrl+C.",
    )
)
@click.option(
    "--vendor",
    "vendors",
    multiple=True,
    type=click.Choice(VENDORS),
    help=tr("Только эта CRM; можно повторить", "This CRM only; may be repeated"),
)
@click.option("--port", default=8801, show_default=True, help=tr("Порт; 0 — любой свободный", "Port; 0 for a free one"))
@click.option("--seed/--empty", default=True, help=tr("С примером данных или пустой", "With sample data, or empty"))
@click.option("--json", "as_json", is_flag=True, help=tr("Адреса одной строкой JSON", "Addresses as one JSON line"))
def command(vendors: tuple[str, ...], port: int, seed: bool, as_json: bool) -> None:
    """Serve until interrupted."""
    stopped = stopping_signal()
    sandbox = start_sandbox(port, seed=seed, vendors=vendors or VENDORS)
    try:
        _tell(sandbox, as_json=as_json)
        stopped.wait()
    finally:
        sandbox.stop()


def start_sandbox(port: int, *, seed: bool, vendors: Sequence[str]) -> Sandbox:
    """Running emulators. Raises ConfigError for a port in use."""
    # Asked for here, because the server below would tell of it in its own words, beside ours.
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise _taken(port, error) from error
    sandbox = Sandbox(vendors=[vendor for vendor in VENDORS if vendor in vendors])
    if seed:
        seed_samples(sandbox)
    try:
        sandbox.start(port=port)
    except OSError as error:
        raise _taken(port, error) from error
    return sandbox


def _tell(sandbox: Sandbox, *, as_json: bool) -> None:
    accounts = {
        key: {
            "base_url": vendor.base_url,
            "page": page(sandbox, key),
            **credentials(sandbox, key),
        }
        for key, vendor in sandbox.vendors.items()
    }
    if as_json:
        click.echo(json.dumps({"url": sandbox.url, "accounts": accounts}))
        return
    for key, values in accounts.items():
        click.echo(f"{sandbox.vendors[key].title}  {values['base_url']}")
        for name, value in values.items():
            if name != "base_url":
                click.echo(f"  {tr('страница', 'page') if name == 'page' else name:<18} {value}")
    click.echo(tr("Ctrl+C — остановить", "Ctrl+C stops it"))


def _taken(port: int, error: OSError) -> ConfigError:
    reason = error.strerror or str(error)
    return ConfigError(
        tr(f"порт {port} занят или недоступен: {reason}", f"port {port} cannot be used: {reason}"),
        remedy=tr("Укажите другой порт; 0 — любой свободный.", "Choose another port; 0 takes a free one."),
    )
