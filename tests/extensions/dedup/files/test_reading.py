"""Rows: every record one row with an id of its own, whatever the table looks like."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from crmkit.errors import ConfigError
from crmkit_dedup.files.problems import Problem
from crmkit_dedup.files.reading import read_companies, read_deals, read_people
from crmkit_dedup.rows import CompanyRow, DealRow, PersonRow

Saved = Callable[..., Path]


def test_every_field_of_a_person_is_read(saved: Saved) -> None:
    """Columns in any order, several of them for phones and addresses, and those of no use left out."""
    path = saved(
        "Фамилия;Имя;Отчество;ID;Рабочий телефон;Мобильный телефон;E-mail;Частный e-mail;Telegram;Дата рождения;Пол;"
        "Город;Компания;ИНН;Дата создания;Внешний код;Ответственный\n"
        "Ильин;Пётр;Юрьевич;7;84951234567;89161234567;a@b.ru;c@d.ru;@ilyin;07.03.1985;М;"
        "Тверь;Ромашка;500100732259;2024-01-02 10:00;ext-7;Смирнов\n"
    )

    reading = read_people(path)

    assert list(reading.rows()) == [
        PersonRow(
            id="7", last="Ильин", first="Пётр", middle="Юрьевич", phones="84951234567; 89161234567",
            emails="a@b.ru; c@d.ru", messengers="@ilyin", birthday=date(1985, 3, 7), gender="М", city="Тверь",
            company="Ромашка", inn="500100732259", created=date(2024, 1, 2), external_id="ext-7",
        )
    ]  # fmt: skip
    assert reading.columns.shown()[3:6] == [
        ("id", "ID"),
        ("phones", "Рабочий телефон"),
        ("phones", "Мобильный телефон"),
    ]
    assert reading.columns.unknown == ()
    assert reading.problems.kept == []


def test_every_field_of_a_company_is_read(saved: Saved) -> None:
    """Requisites keep their zeros: cells are text."""
    path = saved(
        "ID,Название компании,ИНН,КПП,ОГРН,Телефон,E-mail,Сайт,Город,Юридический адрес,Дата создания\n"
        '5,"ООО ""Лютик""",0123456789,012301001,1020304050607,88001234567,info@l.ru,l.ru,Омск,'
        '"ул. Мира, 1",01.02.2023\n'
    )

    assert list(read_companies(path).rows()) == [
        CompanyRow(
            id="5", name='ООО "Лютик"', inn="0123456789", kpp="012301001", ogrn="1020304050607", phones="88001234567",
            emails="info@l.ru", site="l.ru", city="Омск", address="ул. Мира, 1", created=date(2023, 2, 1),
        )
    ]  # fmt: skip


def test_every_field_of_a_deal_is_read(saved: Saved) -> None:
    """Two columns of goods are both the product; the closing day of an ended stage closes the deal."""
    path = saved(
        "ID;Название сделки;Воронка;Этап сделки;Контакт;Компания;Бюджет;Товар 1;Товар 2;Дата создания;Дата закрытия\n"
        "1;Окна;Опт;Успешно реализовано;c1;f1;1000;Окно;Дверь;01.02.2023;05.02.2023\n"
        "2;Окна;Опт;Новая;c1;;;Окно;;02.02.2023;\n"
    )

    assert list(read_deals(path).rows()) == [
        DealRow("1", "c1", "f1", "Опт", "Успешно реализовано", True, "Окна", "Окно; Дверь", "1000",
                date(2023, 2, 1), date(2023, 2, 5)),
        DealRow("2", "c1", "", "Опт", "Новая", False, "Окна", "Окно", "", date(2023, 2, 2), None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("said", "is_closed"),
    [
        ("да", True),
        ("True", True),
        ("1", True),
        ("won", True),
        ("Закрыта", True),
        ("нет", False),
        ("0", False),
        ("open", False),
    ],
)
def test_a_deal_is_closed_when_its_own_column_says_so(said: str, is_closed: bool, saved: Saved) -> None:
    """Every way of saying yes, and no day of closing overrides a no."""
    path = saved(f"id,contact_id,stage,is_closed,closed_at\n1,c1,Новая,{said},2020-01-01\n")

    assert [row.is_closed for row in read_deals(path).rows()] == [is_closed]


def test_a_lone_status_is_the_stage_and_says_whether_the_deal_is_over(saved: Saved) -> None:
    """A table with one column for both loses neither."""
    path = saved("id,contact,status\n1,c1,lost\n2,c1,in work\n")

    assert [(row.stage, row.is_closed) for row in read_deals(path).rows()] == [("lost", True), ("in work", False)]


def test_a_record_without_an_id_is_named_by_its_line(saved: Saved) -> None:
    """Empty ids and ids met before get the line's number, and are told; a table without ids is numbered."""
    reading = read_people(saved("id,фио\n7,Пётр\n,Анна\n7,Вера\n8,Олег\n"))

    assert [row.id for row in reading.rows()] == ["7", "line:3", "line:4", "8"]
    assert reading.problems.kept == [Problem(3, "empty_id"), Problem(4, "same_id", "7")]
    assert [row.id for row in read_people(saved("фио,телефон\nПётр,1\n\nАнна,2\n")).rows()] == ["2", "4"]


def test_ragged_lines_keep_what_they_have(saved: Saved) -> None:
    """Missing cells are empty; cells without a column are told; a line of nothing is no record."""
    reading = read_people(saved("id,фио,город,телефон\n1,Пётр\n2,Анна,Тверь,89161234567,лишнее\n,,,\n3,Вера,,,\n"))

    assert [(row.id, row.name, row.city, row.phones) for row in reading.rows()] == [
        ("1", "Пётр", "", ""),
        ("2", "Анна", "Тверь", "89161234567"),
        ("3", "Вера", "", ""),
    ]
    assert reading.problems.kept == [Problem(2, "narrow", "2 / 4"), Problem(3, "wide", "лишнее")]


def test_headings_in_the_middle_are_no_person(saved: Saved) -> None:
    """Two exports glued together have their headings twice."""
    assert [row.id for row in read_people(saved("id,фио\n1,Пётр\nid,фио\n2,Анна\n")).rows()] == ["1", "2"]


def test_a_table_without_headings_is_told_from_its_cells(saved: Saved) -> None:
    """Ids, phones, addresses, names and birthdays are known by their looks."""
    path = saved(
        "101;Ильин;Пётр;Юрьевич;+7 916 123-45-67;p@b.ru;07.03.1985\n"
        "102;Цой;Анна;Олеговна;8 (903) 000-11-22;a@b.ru;08.04.1990\n"
    )

    reading = read_people(path)

    assert reading.columns.is_guessed
    assert [
        (row.id, row.last, row.first, row.middle, row.phones, row.emails, row.birthday) for row in reading.rows()
    ] == [
        ("101", "Ильин", "Пётр", "Юрьевич", "+7 916 123-45-67", "p@b.ru", date(1985, 3, 7)),
        ("102", "Цой", "Анна", "Олеговна", "8 (903) 000-11-22", "a@b.ru", date(1990, 4, 8)),
    ]


def test_a_table_without_headings_and_with_whole_names(saved: Saved) -> None:
    """A column of several words is the whole name."""
    reading = read_people(saved("Пётр Ильин,89161234567\nАнна Цой,89030001122\n"))

    assert [(row.id, row.name, row.phones) for row in reading.rows()] == [
        ("1", "Пётр Ильин", "89161234567"),
        ("2", "Анна Цой", "89030001122"),
    ]


def test_a_lone_first_name_column_holds_the_whole_name(saved: Saved) -> None:
    """Nobody has a first name alone where no column is for the surname."""
    assert [row.name for row in read_people(saved("id,Имя,Телефон\n1,Пётр Ильин,1\n")).rows()] == ["Пётр Ильин"]


def test_a_firms_tax_number_is_nobodys_own(saved: Saved) -> None:
    """Ten digits in a contact's card are the employer's; twelve are the person's, eleven lack a zero."""
    path = saved("id,фио,инн\n1,Пётр,7707083893\n2,Анна,500100732259\n3,Вера,50100732259\n")

    assert [row.inn for row in read_people(path).rows()] == ["", "500100732259", "50100732259"]


def test_a_person_says_which_column_is_which(saved: Saved) -> None:
    """By name, by number, several for one field, and none for a field that was taken wrongly."""
    text = "код,кто,куда звонить,ещё,город\n1,Пётр,8916,8917,Тверь\n"
    fields = {"name": ["Кто"], "phone": ["куда звонить", "#4"], "city": [""]}

    reading = read_people(saved(text), fields=fields)

    assert [(row.id, row.name, row.phones, row.city) for row in reading.rows()] == [("1", "Пётр", "8916; 8917", "")]


def test_headings_that_nobody_knows_are_found_by_what_a_person_says(saved: Saved) -> None:
    """One column named is enough to tell the line of headings from the others; one known heading too."""
    text = "Шифр,Субъект,Связь,Прочее,Разное\n1,Пётр Ильин,89161234567,а,б\n"

    named = read_people(saved(text), fields={"phone": ["Связь"], "name": ["субъект"]})
    known = read_people(saved(text.replace("Связь", "Телефон")))

    assert [(row.id, row.name, row.phones) for row in named.rows()] == [("2", "Пётр Ильин", "89161234567")]
    assert [(row.id, row.name, row.phones) for row in known.rows()] == [("2", "", "89161234567")]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"shoe": ["город"]}, "there is no field 'shoe' of contacts"),
        ({"phone": ["нет такой"]}, "the file has no column 'нет такой'"),
        ({"phone": ["#9"]}, "the file has no column '#9'"),
    ],
)
def test_a_wrong_mapping_is_refused(fields: dict[str, list[str]], message: str, saved: Saved) -> None:
    """The message names what there is."""
    with pytest.raises(ConfigError, match=message):
        read_people(saved("id,фио,город\n1,Пётр,Тверь\n"), fields=fields)


def test_a_table_of_nothing_to_compare_is_refused(saved: Saved) -> None:
    """Without a name, a phone or an address there is nobody to find."""
    with pytest.raises(ConfigError, match=r"no column of .* is known to hold") as refusal:
        read_people(saved("артикул,цена\nA-1,100\n"))
    assert refusal.value.remedy == (
        'It was read as CSV, UTF-8, ,; columns: #1, #2. Name them: --map phone="..." --map name="...".'
    )


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2024-03-02T10:00:00+03:00", date(2024, 3, 2)),
        ("2024-03-02 23:59:59.999999", date(2024, 3, 2)),
        ("02.03.2024 7:05", date(2024, 3, 2)),
        ("02.13.2024 10:00", date(2024, 2, 13)),
        ("00.00.0000 00:00:00", None),
    ],
)
def test_a_moment_is_read_as_its_day(moment: str, day: date | None, saved: Saved) -> None:
    """The second tells nothing that is compared."""
    reading = read_people(saved(f"id;Телефон;Дата создания\n1;89161234567;{moment}\n"))
    assert [row.created for row in reading.rows()] == [day]
    assert reading.problems.kept == []


def test_a_moment_of_no_day_is_told_whole(saved: Saved) -> None:
    """A report shows the cell as it stands in the file."""
    reading = read_people(saved("id;Телефон;Дата создания\n1;89161234567;31.02.2024 10:00:00\n"))
    assert [row.created for row in reading.rows()] == [None]
    assert reading.problems.kept == [Problem(2, "date", "31.02.2024 10:00:00")]


def test_bad_dates_and_lost_numbers_are_told(saved: Saved) -> None:
    """They are left out, with their line; a birthday to come is none."""
    reading = read_people(
        saved("id,фио,телефон,дата рождения\n1,Пётр,7.91235E+10,31.02.1985\n2,Анна,7.9161234567E+10,01.01.2999\n")
    )

    assert [(row.phones, row.birthday) for row in reading.rows()] == [("7.91235E+10", None), ("7.9161234567E+10", None)]
    assert reading.problems.kept == [
        Problem(2, "date", "31.02.1985"),
        Problem(2, "lost_number", "7.91235E+10"),
        Problem(3, "date", "01.01.2999"),
    ]


def test_text_that_excel_guards_as_a_formula_is_its_text(saved: Saved) -> None:
    """`="0123"` is how exports keep zeros."""
    assert [row.phones for row in read_people(saved('id,фио,телефон\n1,Пётр,"=""89161234567"""\n')).rows()] == [
        "89161234567"
    ]


def test_a_cell_longer_than_any_name_is_cut_and_told(saved: Saved) -> None:
    """A name has three hundred characters at most, phones some more; a long note is nobody's business."""
    note = "я" * 9_000
    reading = read_people(saved(f"id,фио,телефон,комментарий\n1,{note},{'9' * 3_000},{note}\n2,Анна,,{note}\n"))

    assert [(row.name, row.phones) for row in reading.rows()] == [("я" * 300, "9" * 1_500), ("Анна", "")]
    assert [(problem.line, problem.code) for problem in reading.problems.kept] == [(2, "long_cell"), (2, "long_cell")]


@pytest.mark.parametrize("sign", ["[", "a", "9", "-", "@", ".", "a@", "7.9E+", "я "])
def test_a_megabyte_of_one_sign_takes_no_time(sign: str, saved: Saved) -> None:
    """No pattern runs wild on it: as a table without headings, and as cells under them."""
    long = sign * (100_000 // len(sign))
    alone, within = (
        saved(f"{long}\n{long}\n", "a.csv"),
        saved(f"id,фио,телефон,дата рождения\n1,{long},{long},{long}\n", "b.csv"),
    )
    began = time.process_time()

    with contextlib.suppress(ConfigError):
        list(read_people(alone).rows())
    assert len(list(read_people(within).rows())) == 1

    assert time.process_time() - began < 2


def test_many_columns_are_no_trouble(saved: Saved) -> None:
    """Five thousand columns: those that are known are read."""
    wide = [f"x{number}" for number in range(5_000)]
    text = ",".join(["id", "фио", *wide]) + "\n" + ",".join(["1", "Пётр", *wide]) + "\n"

    reading = read_people(saved(text))

    assert [row.name for row in reading.rows()] == ["Пётр"]
    assert len(reading.columns.unknown) == 5_000


def test_progress_is_told_in_bytes_and_in_records(saved: Saved) -> None:
    """Whoever draws a bar learns how far the file is read, and how long it is."""
    path = saved("id,фио\n" + "".join(f"{number},Пётр\n" for number in range(10_000)))
    told: list[tuple[int, int | None]] = []

    assert sum(1 for _ in read_people(path).rows(lambda done, total: told.append((done, total)))) == 10_000

    size = path.stat().st_size
    assert [total for _, total in told] == [size, size]
    assert 0 < told[0][0] <= told[1][0] <= size


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf\r\n \n", "is empty"),
        (b"\0" * 100, "is empty"),
        (b"%PDF-1.7 ...", "is a PDF"),
        (b"\x1f\x8b\x08 ...", "is a gzip archive"),
        (b"SQLite format 3\0", "is a database"),
    ],
)
def test_a_file_that_is_no_table_is_refused(content: bytes, message: str, saved: Saved) -> None:
    """Each by its own name."""
    with pytest.raises(ConfigError, match=message):
        read_people(saved(content))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """A missing file and a folder."""
    with pytest.raises(ConfigError, match="there is no file"):
        read_people(tmp_path / "none.csv")
    with pytest.raises(ConfigError, match="is a folder"):
        read_people(tmp_path)


def test_json_lines_are_read_with_nested_phones(saved: Saved) -> None:
    """Lists are several values, objects their own value; a bad line is told and passed over."""
    lines = [
        json.dumps({"id": 1, "name": "Пётр", "phones": ["89161234567", {"number": "84951234567"}], "email": None}),
        "{broken",
        "[1, 2]",
        "",
        json.dumps({"name": "Анна", "id": 2.0, "email": [{"VALUE": "a@b.ru"}]}, ensure_ascii=False),
        '{"id": ' + "9" * 5_000 + "}",
        '{"id":' * 100_000,
    ]

    reading = read_people(saved("\n".join(lines), "rows.jsonl"))

    assert [(row.id, row.name, row.phones, row.emails) for row in reading.rows()] == [
        ("1", "Пётр", "89161234567; 84951234567", ""),
        ("2", "Анна", "", "a@b.ru"),
    ]
    assert [(problem.line, problem.code) for problem in reading.problems.kept] == [
        (2, "json"),
        (3, "json"),
        (6, "json"),
        (7, "json"),
    ]


def test_answers_of_the_crms_own_apis_are_read(saved: Saved) -> None:
    """amoCRM's custom fields, Bitrix24's multifields, retailCRM's phones."""
    bodies = (
        {
            "id": 1,
            "first_name": "Пётр",
            "last_name": "Ильин",
            "custom_fields_values": [
                {"field_id": 5, "field_name": "Телефон", "field_code": "PHONE", "values": [{"value": "8916"},
                {"value": "8917"}]},
                {"field_id": 9, "field_name": "Город", "field_code": None, "values": [{"value": "Тверь"}]},
            ],
        },
        {"ID": "1", "NAME": "Пётр", "LAST_NAME": "Ильин", "PHONE": [{"VALUE": "8916"}, {"VALUE": "8917"}],
        "ADDRESS_CITY": "Тверь"},
        {"id": 1, "firstName": "Пётр", "lastName": "Ильин", "phones": [{"number": "8916"}, {"number": "8917"}],
        "city": "Тверь"},
    )  # fmt: skip

    for body in bodies:
        [row] = read_people(saved(json.dumps(body) + "\n", "answer.jsonl")).rows()
        assert (row.id, row.first, row.last, row.phones, row.city) == ("1", "Пётр", "Ильин", "8916; 8917", "Тверь")


def test_a_json_list_is_read_too(saved: Saved) -> None:
    """One list of objects, as APIs answer."""
    reading = read_people(saved('[{"id": "a", "фио": "Пётр"},\n {"id": "b", "фио": "Анна"}, 5]', "rows.json"))

    assert [(row.id, row.name) for row in reading.rows()] == [("a", "Пётр"), ("b", "Анна")]
    assert reading.problems.kept == [Problem(3, "json", "5")]


def test_a_list_on_one_line_is_read_whole(saved: Saved) -> None:
    """Longer than any line of a table may be: programs write lists so."""
    people = [{"id": number, "name": "Пётр", "phone": f"8916{number:07}"} for number in range(30_000)]

    reading = read_people(saved(json.dumps(people), "rows.json"))

    assert [row.phones for row in reading.rows()] == [one["phone"] for one in people]
    assert reading.problems.counts == {}


def test_pages_of_the_crms_own_apis_are_read(saved: Saved) -> None:
    """Whole answers, a page a line or laid out over lines, one behind the other."""
    one, two = {"id": 1, "name": "Пётр"}, {"id": 2, "name": "Анна", "_embedded": {"companies": [{"id": 9}]}}
    pages = (
        {"_page": 1, "_embedded": {"contacts": [one, two]}},
        {"result": [one, two], "total": 2, "time": {"start": 1.5}},
        {"result": {"items": [one, two]}, "total": 2},
        {"success": True, "customers": [one, two], "pagination": {"limit": 20}},
    )

    for page in pages:
        for text in (json.dumps(page), json.dumps(page, indent=2), json.dumps(page) + "\n"):
            rows = read_people(saved(text, "page.json")).rows()
            assert [(row.id, row.name) for row in rows] == [("1", "Пётр"), ("2", "Анна")]
    laid_out = "\n".join(json.dumps({"result": [{"id": number, "name": "Яна"}]}, indent=1) for number in range(3))
    assert [row.id for row in read_people(saved(laid_out, "pages.json")).rows()] == ["0", "1", "2"]


def test_what_the_apis_tell_deeper_within_a_record_is_read(saved: Saved) -> None:
    """retailCRM's town and customer, amoCRM's main contact; Bitrix24's zero is nobody, its Closed is no day."""
    customer = {"id": 5, "firstName": "Пётр", "address": {"id": 3, "countryIso": "RU", "city": "Тверь"}}
    order = {"id": 1, "status": "new", "customer": {"id": 5}, "items": [{"offer": {"displayName": "Стул"}}]}
    linked = {"contacts": [{"id": 76, "is_main": False}, {"id": 77, "is_main": True}], "companies": [{"id": 8}]}
    lead = {"id": 1, "name": "Окна", "closed_at": None, "_embedded": linked}
    deal = {"ID": "1", "CONTACT_ID": "7", "COMPANY_ID": "0", "CLOSEDATE": "2021-02-01T10:00:00+03:00", "CLOSED": "N"}

    [person] = read_people(saved(json.dumps({"customers": [customer]}), "rows.json")).rows()
    deals = [next(read_deals(saved(json.dumps([one]), "deals.json")).rows()) for one in (order, lead, deal)]

    assert (person.city, person.company) == ("Тверь", "")
    assert [(one.contact, one.company, one.product, one.is_closed) for one in deals] == [
        ("5", "", "Стул", False),
        ("77", "8", "", False),
        ("7", "", "", False),
    ]
    assert deals[2].closed == date(2021, 2, 1)


def test_a_list_that_breaks_off_is_read_up_to_there(saved: Saved) -> None:
    """What came is kept, what did not is told; where nothing came, that is said."""
    reading = read_people(saved('[{"id": 1, "name": "Пётр"},\n{"id": 2, "name": "Анна"},\n{"id": 3, "na', "cut.json"))

    assert [row.id for row in reading.rows()] == ["1", "2"]
    assert reading.problems.kept == [Problem(3, "json_broken", '{"id": 3, "na')]
    with pytest.raises(ConfigError, match=r"there is no whole record in .*short\.json"):
        read_people(saved('[{"id": 1, "na', "short.json"))


def test_half_a_sign_in_json_harms_nobody(saved: Saved) -> None:
    """JSON can name halves of signs, which no file can hold; whole ones stay."""
    text = r'{"id": "a\ud800", "name": "Пётр \ud83d\ude00", "phone": "8916"}' + "\n"

    for content in (text, f"[{text}]"):
        [row] = read_people(saved(content, "rows.json")).rows()
        assert (row.id, row.name, row.phones) == ("a?", "Пётр 😀", "8916")


def test_a_table_of_html_is_read(saved: Saved) -> None:
    """Bitrix24's Excel files are that: rows on lines or not, ends left out or not."""
    laid_out = """<html><head><meta http-equiv="Content-Type" content="text/html; charset=windows-1251">
<style>td { color: red; }</style></head><body><table border="1">
<thead><tr><th>ID</th><th>Имя</th><th>Фамилия</th>
<th>Рабочий телефон</th></tr></thead>
<tbody><tr><td>7</td><td>Пётр</td><td>Д&apos;Арк &amp;
 Ко</td><td
 class="x">+7 916 123-45-67<br>8 495 123-45-67</td></tr>
<tr><td>8</td><td><b>Ан</b>на</td><td></td><td>2 < 3</td></tr></tbody></table></body></html>"""
    bare = "<table><TR><TD>ID<TD>Имя<TD>Телефон<TR><TD>7<TD>Пётр<TD>8916</TABLE>" + " " * 2_000_000

    read = read_people(saved(laid_out, "contacts.xls", "cp1251"))

    assert [(row.id, row.first, row.last, row.phones) for row in read.rows()] == [
        ("7", "Пётр", "Д'Арк & Ко", "+7 916 123-45-67\n8 495 123-45-67"),
        ("8", "Анна", "", "2 < 3"),
    ]
    assert read.table.form == "HTML, windows-1251"
    assert [(row.id, row.name, row.phones) for row in read_people(saved(bare, "b.xls")).rows()] == [
        ("7", "Пётр", "8916")
    ]
