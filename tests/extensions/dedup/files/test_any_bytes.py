"""What holds for any bytes at all: rows with ids of their own, or one clear refusal; nothing between."""

from __future__ import annotations

import contextlib
import csv
import io
from collections.abc import Callable
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as some

from crmkit.errors import ConfigError
from crmkit_dedup.files.reading import read_companies, read_deals, read_people

Saved = Callable[..., Path]
LOOSE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)

pieces = some.sampled_from(
    ["id", "фио", "телефон", "email", "дата рождения", ";", ",", "\t", "|", '"', '""', "\n", "\r\n", "\r", "\0",
    "1", "Пётр",
     "8 916 123-45-67", "a@b.ru", "07.03.1985", "=", '="', "'", " ", "{", "}", "[", '"id":', "\ufeff", "\ufffd",
     "я" * 50,
     "31.02.2000", "7.9E+10", "sep=;\n", "\u2028", "\x1c"]
)  # fmt: skip


@LOOSE
@given(
    content=some.one_of(
        some.binary(max_size=400), some.lists(pieces, max_size=60).map(lambda one: "".join(one).encode())
    )
)
def test_any_bytes_give_rows_or_a_refusal(content: bytes, saved: Saved) -> None:
    """No other error, no id twice, no date that is none."""
    path = saved(content)
    for read in (read_people, read_companies, read_deals):
        with contextlib.suppress(ConfigError):
            rows = list(read(path).rows())
            assert len({row[0] for row in rows}) == len(rows)


@LOOSE
@example(cells=[("\ufeff", "")], delimiter=";", encoding="utf-8")
@example(cells=[("\ufeff", "")], delimiter=";", encoding="utf-8-sig")
@example(cells=[("\ufeff", "")], delimiter=";", encoding="utf-16")
@given(
    cells=some.lists(
        some.tuples(some.text(max_size=20), some.text(max_size=20)).filter(
            lambda pair: any(cell.strip() for cell in pair)
        ),
        min_size=1,
        max_size=8,
    ),
    delimiter=some.sampled_from(";,\t|"),
    encoding=some.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_a_well_written_csv_is_read_as_it_was_written(
    cells: list[tuple[str, str]], delimiter: str, encoding: str, saved: Saved
) -> None:
    """Whatever stands in the cells, if a program that knows CSV wrote them."""
    text = io.StringIO()
    lines = csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    lines.writerow(("id", "фио", "телефон", "город"))
    lines.writerows((str(number), name, "", city) for number, (name, city) in enumerate(cells))

    reading = read_people(saved(text.getvalue().encode(encoding, "replace")))

    # A mark of byte order stands before the file, not before each of its cells.
    plain = {"utf-8-sig": "utf-8", "utf-16": "utf-16-le"}.get(encoding, encoding)

    def kept(cell: str) -> str:
        return cell.encode(plain, "replace").decode(plain).replace("\0", "")

    found = [(row.name.replace("\r\n", "\n").replace("\r", "\n"), row.city) for row in reading.rows()]
    assert len(found) == len(cells)
    for (name, _), (own, _) in zip(found, cells, strict=True):
        assert name == kept(own).replace("\r\n", "\n").replace("\r", "\n") or own.startswith('="')
