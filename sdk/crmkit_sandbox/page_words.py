"""Words that the pages of all emulated CRMs share, in Russian and English."""

from collections.abc import Mapping
from typing import Literal

Language = Literal["ru", "en"]
COMMON: Mapping[Language, Mapping[str, str]] = {
    "ru": {
        "note": "Всё происходит на этом компьютере",
        "calls": "Звонки",
        "other_language": "English",
        "add": "Добавить",
        "more": "ещё",
        "empty": "Пусто",
        "fill": "Заполнить примерами",
        "phone": "Телефон",
        "email": "Email",
        "due": "Срок",
        "is_done": "выполнена",
        "overdue": "просрочена",
        "direction": "Направление",
        "in": "Входящий",
        "out": "Исходящий",
        "duration": "Длительность, с",
        "answered": "Отвечен",
        "missed": "Пропущен",
        "when": "Когда",
        "event": "Событие",
        "address": "Адрес",
        "waiting": "ждёт",
        "no_answer": "нет ответа",
        "history": "История",
    },
    "en": {
        "note": "Everything happens on this computer",
        "calls": "Calls",
        "other_language": "Русский",
        "add": "Add",
        "more": "more",
        "empty": "Nothing here",
        "fill": "Fill with samples",
        "phone": "Phone",
        "email": "Email",
        "due": "Due",
        "is_done": "done",
        "overdue": "overdue",
        "direction": "Direction",
        "in": "Incoming",
        "out": "Outgoing",
        "duration": "Duration, s",
        "answered": "Answered",
        "missed": "Missed",
        "when": "When",
        "event": "Event",
        "address": "Address",
        "waiting": "waiting",
        "no_answer": "no answer",
        "history": "History",
    },
}


def words(own: Mapping[Language, Mapping[str, str]]) -> Mapping[Language, Mapping[str, str]]:
    """The words of a vendor's page: the common ones, and over them its own."""
    return {language: {**COMMON[language], **own[language]} for language in own}
