"""A short sales day on the emulated CRM, and what must come of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import requests

from crmkit.errors import VendorDown
from crmkit_cli.language import tr
from crmkit_cli.office import Office
from crmkit_sandbox import Sandbox

CLIENTS = (
    ("Анна Белова", "+79161110001", "Ремонт кухни"),
    ("Борис Чернов", "+79161110002", "Поставка окон"),
    ("Вера Синицына", "+79161110003", "Монтаж дверей"),
    ("Глеб Орлов", "+79161110004", "Обслуживание котла"),
    ("Дина Серова", "+79161110005", "Замена кровли"),
    ("Егор Лунин", "+79161110006", "Проект беседки"),
    ("Жанна Рябова", "+79161110007", "Доставка плитки"),
)
STRANGER = "+79265550099"


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that happens.

    Args:
        key: name for scripts.
        ru, en: what happens, for people.
        tasks: how many tasks must come of it.
        phone: whose call it is.
        play: makes it happen.
    """

    key: str
    ru: str
    en: str
    tasks: int
    phone: str
    play: Callable[[Sandbox, Office], None]

    @property
    def title(self) -> str:
        """What happens, in the reader's language."""
        return tr(self.ru, self.en)


def seed(sandbox: Sandbox) -> None:
    """Clients with an open deal each."""
    amocrm = sandbox.amocrm
    for name, phone, subject in CLIENTS:
        contact = amocrm.add_contact(name=name, phones=[phone], hooks=False)
        amocrm.add_lead(name=subject, price=90_000, contacts=[contact], hooks=False)


def _call(phone: str, duration: int, *, hooks: bool = True) -> Callable[[Sandbox, Office], None]:
    def play(sandbox: Sandbox, _: Office) -> None:
        sandbox.amocrm.call(phone, direction="in", duration=duration, hooks=hooks)

    return play


def _three_times(sandbox: Sandbox, _: Office) -> None:
    sandbox.amocrm.repeat_next_hook(3)
    sandbox.amocrm.call(CLIENTS[2][1], direction="in", duration=0)


def _too_many_requests(sandbox: Sandbox, _: Office) -> None:
    sandbox.faults.add(vendor="amocrm", status=429, times=4, retry_after=1)
    sandbox.amocrm.call(CLIENTS[5][1], direction="in", duration=0)


def _worker_dies(sandbox: Sandbox, office: Office) -> None:
    office.die_in_next_call()
    sandbox.amocrm.call(CLIENTS[6][1], direction="in", duration=0)
    if not office.revive():
        raise VendorDown("the worker did not die where it was told to", remedy="This is a fault of the demo.")


def _stranger(_: Sandbox, office: Office) -> None:
    answer = requests.post(office.source_url(), data=_ringostat(STRANGER), timeout=10)
    answer.raise_for_status()


def _ringostat(phone: str) -> Mapping[str, str]:
    return {
        "uniqueid": "demo-1.1",
        "call_type": "in",
        "calldate": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S"),
        "caller": phone,
        "dst": "+74951234567",
        "disposition": "NO ANSWER",
        "billsec": "0",
        "duration": "24",
        "waittime": "24",
        "utm_source": "yandex",
    }


ACTS: Sequence[Act] = (
    Act("answered", "отвеченный звонок, 95 с", "an answered call, 95 s", 1, CLIENTS[0][1], _call(CLIENTS[0][1], 95)),
    Act("missed", "пропущенный звонок", "a missed call", 1, CLIENTS[1][1], _call(CLIENTS[1][1], 0)),
    Act("tripled", "один вебхук пришёл трижды", "one hook came three times", 1, CLIENTS[2][1], _three_times),
    Act("accidental", "случайный звонок, 3 с", "an accidental call, 3 s", 0, CLIENTS[3][1], _call(CLIENTS[3][1], 3)),
    Act(
        "lost",
        "CRM потеряла вебхук, нашла сверка",
        "the CRM lost the hook, the sweep found it",
        1,
        CLIENTS[4][1],
        _call(CLIENTS[4][1], 0, hooks=False),
    ),
    Act("limited", "CRM отвечает 429", "the CRM answers 429", 1, CLIENTS[5][1], _too_many_requests),
    Act(
        "killed",
        "процесс убит между вызовом CRM и записью",
        "the worker is killed between the CRM call and its record",
        1,
        CLIENTS[6][1],
        _worker_dies,
    ),
    Act("stranger", "неизвестный номер из Ringostat", "an unknown number, from Ringostat", 1, STRANGER, _stranger),
)
