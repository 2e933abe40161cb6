"""The words of the page of the emulated amoCRM that are its own, in Russian and English."""

from collections.abc import Mapping

from crmkit_sandbox.pages.words import Language

TEXTS: Mapping[Language, Mapping[str, str]] = {
    "ru": {
        "title": "Учебная amoCRM",
        "deliveries": "Вебхуки",
        "price": "Бюджет",
        "subscriptions": "Подписки",
        "nobody": "Этот номер не записан ни у кого: звонок не сохранён",
        "refused": "amoCRM отказала",
        "notes": "Примечания",
        "add_note": "Добавить примечание",
    },
    "en": {
        "title": "Practice amoCRM",
        "deliveries": "Webhooks",
        "price": "Budget",
        "subscriptions": "Subscriptions",
        "nobody": "Nobody has this number: the call is not saved",
        "refused": "amoCRM refused",
        "notes": "Notes",
        "add_note": "Add a note",
    },
}
