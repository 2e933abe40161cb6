"""`crmkit dedup`: duplicates of a file, and what an import has lost."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PEOPLE = """ID;Фамилия;Имя;Отчество;Телефон;E-mail;Город
1;Тлехугов;Прохор;Ильич;+7 916 123-45-67;proh@mail.ru;Тверь
2;Тлехугов;Прохор;Ильич;8 (916) 1234567;;Тверь
3;Кучумова;Зинаида;Олеговна;8 903 000-11-22;zina@ya.ru;Омск
4;тест;;;111;;
"""


def lines(path: Path) -> list[dict[str, str]]:
    """The lines of a CSV by their headings."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """A file in the encoding of old exports."""
    path = tmp_path / "people.csv"
    path.write_text(PEOPLE, encoding="cp1251")
    return path


def test_a_scan_writes_a_line_a_record_and_a_line_a_pair(cli: Any, people: Path) -> None:
    """One cluster of two, the others alone with their reason; the pair is there too."""
    out, pairs = people.with_name("clusters.csv"), people.with_name("pairs.csv")

    said = cli("dedup", "scan", str(people), "--out", str(out), "--pairs", str(pairs))

    assert said.code == 0
    assert [(line["record_id"], line["cluster_id"], line["band"]) for line in lines(out)] == [
        ("1", "1", "auto"),
        ("2", "1", "auto"),
        ("3", "3", "ignore"),
        ("4", "4", "ignore"),
    ]
    assert [line["reasons"] for line in lines(out)][2] == "nothing like it"
    assert [(line["record_id_a"], line["record_id_b"], line["band"]) for line in lines(pairs)] == [("1", "2", "auto")]
    assert sorted(path.name for path in people.parent.iterdir()) == ["clusters.csv", "pairs.csv", "people.csv"]


def test_the_report_shows_the_columns_and_the_figures(cli: Any, people: Path) -> None:
    """For a person as tables, for a program as one line."""
    shown = cli("dedup", "scan", str(people))
    [told] = cli("dedup", "scan", str(people), "--json").rows

    assert f"{people}: CSV, windows-1251, ;" in shown.out
    assert "Отчество" in shown.out
    assert "middle" in shown.out
    assert told["columns"][3] == {"field": "middle", "column": "Отчество"}
    assert [told[name] for name in ("records", "clusters", "in_clusters", "auto_pairs", "junk")] == [4, 1, 2, 1, 1]
    assert told["problems"] == {}


def test_the_report_speaks_russian(cli: Any, people: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So do the reasons in the file."""
    monkeypatch.setenv("CRMKIT_LANG", "ru")
    out = people.with_name("clusters.csv")

    said = cli("dedup", "scan", str(people), "--out", str(out))

    assert "кластеров дублей" in said.out
    assert [line["reasons"] for line in lines(out)][2] == "нет похожих"


@pytest.mark.parametrize(
    ("words", "said", "remedy"),
    [
        (["нет.csv"], "нет файла", "Проверьте имя и папку."),
        (["people.pdf"], "people.pdf — PDF", "Читаются CSV, XLSX, XLS, JSON, таблица HTML."),
        (
            ["shoes.csv"],
            "не нашлось столбцов, по которым сравнивают (contacts)",
            "Прочитано как CSV, UTF-8, ,; столбцы: #1, #2. Назовите их",
        ),
        (["people.csv", "--map", "phone=нет"], "в файле нет столбца 'нет'", "Столбцы: "),
        (["deals.csv", "--kind", "deals", "--contacts", "shoes.csv"], "нет столбцов record_id и cluster_id", "Дайте"),
    ],
)
def test_refusals_of_files_speak_russian(
    cli: Any, people: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], said: str, remedy: str
) -> None:
    """And English where that is spoken: the same, not a mixture."""
    monkeypatch.chdir(people.parent)
    Path("people.csv").write_bytes(people.read_bytes())
    Path("people.pdf").write_bytes(b"%PDF-1.7 anything")
    Path("shoes.csv").write_text("артикул,цена\nA-1,100\n", encoding="utf-8")
    Path("deals.csv").write_text("id,название,контакт\n1,Окна,7\n", encoding="utf-8")
    told = {}
    for language in ("ru", "en"):
        monkeypatch.setenv("CRMKIT_LANG", language)
        told[language] = cli("dedup", "scan", *words)

    assert [told["ru"].code, told["en"].code] == [2, 2]
    assert said in told["ru"].err
    assert f"→ {remedy}" in told["ru"].err
    assert told["en"].err.startswith("Error: ")
    assert not any(sentence in told["en"].err for sentence in (said, remedy))


def test_problems_of_a_file_are_told_by_line(cli: Any, tmp_path: Path) -> None:
    """Beside the report, so that a redirected answer stays clean."""
    path = tmp_path / "people.csv"
    path.write_bytes('id,фио,телефон\n1,"Пётр,8916\n,Анна\0,8903\n'.encode())

    said = cli("dedup", "scan", str(path))

    assert said.code == 0
    assert said.err.splitlines() == [
        "people.csv: NUL bytes removed: 1 (lines 3)",
        "people.csv: a quote never closed, the line read as it stands: 1 (lines 2)",
        "people.csv: no id, the line's number taken: 1 (lines 3)",
    ]


def test_columns_are_named_by_hand(cli: Any, tmp_path: Path) -> None:
    """Where no heading says what it is."""
    path = tmp_path / "people.csv"
    path.write_text("код,кто,связь\n1,Пётр Ильин,8916\n", encoding="utf-8")

    [told] = cli("dedup", "scan", str(path), "--map", "name=кто", "--map", "phone=#3", "--json").rows

    assert told["columns"] == [
        {"field": "id", "column": "код"},
        {"field": "name", "column": "кто"},
        {"field": "phones", "column": "связь"},
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["none.csv"], "there is no file"),
        (["."], "is a folder"),
        (["people.csv", "--out", "people.csv"], "is named twice"),
        (["people.csv", "--out", "a.csv", "--pairs", "a.csv"], "is named twice"),
        (["people.csv", "--out", "no/such/folder/a.csv"], "no file can be written"),
        (["people.csv", "--map", "phone"], "write FIELD=COLUMN"),
        (["people.csv", "--map", "phone=Шифр"], "the file has no column"),
        (["people.csv", "--country", "Russia"], "two letters"),
        (["people.csv", "--country", "XX"], "two letters of a country"),
        (["people.csv", "--own-phone", "the office"], "this is no phone number"),
        (["people.csv", "--sheet", "Контакты"], "has no sheet 'Контакты'"),
        (["people.csv", "--contacts", "a.csv"], "--contacts is for --kind deals alone"),
    ],
)
def test_what_cannot_be_done_is_refused_at_once(
    words: list[str], message: str, cli: Any, people: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 2, one message, and the data as it was."""
    monkeypatch.chdir(people.parent)

    said = cli("dedup", "scan", *words)

    assert said.code == 2
    assert message in said.err
    assert people.read_text(encoding="cp1251") == PEOPLE


def test_deals_are_compared_by_the_clusters_of_their_clients(cli: Any, people: Path) -> None:
    """Two contacts of one person have one wish between them."""
    clusters, deals, out = (people.with_name(name) for name in ("clusters.csv", "deals.csv", "out.csv"))
    deals.write_text(
        "id,contact_id,pipeline,stage,title,product,created_at\n"
        "d1,1,Sales,New,Windows,Window,2024-01-02\n"
        "d2,2,Sales,New,Windows,Window,2024-01-03\n",
        encoding="utf-8",
    )
    assert cli("dedup", "scan", str(people), "--out", str(clusters)).code == 0

    [alone] = cli("dedup", "scan", str(deals), "--kind", "deals", "--json").rows
    said = cli("dedup", "scan", str(deals), "--kind", "deals", "--contacts", str(clusters), "--out", str(out))

    assert alone["clusters"] == 0
    assert said.code == 0
    assert [line["cluster_id"] for line in lines(out)] == ["d1", "d1"]


def test_companies_are_scanned(cli: Any, tmp_path: Path) -> None:
    """By their tax number and name."""
    path = tmp_path / "firms.csv"
    path.write_text(
        'ID;Название компании;ИНН\n1;ООО «Ромашка-Сервис»;7707083893\n2;"Ромашка сервис, ООО";7707083893\n',
        encoding="utf-8",
    )

    [told] = cli("dedup", "scan", str(path), "--kind", "companies", "--json").rows

    assert (told["records"], told["clusters"]) == (2, 1)


def test_an_import_is_checked_against_an_export(cli: Any, people: Path) -> None:
    """Missing rows and lost phones are on their lines, and the exit says that there are some."""
    export, out = people.with_name("export.csv"), people.with_name("lost.csv")
    export.write_text(
        "ID,Имя,Фамилия,Рабочий телефон,Рабочий e-mail\n"
        "c1,Прохор,Тлехугов,89161234567,\n"
        "c3,Зинаида,Кучумова,,zina@ya.ru\n",
        encoding="utf-8",
    )

    said = cli("dedup", "compare", str(people), str(export), "--out", str(out))

    assert said.code == 1
    assert [(line["record_id"], line["fate"], line["crm_ids"]) for line in lines(out)] == [
        ("1", "lost", "c1"),
        ("2", "lost", "c1"),
        ("3", "lost", "c3"),
        ("4", "missing", ""),
    ]
    assert [(line["lost_phones"], line["lost_emails"], line["lost_names"]) for line in lines(out)] == [
        ("", "proh@mail.ru", "ильич"),
        ("", "", "ильич"),
        ("+79030001122", "", "олеговна"),
        ("", "", ""),
    ]


def test_an_import_that_lost_nothing_is_said(cli: Any, people: Path) -> None:
    """Exit 0, and no line but the headings."""
    out = people.with_name("lost.csv")

    said = cli("dedup", "compare", str(people), str(people), "--out", str(out), "--json")

    assert said.code == 0
    [told] = said.rows
    assert [told[name] for name in ("rows", "kept", "missing", "lost", "crm_records")] == [4, 4, 0, 0, 4]
    assert lines(out) == []


WATCHER = '''"""An extension that needs contacts mirrored."""

from crmkit import ContactCreated, Context, Extension
from crmkit.settings import NoSettings

watcher = Extension("watcher")


@watcher.on(ContactCreated)
def seen(event: ContactCreated, ctx: Context[NoSettings]) -> None:
    """Look, and do nothing."""
    ctx.skip("seen")
'''


def test_an_import_is_checked_against_the_mirror(shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the account was last seen to hold, without a request to the CRM."""
    dump = shop.folder / "dump.csv"
    dump.write_text("id,name,phone\n1,Maria,+79161234567\n2,Zinaida Kuchumova,+79030001122\n", encoding="utf-8")
    empty = shop.cli("dedup", "compare", str(dump), "--account", "acme", "--config", str(shop.config))
    (shop.folder / "watcher.py").write_text(WATCHER, encoding="utf-8")
    monkeypatch.syspath_prepend(str(shop.folder))
    shop.config.write_text(shop.config.read_text() + '\n[extensions."watcher:watcher"]\n', encoding="utf-8")
    shop.work()
    shop.sandbox.amocrm.reset_requests()

    said = shop.cli("dedup", "compare", str(dump), "--account", "acme", "--config", str(shop.config), "--json")

    assert (empty.code, "the mirror of acme holds no contacts" in empty.err) == (2, True)
    assert said.code == 1
    told = json.loads(said.out)
    assert [told[name] for name in ("rows", "kept", "missing", "crm_records")] == [2, 1, 1, 1]
    assert shop.sandbox.amocrm.requests.rows() == []
    sys.modules.pop("watcher", None)


def test_what_an_import_lost_is_not_written_over_the_data(cli: Any, people: Path) -> None:
    """Neither over the dump nor over the export, by whatever path it is named."""
    export = people.with_name("export.csv")
    export.write_text("ID,Имя,Телефон\n1,Прохор,89161234567\n", encoding="utf-8")
    before = {path: path.read_bytes() for path in (people, export)}

    for path in (people, export):
        out = path.parent / "." / ".." / path.parent.name / path.name
        said = cli("dedup", "compare", str(people), str(export), "--out", str(out))
        assert (said.code, "is named twice" in said.err) == (2, True)

    assert {path: path.read_bytes() for path in (people, export)} == before


@pytest.mark.parametrize("words", [["dump.csv"], ["dump.csv", "export.csv", "--account", "acme"]])
def test_a_comparison_needs_one_other_side(words: list[str], cli: Any) -> None:
    """An export or an account, and not both."""
    said = cli("dedup", "compare", *words)

    assert said.code == 2
    assert "Name the CRM's export, or --account, and not both" in said.err


def test_each_verb_has_its_help_in_both_languages(cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the summary in the list of verbs."""
    english = cli("dedup", "--help").out

    assert "Find the duplicates in a file" in english
    assert "Check an import: what did not reach the CRM" in english
    assert "--pairs" in cli("dedup", "scan", "--help").out


def test_a_file_may_come_through_a_pipe(tmp_path: Path) -> None:
    """What another program writes is scanned as it comes; nothing is asked of it twice."""
    out = tmp_path / "clusters.csv"
    words = [sys.executable, "-m", "crmkit_cli", "dedup", "scan", "-", "--out", str(out), "--json"]

    done = subprocess.run(words, input=PEOPLE.encode("koi8-r"), capture_output=True, check=True)

    told = json.loads(done.stdout)
    assert (told["form"], told["records"]) == ("CSV, KOI8-R, ;", 4)
    assert [line["cluster_id"] for line in lines(out)] == ["1", "1", "3", "4"]


def test_one_side_of_a_comparison_may_come_through_a_pipe(cli: Any, people: Path) -> None:
    """Either of the two, and not both."""
    export = people.with_name("export.csv")
    export.write_text("ID,Имя,Телефон\n1,Прохор,89161234567\n", encoding="utf-8")
    words = [sys.executable, "-m", "crmkit_cli", "dedup", "compare", str(people), "-", "--json"]

    done = subprocess.run(words, input=export.read_bytes(), capture_output=True, check=False)
    refused = cli("dedup", "compare", "-", "-")

    told = json.loads(done.stdout)
    assert (done.returncode, told["rows"], told["crm_records"]) == (1, 4, 1)
    assert (refused.code, "Only one file is read from standard input" in refused.err) == (2, True)
