"""What an account of the memory CRM has from the start: users, pipelines, a custom field of every type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crmkit.models import FieldDef, FieldType, Outcome, Pipeline, Stage, StageRef, User
from crmkit.values import Kind, Ref

API_USER = "900"
"""The user in whose name programs write."""

PERSON = "1"
"""The user who does what nobody else is named for."""


def users(account: str) -> Sequence[User]:
    """Three employees who work, one who has left, and the user of programs."""
    people = (
        (PERSON, "Анна Орлова", "anna@example.com", True, True),
        ("2", "Борис Лебедев", "boris@example.com", True, False),
        ("3", "Вера Зайцева", "vera@example.com", True, False),
        ("4", "Глеб Ушёл", "gleb@example.com", False, False),
        (API_USER, "Программа", "robot@example.com", True, False),
    )
    return [
        User(ref=Ref(account, Kind.USER, id_), name=name, email=email, is_active=is_active, is_admin=is_admin)
        for id_, name, email, is_active, is_admin in people
    ]


def pipelines(account: str) -> Sequence[Pipeline]:
    """Sales with four open stages, service with two; both end in won and lost."""
    return [
        _pipeline(account, "1", "Продажи", ("new", "talks", "offer", "contract"), is_main=True),
        _pipeline(account, "2", "Сервис", ("new", "work"), is_main=False),
    ]


def _pipeline(account: str, id_: str, name: str, open_stages: Sequence[str], *, is_main: bool) -> Pipeline:
    ends = {"won": Outcome.WON, "lost": Outcome.LOST}
    stages = tuple(
        Stage(
            ref=StageRef(pipeline_id=id_, stage_id=stage),
            name=_STAGE_NAMES[stage],
            sort=place * 10,
            outcome=ends.get(stage, Outcome.OPEN),
        )
        for place, stage in enumerate((*open_stages, *ends))
    )
    return Pipeline(ref=Ref(account, Kind.PIPELINE, id_), name=name, sort=int(id_), is_main=is_main, stages=stages)


_STAGE_NAMES: Mapping[str, str] = {
    "new": "Новая",
    "talks": "Переговоры",
    "offer": "Предложение",
    "contract": "Договор",
    "work": "В работе",
    "won": "Успешно",
    "lost": "Отказ",
}

_FIELD_TITLES: Mapping[FieldType, str] = {
    FieldType.TEXT: "Канал",
    FieldType.LONGTEXT: "Описание",
    FieldType.INT: "Число мест",
    FieldType.DECIMAL: "Площадь",
    FieldType.MONEY: "Предоплата",
    FieldType.BOOL: "Согласие",
    FieldType.DATE: "Дата следующего шага",
    FieldType.DATETIME: "Время визита",
    FieldType.ENUM: "Причина",
    FieldType.MULTIENUM: "Интересы",
    FieldType.URL: "Ссылка",
    FieldType.EMAIL: "Почта для счёта",
    FieldType.PHONE: "Телефон склада",
}


def fields(kind: Kind) -> Sequence[FieldDef]:
    """A field of every type that a program may write; codes are the type's name in capitals."""
    return [
        FieldDef(
            kind=kind,
            id=f"{place}",
            code=type_.value.upper(),
            title=title,
            type=type_,
            vendor_type=type_.value,
            options=_OPTIONS if type_ in (FieldType.ENUM, FieldType.MULTIENUM) else {},
        )
        for place, (type_, title) in enumerate(_FIELD_TITLES.items(), start=1)
    ]


_OPTIONS: Mapping[str, str] = {"Дорого": "11", "Долго": "12", "Не сейчас": "13"}
