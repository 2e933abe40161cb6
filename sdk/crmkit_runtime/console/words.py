"""The words of the console, in Russian and English."""

from __future__ import annotations

from collections.abc import Mapping

_WORDS: Mapping[str, tuple[str, str]] = {
    "title": ("Консоль crmkit", "crmkit console"),
    "password": ("Пароль", "Password"),
    "enter": ("Войти", "Sign in"),
    "leave": ("Выйти", "Sign out"),
    "wrong": ("Пароль не подошёл", "That is not the password"),
    "too_many": ("Слишком много попыток: подождите минуту", "Too many tries: wait a minute"),
    "expired": ("Страница устарела: повторите", "The page is too old: do it again"),
    "account": ("Аккаунт", "Account"),
    "pages": ("Страницы", "Pages"),
    "no_pages": ("Установленные расширения не показывают страниц", "No installed extension shows a page"),
    "runs": ("Что сделано", "What was done"),
    "when": ("Когда", "When"),
    "extension": ("Расширение", "Extension"),
    "event": ("Событие", "Event"),
    "state": ("Итог", "Outcome"),
    "why": ("Почему", "Why"),
    "details": ("Подробнее", "Details"),
    "back": ("Назад", "Back"),
    "first": ("В начало", "To the first"),
    "further": ("Дальше", "Further"),
    "empty": ("Здесь пусто", "Nothing here"),
    "gone": ("Этой строки больше нет", "This row is gone"),
    "plan": ("режим plan: действия попадут в план", "plan mode: actions go into the plan"),
    "done": ("Сделано", "Done"),
    "state_queued": ("в очереди", "queued"),
    "state_done": ("сделано", "done"),
    "state_skipped": ("не нужно", "skipped"),
    "state_dead": ("не получилось", "failed"),
    "state_stopped": ("остановлено", "stopped"),
    "all": ("Все", "All"),
}


def words(language: str) -> Mapping[str, str]:
    """Every word of the console in a language; anything but `ru` is read as English."""
    return {key: pair[0 if language == "ru" else 1] for key, pair in _WORDS.items()}
