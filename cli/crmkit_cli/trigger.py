"""`crmkit trigger`: make something happen on a running emulator, as a person or a telephone would."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

import click
import requests

from crmkit.errors import ConfigError, Rejected, VendorDown
from crmkit_cli.language import tr


@dataclass(frozen=True, slots=True)
class _Doing:
    """A person's action on the emulator, what it takes, and what it takes when nothing is said."""

    action: str
    ru: str
    en: str
    values: Mapping[str, object]


_EVENTS: Mapping[str, _Doing] = {
    "call.missed": _Doing(
        "call", "пропущенный звонок", "a missed call", {"direction": "in", "phone": "+79161234567", "duration": 0}
    ),
    "call.answered": _Doing(
        "call", "отвеченный звонок", "an answered call", {"direction": "in", "phone": "+79161234567", "duration": 95}
    ),
    "call.short": _Doing(
        "call", "случайный звонок", "an accidental call", {"direction": "in", "phone": "+79161234567", "duration": 3}
    ),
    "deal.created": _Doing("add_lead", "новая сделка", "a new deal", {"name": "Сделка с сайта", "price": 50000}),
    "deal.updated": _Doing("update_lead", "правка сделки", "a changed deal", {"id": None}),
    "deal.moved": _Doing("move_lead", "сделка на другом этапе", "a moved deal", {"id": None, "status_id": None}),
    "contact.created": _Doing(
        "add_contact", "новый контакт", "a new contact", {"name": "Мария Петрова", "phones": ["+79031112233"]}
    ),
}


@click.command(
    help=tr(
        "Вызвать событие на работающем эмуляторе (`crmkit sandbox`); вебхуки уйдут как от настоящей CRM.\n\nEVENT: ",
        "Make something happen on a running emulator (`crmkit sandbox`); it sends hooks as the real CRM does.\n\n"
        "EVENT: ",
    )
    + ", ".join(f"{name} ({tr(doing.ru, doing.en)})" for name, doing in _EVENTS.items())
    + tr("\n\nПример: crmkit trigger call.missed --set phone=+79990001122", "\n\nExample: crmkit trigger call.missed")
)
@click.argument("event")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help=tr("Задать поле", "Set a field"))
@click.option("--times", default=1, show_default=True, help=tr("Сколько раз", "How often"))
@click.option("--sandbox", "url", default="http://127.0.0.1:8801", show_default=True, help=tr("Эмулятор", "Emulator"))
@click.option("--json", "as_json", is_flag=True, help=tr("Строки JSON", "JSON lines"))
def command(event: str, settings: tuple[str, ...], times: int, url: str, as_json: bool) -> None:
    """Exit 1 when the emulator refuses."""
    if event not in _EVENTS:
        near = difflib.get_close_matches(event, _EVENTS, n=1)
        hint = tr(f" Может быть, {near[0]}?", f" Did you mean {near[0]}?") if near else ""
        raise click.UsageError(tr(f"Нет события «{event}».", f"There is no event {event!r}.") + hint)
    doing = _EVENTS[event]
    values = {**doing.values, **dict(_read(setting) for setting in settings)}
    if missing := [name for name, value in values.items() if value is None]:
        names = ", ".join(f"--set {name}=…" for name in missing)
        raise click.UsageError(tr(f"Для {event} нужно: {names}", f"{event} needs {names}"))
    for _ in range(times):
        done = _do(url, doing.action, values)
        click.echo(json.dumps(done, ensure_ascii=False) if as_json else f"{event}: {done}")


def _read(setting: str) -> tuple[str, object]:
    name, equals, text = setting.partition("=")
    if not equals:
        raise click.UsageError(tr(f"--set {setting}: нужно NAME=VALUE", f"--set {setting}: expected NAME=VALUE"))
    # A phone is digits with a plus and must stay text; ids and sums are numbers.
    if re.fullmatch(r"-?\d{1,10}", text):
        return name, int(text)
    return name, text.split(",") if name in {"phones", "emails"} else text


def _do(url: str, action: str, values: Mapping[str, object]) -> object:
    try:
        answer = requests.post(f"{url}/_sandbox/amocrm/do/{action}", json=dict(values), timeout=10)
    except requests.ConnectionError as error:
        raise ConfigError(
            tr(f"на {url} нет эмулятора", f"there is no emulator at {url}"),
            remedy=tr("Запустите `crmkit sandbox` или укажите --sandbox.", "Run `crmkit sandbox`, or give --sandbox."),
        ) from error
    except requests.RequestException as error:
        raise VendorDown(f"{url} gave no answer: {type(error).__name__}") from error
    if answer.status_code >= 400:
        raise Rejected(f"{action}: {answer.text[:300]}", status=answer.status_code)
    done: object = answer.json()
    return done
