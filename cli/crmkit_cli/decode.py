"""`crmkit decode`: what a raw hook body says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import click

from crmkit import registry
from crmkit.errors import BadPayload, ConfigError, WebhookRejected
from crmkit.webhook import Delivery, WebhookRequest
from crmkit_cli.language import tr


@click.command(
    help=tr(
        "Показать, что говорит тело вебхука: какие записи могли измениться, какие факты принесены, что не понято.\n\n"
        "SENDER — CRM или телефония (amocrm, ringostat), FILE — файл с телом или «-» для ввода.\n\n"
        "Пример: crmkit decode amocrm hook.form",
        "Show what a webhook body says: which records may have changed, which facts it brings, what was not "
        "understood.\n\nSENDER is a CRM or a telephony (amocrm, ringostat), FILE the body, or - for standard input.\n\n"
        "Example: crmkit decode amocrm hook.form",
    )
)
@click.argument("sender")
@click.argument("file", type=click.File("rb"))
@click.option(
    "--content-type",
    default="application/x-www-form-urlencoded",
    show_default=True,
    help=tr("Тип тела; для *.json — JSON", "The body's type; for *.json it is JSON"),
)
@click.option("--json", "as_json", is_flag=True, help=tr("Строки JSON", "JSON lines"))
def command(sender: str, file: BinaryIO, content_type: str, as_json: bool) -> None:
    """Exit 1 when nothing in the body was understood."""
    name = str(getattr(file, "name", ""))
    if Path(name).suffix == ".json" and content_type == "application/x-www-form-urlencoded":
        content_type = "application/json"
    body: bytes = file.read()
    request = WebhookRequest("POST", "/", "", {"content-type": content_type}, body, datetime.now(UTC))
    delivery = _parse(sender, request)
    for line in _lines(delivery):
        click.echo(json.dumps(line, ensure_ascii=False, default=str) if as_json else _sentence(line))
    if not delivery.hints and not delivery.facts:
        raise click.exceptions.Exit(1)


def _parse(sender: str, request: WebhookRequest) -> Delivery:
    try:
        if sender in registry.sources():
            source = registry.source(sender)
            return Delivery(facts=tuple(source.parse(request, source.settings_type(account="account"))))
        if sender not in registry.vendors():
            known = ", ".join(registry.vendors() + registry.sources())
            raise ConfigError(f"there is no sender {sender!r}", remedy=f"Installed: {known}.")
        adapter = registry.adapter(sender)
        # Reading a body needs no secret, so the settings are built without asking for one.
        settings = adapter.settings_type.model_construct(
            key="account", vendor=sender, base_url="https://account.invalid"
        )
        return adapter.parse(request, settings)
    except (BadPayload, WebhookRejected) as error:
        return Delivery(refusals=(str(error),))


def _lines(delivery: Delivery) -> Iterator[dict[str, object]]:
    for hint in delivery.hints:
        yield {
            "type": "hint",
            "kind": hint.ref.kind.value,
            "id": hint.ref.id,
            "action": hint.action.value,
            "at": hint.at.isoformat() if hint.at else None,
            "actor_id": hint.actor_id,
            "move": asdict(hint.move) if hint.move else None,
        }
    for fact in delivery.facts:
        at = fact.at.isoformat()
        yield {"type": "fact", "event": fact.event, "key": fact.key, "at": at, "body": dict(fact.body)}
    for reason in delivery.refusals:
        yield {"type": "refusal", "reason": reason}


def _sentence(line: dict[str, object]) -> str:
    match line["type"]:
        case "hint":
            at = f"  {line['at']}" if line["at"] else ""
            return f"{tr('намёк', 'hint')}   {line['kind']} {line['id']}  {line['action']}{at}"
        case "fact":
            return f"{tr('факт', 'fact')}    {line['event']}  {line['key']}  {line['at']}"
    return f"{tr('не понято', 'refused')}  {line['reason']}"
