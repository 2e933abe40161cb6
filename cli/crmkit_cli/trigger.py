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


SEEDED_PHONE = "+79010000000"
"""Of the first contact in the emulator's sample data."""


def _call(ru: str, en: str, duration: int) -> _Doing:
    return _Doing("call", ru, en, {"direction": "in", "phone": SEEDED_PHONE, "duration": duration})


_EVENTS: Mapping[str, _Doing] = {
    "call.missed": _call("пропущенный звонок", "a missed call", 0),
    "call.answered": _call("отвеченный звонок", "an answered call", 95),
    "call.short": _call("случайный звонок", "an accidental call", 3),
    "deal.created": _Doing("add_lead", "новая сделка", "a new deal", {"name": "Сделка с сайта", "price": 50000}),
    "deal.updated": _Doing("update_lead", "правка сделки", "a changed deal", {"id": None}),
    "deal.moved": _Doing("move_lead", "сделка на другом этапе", "a moved deal", {"id": None, "status_id": None}),
    "contact.created": _Doing(
        "add_contact", "новый контакт", "a new contact", {"name": "Мария Петрова", "phones": ["+79031112233"]}
    ),
    "contact.updated": _Doing("update_contact", "правка контакта", "a changed contact", {"id": None}),
    "task.created": _Doing("add_task", "новая задача", "a new task", {"text": "Связаться с клиентом"}),
}


@click.command(
    help=tr(
        "Вызвать событие на работающем эмуляторе (`crmkit dev` или `crmkit sandbox`); вебхуки уйдут как от настоящей "
        "CRM. --times 3 — CRM доставит один и тот же вебхук трижды, --lose — не доставит вовсе.\n\nEVENT: ",
        "Make something happen on a running emulator (`crmkit dev` or `crmkit sandbox`); it sends hooks as the real "
        "CRM does. With --times 3 the CRM delivers one and the same hook three times, with --lose not at all."
        "\n\nEVENT: ",
    )
    + ", ".join(f"{name} ({tr(doing.ru, doing.en)})" for name, doing in _EVENTS.items())
    + tr(
        "\n\nПример: crmkit trigger call.missed --set phone=+79990001122 --times 3",
        "\n\nExample: crmkit trigger call.missed --set phone=+79990001122 --times 3",
    )
)
@click.argument("event")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help=tr("Задать поле", "Set a field"))
@click.option(
    "--times",
    default=1,
    show_default=True,
    type=click.IntRange(1, 100),
    help=tr("Сколько раз доставить вебхук", "How often the hook is delivered"),
)
@click.option("--lose", is_flag=True, help=tr("Вебхук теряется по дороге", "The hook is lost on its way"))
@click.option("--sandbox", "url", default="http://127.0.0.1:8801", show_default=True, help=tr("Эмулятор", "Emulator"))
@click.option("--json", "as_json", is_flag=True, help=tr("Строки JSON", "JSON lines"))
def command(event: str, settings: tuple[str, ...], times: int, lose: bool, url: str, as_json: bool) -> None:
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
    if times > 1 and not lose:
        _do(url, "repeat_next_hook", {"times": times - 1})
    done = _do(url, doing.action, {**values, "hooks": not lose})
    if as_json:
        click.echo(json.dumps({"event": event, "id": done, "times": 0 if lose else times}, ensure_ascii=False))
    elif doing.action == "call" and done is None:
        phone = values["phone"]
        click.echo(
            tr(
                f"{event}: у {phone} нет контакта, поэтому CRM не завела запись о звонке. "
                f"Сначала: crmkit trigger contact.created --set phones={phone}",
                f"{event}: nobody has {phone}, so the CRM keeps no record of the call. "
                f"First: crmkit trigger contact.created --set phones={phone}",
            )
        )
    else:
        click.echo(f"{event}: {'' if done is None else done}".rstrip(": "))


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
    done: object = answer.json().get("result")
    return done
