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
from crmkit_cli.emulated import VENDORS
from crmkit_cli.language import tr
from crmkit_cli.redelivery import repeat_last
from crmkit_cli.ringostat import tell_call


@dataclass(frozen=True, slots=True)
class _Doing:
    """A person's action on an emulator, and what it takes; None stands for what has to be said."""

    action: str
    values: Mapping[str, object]


SEEDED_PHONE: Mapping[str, str] = {
    "amocrm": "+79010000000",
    "bitrix24": "+79263500000",
    "retailcrm": "+79020000000",
}
"""Of the first contact in each emulator's sample data."""

CALL_ENDS = "ONVOXIMPLANTCALLEND"

_TALKS: Mapping[str, int] = {"call.missed": 0, "call.answered": 95, "call.short": 3}
"""How many seconds they talk."""

_TITLES: Mapping[str, tuple[str, str]] = {
    "call.missed": ("пропущенный звонок", "a missed call"),
    "call.answered": ("отвеченный звонок", "an answered call"),
    "call.short": ("случайный звонок", "an accidental call"),
    "deal.created": ("новая сделка", "a new deal"),
    "deal.updated": ("правка сделки", "a changed deal"),
    "deal.moved": ("сделка на другом этапе", "a moved deal"),
    "contact.created": ("новый контакт", "a new contact"),
    "contact.updated": ("правка контакта", "a changed contact"),
    "task.created": ("новая задача", "a new task"),
}

_NEW_PHONE = "+79031112233"
_LISTS = {"phone": "phones", "email": "emails"}
_DOINGS: Mapping[str, Mapping[str, _Doing]] = {
    "amocrm": {
        "deal.created": _Doing("add_lead", {"name": "Сделка с сайта", "price": 50000}),
        "deal.updated": _Doing("update_lead", {"id": None}),
        "deal.moved": _Doing("move_lead", {"id": None, "status_id": None}),
        "contact.created": _Doing("add_contact", {"name": "Мария Петрова", "phones": [_NEW_PHONE]}),
        "contact.updated": _Doing("update_contact", {"id": None}),
        "task.created": _Doing("add_task", {"text": "Связаться с клиентом"}),
    },
    "bitrix24": {
        "deal.created": _Doing("add_deal", {"title": "Сделка с сайта", "amount": 50000}),
        "deal.updated": _Doing("update_deal", {"id": None}),
        "deal.moved": _Doing("move_deal", {"id": None, "stage_id": None}),
        "contact.created": _Doing("add_contact", {"name": "Мария", "last_name": "Петрова", "phones": [_NEW_PHONE]}),
        "contact.updated": _Doing("update_contact", {"id": None}),
        "task.created": _Doing("add_todo", {"kind": "deal", "row_id": None, "title": "Связаться с клиентом"}),
    },
    "retailcrm": {
        "deal.created": _Doing("add_order", {"items": [["Чайник", 1990, 1]]}),
        "deal.updated": _Doing("update_order", {"id": None}),
        "deal.moved": _Doing("set_status", {"id": None, "status": None}),
        "contact.created": _Doing(
            "add_customer", {"firstName": "Мария", "lastName": "Петрова", "phones": [_NEW_PHONE]}
        ),
        "contact.updated": _Doing("update_customer", {"id": None}),
        "task.created": _Doing("add_task", {"text": "Связаться с клиентом"}),
    },
}


@click.command(
    help=tr(
        "Вызвать событие на работающем эмуляторе (`crmkit dev` или `crmkit sandbox`); вебхуки уйдут как от настоящей "
        "CRM. --times 3 — CRM доставит один и тот же вебхук трижды, --lose — не доставит вовсе. --hook — о звонке "
        "сообщит Ringostat; у retailCRM иначе нельзя: списка звонков в ней нет.\n\nEVENT: ",
        "Make something happen on a running emulator (`crmkit dev` or `crmkit sandbox`); it sends hooks as the real "
        "CRM does. With --times 3 the CRM delivers one and the same hook three times, with --lose not at all. With "
        "--hook Ringostat tells of a call; for retailCRM it must, which has no list of calls.\n\nEVENT: ",
    )
    + ", ".join(f"{name} ({tr(*title)})" for name, title in _TITLES.items())
    + tr(
        "\n\nПример: crmkit trigger call.missed --set phone=+79990001122 --times 3",
        "\n\nExample: crmkit trigger call.missed --set phone=+79990001122 --times 3",
    )
)
@click.argument("event")
@click.option(
    "--vendor",
    type=click.Choice(VENDORS),
    help=tr("В какой CRM; иначе в первой из запущенных", "In which CRM; else in the first that runs"),
)
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help=tr("Задать поле", "Set a field"))
@click.option(
    "--times",
    default=1,
    show_default=True,
    type=click.IntRange(1, 100),
    help=tr("Сколько раз доставить вебхук", "How often the hook is delivered"),
)
@click.option("--lose", is_flag=True, help=tr("Вебхук теряется по дороге", "The hook is lost on its way"))
@click.option(
    "--hook",
    metavar="URL",
    help=tr(
        "Куда Ringostat сообщает о звонках (crmkit dev печатает)",
        "Where Ringostat tells of calls (crmkit dev prints it)",
    ),
)
@click.option("--sandbox", "url", default="http://127.0.0.1:8801", show_default=True, help=tr("Эмулятор", "Emulator"))
@click.option("--json", "as_json", is_flag=True, help=tr("Строки JSON", "JSON lines"))
def command(
    event: str,
    vendor: str | None,
    settings: tuple[str, ...],
    times: int,
    lose: bool,
    hook: str | None,
    url: str,
    as_json: bool,
) -> None:
    """Exit 1 when the emulator refuses."""
    if event not in _TITLES:
        near = difflib.get_close_matches(event, _TITLES, n=1)
        hint = tr(f" Может быть, {near[0]}?", f" Did you mean {near[0]}?") if near else ""
        raise click.UsageError(tr(f"Нет события «{event}».", f"There is no event {event!r}.") + hint)
    given = dict(_read(setting) for setting in settings)
    if event.startswith("contact."):
        # A call has a phone, a card has phones; nobody should have to remember which is which.
        given = {_LISTS.get(name, name): [value] if name in _LISTS else value for name, value in given.items()}
    if vendor is not None:
        # What is wrong with the words is said before anything is asked of an emulator.
        _check(event, vendor, given, has_hook=hook is not None)
    chosen = vendor if vendor and hook else _running(url, vendor)
    _check(event, chosen, given, has_hook=hook is not None)
    if event in _TALKS:
        values = {"phone": SEEDED_PHONE[chosen], "duration": _TALKS[event], **given}
        done = _call(url, chosen, values, times=0 if lose else times, hook=hook)
    else:
        doing = _DOINGS[chosen][event]
        _repeat(url, chosen, 0 if lose else times)
        done = _do(url, chosen, doing.action, {**doing.values, **given, "hooks": not lose})
    if as_json:
        told = {"event": event, "vendor": chosen, "id": done, "times": 0 if lose else times}
        click.echo(json.dumps(told, ensure_ascii=False))
    elif event in _TALKS and done is None and not lose:
        _explain_stranger(event, given.get("phone", SEEDED_PHONE[chosen]))
    else:
        click.echo(f"{event}: {'' if done is None else done}".rstrip(": "))


def _check(event: str, vendor: str, given: Mapping[str, object], *, has_hook: bool) -> None:
    """Raises UsageError for what has to be said and is not."""
    if event in _TALKS:
        if vendor == "retailcrm" and not has_hook:
            raise click.UsageError(
                tr(
                    "В retailCRM нет списка звонков, о них сообщает Ringostat. Укажите --hook: адрес печатает crmkit "
                    "dev, если аккаунту подключён ringostat.",
                    "retailCRM has no list of calls, Ringostat tells of them. Give --hook: crmkit dev prints the "
                    "address when the account has the source ringostat.",
                )
            )
        return
    values = {**_DOINGS[vendor][event].values, **given}
    if missing := [name for name, value in values.items() if value is None]:
        names = ", ".join(f"--set {name}=…" for name in missing)
        raise click.UsageError(tr(f"Для {event} нужно: {names}", f"{event} needs {names}"))


def _read(setting: str) -> tuple[str, object]:
    name, equals, text = setting.partition("=")
    if not equals:
        raise click.UsageError(tr(f"--set {setting}: нужно NAME=VALUE", f"--set {setting}: expected NAME=VALUE"))
    # A phone is digits with a plus and must stay text; ids and sums are numbers.
    if re.fullmatch(r"-?\d{1,10}", text):
        return name, int(text)
    return name, text.split(",") if name in _LISTS.values() else text


def _call(url: str, vendor: str, values: Mapping[str, object], *, times: int, hook: str | None) -> object:
    """Make a call and have it told `times` times; its id, or None when nobody has the phone."""
    if hook is not None:
        return tell_call(hook, str(values["phone"]), int(str(values["duration"])), times=times)
    if vendor == "amocrm":
        _repeat(url, vendor, times)
    done = _do(url, vendor, "call", {"direction": "in", **values, "hooks": times > 0})
    if vendor == "bitrix24" and times > 1:
        repeat_last(url, vendor, CALL_ENDS, times - 1)
    return done


def _repeat(url: str, vendor: str, times: int) -> None:
    if times > 1:
        _do(url, vendor, "repeat_next_hook", {"times": times - 1})


def _explain_stranger(event: str, phone: object) -> None:
    click.echo(
        tr(
            f"{event}: у {phone} нет контакта, поэтому CRM не завела запись о звонке. "
            f"Сначала: crmkit trigger contact.created --set phones={phone}",
            f"{event}: nobody has {phone}, so the CRM keeps no record of the call. "
            f"First: crmkit trigger contact.created --set phones={phone}",
        )
    )


def _running(url: str, vendor: str | None) -> str:
    """The CRM that is meant, or the first one, which runs at the address. Raises ConfigError when it does not."""
    for one in (vendor,) if vendor else VENDORS:
        if _ask("GET", f"{url}/_sandbox/requests?vendor={one}", None).status_code == 200:
            return one
    raise _nobody(url, vendor)


def _do(url: str, vendor: str, action: str, values: Mapping[str, object]) -> object:
    answer = _ask("POST", f"{url}/_sandbox/{vendor}/do/{action}", dict(values))
    if answer.status_code >= 400:
        raise Rejected(f"{action}: {answer.text[:300]}", status=answer.status_code)
    done: object = answer.json().get("result")
    return done


def _ask(method: str, url: str, body: Mapping[str, object] | None) -> requests.Response:
    address = url.partition("/_sandbox/")[0]
    try:
        return requests.request(method, url, json=body, timeout=10)
    except requests.ConnectionError as error:
        raise _nobody(address) from error
    except requests.RequestException as error:
        raise VendorDown(f"{address} gave no answer: {type(error).__name__}") from error


def _nobody(url: str, vendor: str | None = None) -> ConfigError:
    whose = f" {vendor}" if vendor else ""
    return ConfigError(
        tr(f"на {url} нет эмулятора{whose}", f"there is no emulator{whose and f' of{whose}'} at {url}"),
        remedy=tr("Запустите `crmkit sandbox` или укажите --sandbox.", "Run `crmkit sandbox`, or give --sandbox."),
    )
