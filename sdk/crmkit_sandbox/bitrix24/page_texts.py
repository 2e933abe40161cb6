"""The words of the page of the emulated Bitrix24 that are its own, in Russian and English."""

from collections.abc import Mapping

from crmkit_sandbox.pages.words import Language

TEXTS: Mapping[Language, Mapping[str, str]] = {
    "ru": {
        "title": "Учебный Битрикс24",
        "tasks": "Дела",
        "deliveries": "События",
        "price": "Сумма",
        "some_phone": "+7 926 000-00-00",
        "subscriptions": "Обработчики",
        "nobody": "Этот номер не записан ни у кого: звонок есть только в статистике",
        "refused": "Битрикс24 отказал",
        "notes": "Комментарии",
        "add_note": "Добавить комментарий",
    },
    "en": {
        "title": "Practice Bitrix24",
        "tasks": "To-dos",
        "deliveries": "Events",
        "price": "Amount",
        "some_phone": "+7 926 000-00-00",
        "subscriptions": "Handlers",
        "nobody": "Nobody has this number: the call is in the statistics only",
        "refused": "Bitrix24 refused",
        "notes": "Comments",
        "add_note": "Add a comment",
    },
}
