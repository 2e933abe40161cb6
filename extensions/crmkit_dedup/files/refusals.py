"""Why a file is not read, and what to do then, in Russian and English."""

from __future__ import annotations

from collections.abc import Mapping

from crmkit.errors import ConfigError


class FileRefused(ConfigError):
    """A file, or what was said of it, that cannot be read; the message is English, `spoken` gives it in Russian too.

    Args:
        name: a key of `TEXTS`.
        facts: what its texts speak of.
    """

    def __init__(self, name: str, **facts: str | int) -> None:
        message, remedy = _texts(name, "en", facts)
        super().__init__(message, remedy=remedy)
        self._name = name
        self._facts = facts

    def spoken(self, language: str) -> ConfigError:
        """The same in `ru` or `en`; anything else is read as `en`."""
        message, remedy = _texts(self._name, language, self._facts)
        return ConfigError(message, remedy=remedy)


def _texts(name: str, language: str, facts: Mapping[str, str | int]) -> tuple[str, str]:
    message, remedy = TEXTS[name][0 if language == "ru" else 1]
    return message.format(**facts), remedy.format(**facts)


_Text = tuple[str, str]

_FORMS: Mapping[str, _Text] = {
    "pdf": ("PDF", "a PDF"),
    "gzip": ("архив gzip", "a gzip archive"),
    "rar": ("архив RAR", "a RAR archive"),
    "7z": ("архив 7z", "a 7z archive"),
    "database": ("база данных", "a database"),
    "picture": ("картинка", "a picture"),
    "document": ("текстовый документ", "a text document"),
    "xml": ("XML", "an XML file"),
}
"""What holds no table that could be read."""

TEXTS: Mapping[str, tuple[_Text, _Text]] = {
    "folder": (
        ("{path} — папка, а не файл", "Назовите файл в ней."),
        ("{path} is a folder, not a file", "Name a file in it."),
    ),
    "missing": (
        ("нет файла {path}", "Проверьте имя и папку."),
        ("there is no file {path}", "Check the name and the folder."),
    ),
    "closed": (
        ("{path} не читается: {why}", "Проверьте, кому можно его читать."),
        ("{path} cannot be read: {why}", "Check who may read it."),
    ),
    "empty": (
        ("{path} пуст", "Выгрузите записи ещё раз."),
        ("{path} is empty", "Export the records again."),
    ),
    **{
        form: (
            (f"{{path}} — {russian}", "Читаются CSV, XLSX, XLS, JSON, таблица HTML."),
            (f"{{path}} is {english}", "What can be read: CSV, XLSX, XLS, JSON, a table of HTML."),
        )
        for form, (russian, english) in _FORMS.items()
    },
    "encoding": (
        ("нет кодировки {encoding!r}", "Есть utf-8, windows-1251, koi8-r, cp866, utf-16."),
        ("there is no encoding {encoding!r}", "Known are utf-8, windows-1251, koi8-r, cp866, utf-16."),
    ),
    "password": (
        ("{path} закрыт паролем", "Сохраните его без пароля или как CSV."),
        ("{path} is protected by a password", "Save it without one, or as CSV."),
    ),
    "workbook": (
        ("{path} не читается как книга: {why}", "Откройте его в редакторе таблиц и сохраните заново."),
        ("{path} is no readable workbook: {why}", "Open it in a spreadsheet and save it anew."),
    ),
    "sheet": (
        ("в {path} нет листа {sheet!r}", "Листы: {sheets}."),
        ("{path} has no sheet {sheet!r}", "Sheets: {sheets}."),
    ),
    "no_cells": (
        ("в {path} нет листа с данными", "Выберите другой файл."),
        ("{path} has no sheet with cells", "Choose another file."),
    ),
    "bomb": (
        (
            "{path} распаковывается в большее, чем вмещает таблица его размера: похоже на zip-бомбу, не открыт",
            "Сохраните таблицу как CSV или в нескольких файлах.",
        ),
        (
            "{path} unpacks to more than a table of its size can hold: it looks like a zip bomb and was not opened",
            "Save the table as CSV, or in several files.",
        ),
    ),
    "extent": (
        (
            "{path}: самая дальняя ячейка листа — строка {rows:,}, столбец {columns:,}; такая таблица не читается",
            "Удалите то, что стоит далеко от таблицы, или сохраните её как CSV.",
        ),
        (
            "{path}: the farthest cell of a sheet is in row {rows:,}, column {columns:,}; it is not read",
            "Delete what stands far from the table, or save it as CSV.",
        ),
    ),
    "no_field": (
        ("--map: нет поля {field!r} ({kind})", "Поля: {fields}."),
        ("--map: there is no field {field!r} of {kind}", "Fields: {fields}."),
    ),
    "no_column": (
        ("--map {field}: в файле нет столбца {column!r}", "Столбцы: {columns}; можно назвать номер: {field}=#1."),
        ("--map {field}: the file has no column {column!r}", "Columns: {columns}; or say its number: {field}=#1."),
    ),
    "nothing_to_compare": (
        (
            "в {path} не нашлось столбцов, по которым сравнивают ({kind})",
            'Прочитано как {form}; столбцы: {columns}. Назовите их: --map phone="..." --map name="...".',
        ),
        (
            "no column of {path} is known to hold what {kind} are compared by",
            'It was read as {form}; columns: {columns}. Name them: --map phone="..." --map name="...".',
        ),
    ),
    "no_records": (
        ("в {path} нет ни одной целой записи", "Выгрузите записи ещё раз: файл пуст или оборван."),
        ("there is no whole record in {path}", "Export the records again: the file is empty or cut off."),
    ),
    "no_clusters": (
        (
            "в {path} нет столбцов record_id и cluster_id",
            "Дайте файл, который пишет `crmkit dedup scan contacts.csv --out clusters.csv`.",
        ),
        (
            "{path} has no columns record_id and cluster_id",
            "Give the file that `crmkit dedup scan contacts.csv --out clusters.csv` writes.",
        ),
    ),
    "clusters": (
        ("{path} не читается: {why}", "Дайте файл, который записала проверка."),
        ("{path} cannot be read: {why}", "Give the file that a scan wrote."),
    ),
}
"""Each refusal in Russian and in English: the message, and what to do."""
