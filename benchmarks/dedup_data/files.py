"""Bases as files: CSV with the headings of several exports, and the truth beside it."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.dedup_data.dataset import Dataset

from crmkit_dedup.rows import CompanyRow, DealRow, PersonRow


class Style(NamedTuple):
    """Headings of one kind of export; the value of each is made from a row."""

    name: str
    columns: Mapping[str, Callable[[PersonRow], str]]
    delimiter: str = ","
    encoding: str = "utf-8"


def _day(value: date | None) -> str:
    return value.strftime("%d.%m.%Y") if value else ""


def _iso(value: date | None) -> str:
    return value.isoformat() if value else ""


def _whole(row: PersonRow) -> str:
    return row.name or " ".join(part for part in (row.last, row.first, row.middle) if part)


def _first(row: PersonRow) -> str:
    return row.first if row.first or row.last else row.name


def _phone(row: PersonRow, at: int) -> str:
    parts = row.phones.split("; ")
    return parts[at] if at < len(parts) else ""


STYLES = {
    style.name: style
    for style in (
        Style("ru3", {
            "ID": lambda row: row.id, "Фамилия": lambda row: row.last, "Имя": _first,
            "Отчество": lambda row: row.middle,
            "Телефон": lambda row: row.phones, "E-mail": lambda row: row.emails,
            "Мессенджер": lambda row: row.messengers,
            "Дата рождения": lambda row: _day(row.birthday), "Пол": lambda row: row.gender,
            "Город": lambda row: row.city,
            "Компания": lambda row: row.company, "ИНН": lambda row: row.inn,
            "Дата создания": lambda row: _day(row.created),
        }),
        Style("ru1", {
            "ID": lambda row: row.id, "ФИО": _whole, "Рабочий телефон": lambda row: _phone(row, 0),
            "Мобильный телефон": lambda row: _phone(row, 1), "E-mail рабочий": lambda row: row.emails,
            "Telegram": lambda row: row.messengers, "День рождения": lambda row: _day(row.birthday),
            "Город": lambda row: row.city, "Компания": lambda row: row.company,
            "Создан": lambda row: _day(row.created),
        }, delimiter=";", encoding="cp1251"),
        Style("en", {
            "record_id": lambda row: row.id, "last_name": lambda row: row.last, "first_name": _first,
            "middle_name": lambda row: row.middle, "phone": lambda row: row.phones, "email": lambda row: row.emails,
            "messenger": lambda row: row.messengers, "birth_date": lambda row: _iso(row.birthday),
            "gender": lambda row: row.gender, "city": lambda row: row.city, "company": lambda row: row.company,
            "inn": lambda row: row.inn, "created_at": lambda row: _iso(row.created),
        }),
    )
}  # fmt: skip


def write_people(rows: Iterable[PersonRow], path: Path, style: Style = STYLES["ru3"]) -> None:
    """Write a base of people as an export of that style."""
    values = tuple(style.columns.values())
    with path.open("w", encoding=style.encoding, errors="replace", newline="") as file:
        lines = csv.writer(file, delimiter=style.delimiter)
        lines.writerow(style.columns)
        lines.writerows([value(row) for value in values] for row in rows)


def write_plain(rows: Sequence[CompanyRow] | Sequence[DealRow], path: Path) -> None:
    """Write companies or deals, a column a field."""
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(type(rows[0])._fields)
        lines.writerows(["" if value is None else value for value in row] for row in rows)


def write_truth(data: Dataset[Any], folder: Path) -> None:
    """Write truth.csv (record, entity, noise) and traps.csv (kind, entities)."""
    with (folder / "truth.csv").open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(("record_id", "entity_id", "noise"))
        for row, entity, noise in zip(data.rows, data.entities, data.noise, strict=True):
            lines.writerow((row.id, entity, " ".join(noise)))
    with (folder / "traps.csv").open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(("kind", "entities"))
        lines.writerows((trap.kind, " ".join(map(str, trap.entities))) for trap in data.traps)
