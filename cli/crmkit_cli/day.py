"""A short sales day on the emulated CRMs, and what must come of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from crmkit_cli.language import tr
from crmkit_cli.ringostat import tell_call
from crmkit_cli.shops import Shop

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

RingostatUrl = Callable[[str], str]
"""An account's key to the address at which Ringostat tells of its calls."""


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that happens, in every CRM at once.

    Args:
        key: name for scripts.
        ru, en: what happens, for people.
        tasks: how many tasks must come of it.
        phone: whose call it is.
        play: makes it happen in one CRM.
        is_deadly: the worker is killed right after the first write that this act leads to.
    """

    key: str
    ru: str
    en: str
    tasks: int
    phone: str
    play: Callable[[Shop, RingostatUrl], None]
    is_deadly: bool = False

    @property
    def title(self) -> str:
        """What happens, in the reader's language."""
        return tr(self.ru, self.en)


def seed(shop: Shop) -> None:
    """Clients with an open deal each."""
    for name, phone, subject in CLIENTS:
        shop.add_client(name, phone, subject)


def _call(client: int, duration: int, *, times: int = 1) -> Callable[[Shop, RingostatUrl], None]:
    def play(shop: Shop, _: RingostatUrl) -> None:
        shop.call(CLIENTS[client][1], duration, times=times)

    return play


def _lost(shop: Shop, _: RingostatUrl) -> None:
    shop.lose(CLIENTS[4][1])


def _limited(shop: Shop, _: RingostatUrl) -> None:
    shop.refuse()
    shop.call(CLIENTS[5][1], 0)


def _stranger(shop: Shop, ringostat_url: RingostatUrl) -> None:
    tell_call(ringostat_url(shop.vendor), STRANGER, 0)


ACTS: Sequence[Act] = (
    Act("answered", "отвеченный звонок, 95 с", "an answered call, 95 s", 1, CLIENTS[0][1], _call(0, 95)),
    Act("missed", "пропущенный звонок", "a missed call", 1, CLIENTS[1][1], _call(1, 0)),
    Act("tripled", "один вебхук пришёл трижды", "one hook came three times", 1, CLIENTS[2][1], _call(2, 0, times=3)),
    Act("accidental", "случайный звонок, 3 с", "an accidental call, 3 s", 0, CLIENTS[3][1], _call(3, 3)),
    Act(
        "lost",
        "CRM потеряла вебхук, нашла сверка",
        "the CRM lost the hook, the sweep found it",
        1,
        CLIENTS[4][1],
        _lost,
    ),
    Act(
        "limited",
        "CRM отказывает по лимиту (429, 503)",
        "the CRM refuses: its limit (429, 503)",
        1,
        CLIENTS[5][1],
        _limited,
    ),
    Act(
        "killed",
        "процесс убит между вызовом CRM и записью",
        "the worker is killed between the CRM call and its record",
        1,
        CLIENTS[6][1],
        _call(6, 0),
        is_deadly=True,
    ),
    Act("stranger", "неизвестный номер из Ringostat", "an unknown number, from Ringostat", 1, STRANGER, _stranger),
)
