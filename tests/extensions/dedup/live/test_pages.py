"""The pages of the console: the queue with its buttons, the journal with its one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.extensions.dedup.live.conftest import Desk, Office

from crmkit.errors import ConfigError, Conflict, NotFound
from crmkit.panel import View
from crmkit.values import Kind
from crmkit_dedup.findings import Finding, Suspect
from crmkit_dedup.match import Band

CRMS = ("amocrm", "bitrix24", "retailcrm", "memory")


def finding_of(number: int, band: Band) -> Finding:
    """A finding of two records, the surer the smaller its number."""
    day = datetime(2026, 3, 1, tzinfo=UTC)
    suspects = tuple(Suspect(id=f"{number}{end}", band=band, score=200 - number) for end in ("", "000"))
    key = f"contact:{number}"
    return Finding(kind=Kind.CONTACT, key=key, suspects=suspects, found_at=day, seen_at=day, found_by="scan")


def two_cards(desk: Desk) -> list[str]:
    """A person with two cards; their ids."""
    return [desk.person.add_contact(name, phone="+79161230001").id for name in ("Прохор Тлехугов", "Тлехугов Прохор")]


def test_the_queue_shows_what_was_found_and_why(office: Office) -> None:
    """Records, sureness, reasons, day, state; a row opens to its records and to what a merge would do."""
    desk = office()
    ids = two_cards(desk)
    page = desk.page()
    [row] = page.rows
    told = desk.open_row(row.key)

    assert list(page.columns) == ["Записи", "Уверенность", "Почему", "Найдено", "Что сделано"]
    assert page.summary == "В очереди: 1, из них точно: 1"
    assert page.actions == {
        "merge": "Объединить", "merge_sure": "Объединить точные", "exclude": "Не дубль", "later": "Позже",
    }  # fmt: skip
    assert row.actions == ["merge", "exclude", "later"]
    assert row.cells[0] == f"Прохор Тлехугов ({ids[0]}) + Тлехугов Прохор ({ids[1]})"
    assert row.cells[4] == "ждёт в очереди"
    assert [line.startswith(("Прохор Тлехугов", "Тлехугов Прохор")) for line in told[:2]] == [True, True]
    assert list(told[2:]) == [
        f"Останется {ids[0]} «Прохор Тлехугов»: записи равны, у этой меньше номер",
        f"Вольётся {ids[1]} «Тлехугов Прохор»",
    ]


def test_a_long_queue_is_read_page_by_page(office: Office) -> None:
    """The surest first, none twice and none left out; a row opens wherever it stands; the count is of all."""
    desk = office()
    for number in range(120):
        desk.keep(finding_of(number, Band.AUTO if number < 70 else Band.REVIEW))
    first = desk.page()
    second = desk.page(view=View(after=first.next))
    third = desk.page(view=View(after=second.next))
    pages = [[row.key for row in page.rows] for page in (first, second, third)]
    [alone] = desk.page(view=View(key="contact:119")).rows

    assert pages[0] + pages[1] + pages[2] == [f"contact:{number}" for number in range(120)]
    assert ([len(page) for page in pages], third.next) == ([50, 50, 20], "")
    assert alone == third.rows[-1]
    assert {page.summary for page in (first, second, third)} == {"В очереди: 120, из них точно: 70"}
    lines = desk.command("queue")
    assert (len(lines), lines[-1]) == (52, "показаны первые 50; все: crmkit ext dedup queue --all")
    assert len(desk.command("queue", "--all")) == 121


def test_what_was_put_off_comes_first_on_its_day(office: Office) -> None:
    """Before those that are surer; in the count from that day on, and after a scan among the others."""
    desk = office(later=timedelta(days=3), live=False, kinds=[], scan="")
    for number in range(3):
        desk.keep(finding_of(number, Band.AUTO))
    desk.press("later", "contact:2")
    before = desk.page()
    desk.bench.advance(timedelta(days=3, minutes=1))
    on_the_day = desk.page()
    desk.command("scan")
    after = desk.page()

    pages = [([row.key[-1] for row in page.rows], page.summary) for page in (before, on_the_day, after)]
    assert pages == [
        (["0", "1"], "В очереди: 2, из них точно: 2"),
        (["2", "0", "1"], "В очереди: 3, из них точно: 3"),
        (["0", "1", "2"], "В очереди: 3, из них точно: 3"),
    ]


def test_a_row_names_some_and_counts_the_others(office: Office) -> None:
    """A card that was entered nine times takes no more room than four; opened, the row tells of all."""
    desk = office(live=False)
    for _ in range(9):
        desk.person.add_contact("Прохор Тлехугов", phone="+79161230001")
    desk.command("scan")
    [row] = desk.page().rows

    assert str(row.cells[0]).count("Прохор Тлехугов") == 4
    assert str(row.cells[0]).endswith(" и ещё 5")
    assert len(row.detail) == 9


def test_thousands_of_copies_are_not_read_for_a_page(office: Office) -> None:
    """More than may be merged: the page and its button say so without a request for each of them."""
    desk = office("amocrm", live=False)
    for _ in range(9):
        desk.person.add_contact("Прохор Тлехугов", phone="+79161230001")
    desk.command("scan")
    [row] = desk.page().rows
    before = desk.bench.api_calls
    told = desk.open_row(row.key)
    with pytest.raises(Conflict, match="записей 9, а не больше 5"):
        desk.press("merge", row.key)

    assert told[9:] == ("записей 9, а не больше 5",)
    assert desk.bench.api_calls == before


def test_a_long_journal_is_read_page_by_page(office: Office) -> None:
    """The latest merge first."""
    desk = office(live=False, auto="merge", per_run=60)
    for number in range(52):
        for _ in range(2):
            desk.person.add_contact(f"Прохор Тлехугов{'ъ' * (number % 2)}", phone=f"+7916{number:02}35104")
        if number in (0, 51):
            desk.bench.advance(timedelta(minutes=7))
            desk.command("scan")
    first = desk.page("journal")
    second = desk.page("journal", View(after=first.next))
    keys = [row.key for page in (first, second) for row in page.rows]

    assert (len(first.rows), len(second.rows), second.next, len(set(keys))) == (50, 2, "", 52)
    assert (keys[-1], first.summary) == (f"contact-{desk.bench.contacts[0].ref.id}-1", "Объединений: 52")
    assert desk.page("journal", View(key=keys[-1])).rows == [second.rows[-1]]


def test_not_a_duplicate_holds(office: Office) -> None:
    """The finding leaves the queue and a scan does not bring it back."""
    desk = office()
    ids = two_cards(desk)
    said = desk.press("exclude", desk.page().rows[0].key)
    desk.command("scan")

    assert said == (f"больше не предлагаются вместе: {', '.join(ids)}",)
    assert (desk.page().rows, desk.page().summary) == ([], "очередь пуста")


def test_later_brings_it_back_on_its_day(office: Office) -> None:
    """Meanwhile no task is made for it either."""
    desk = office(auto="task", later=timedelta(days=3), live=False)
    ids = two_cards(desk)
    desk.command("scan")
    said = desk.press("later", desk.page().rows[0].key)
    assert said == (f"отложены до 05.03.2026 13:00: {', '.join(ids)}",)
    now = desk.page().rows
    desk.command("scan")
    desk.bench.advance(timedelta(days=3, minutes=1))

    assert (now, len(desk.page().rows), len(desk.bench.tasks)) == ([], 1, 1)


@pytest.mark.parametrize("vendor", CRMS)
def test_merged_and_taken_back_by_a_button_each(office: Office, vendor: str) -> None:
    """Both numbers on one card, then the cards as they were; what was taken back is not found again."""
    desk = office(vendor)
    desk.person.add_contact("Прохор Тлехугов", phone="+79161230001", email="proxor@mail.ru")
    desk.person.add_contact("Тлехугов Прохор", phone=("+79161230001", "+79035557788"))
    said = desk.press("merge", desk.page().rows[0].key)
    merged = [contact for contact in desk.bench.contacts if "дубль" not in contact.tags]
    [entry] = desk.page("journal").rows
    desk.press("undo", entry.key, "journal")
    desk.command("scan")

    assert said[0].startswith("Объединение contact-")
    assert [({phone.e164 for phone in one.phones}, [email.value for email in one.emails]) for one in merged] == [
        ({"+79161230001", "+79035557788"}, ["proxor@mail.ru"])
    ]
    assert sorted((sorted(str(phone.e164) for phone in one.phones), one.name) for one in desk.bench.contacts) == [
        (["+79035557788", "+79161230001"], "Тлехугов Прохор"),
        (["+79161230001"], "Прохор Тлехугов"),
    ]
    assert (desk.page().rows, entry.actions, desk.page("journal").rows[0].actions) == ([], ("undo",), ())
    assert desk.page("journal").rows[0].cells[4] == "отменено"


def test_what_speaks_against_a_merge_is_said(office: Office) -> None:
    """A protected card is merged by a person in the CRM; the finding stays."""
    desk = office(merge={"protected_tags": ["vip"]})
    ids = two_cards(desk)
    desk.person.change(desk.bench.contacts[0].ref, {"add_tags": ["vip"]})
    with pytest.raises(Conflict, match="vip"):
        desk.press("merge", desk.page().rows[0].key)

    assert [set(found.ids) for found in desk.findings] == [set(ids)]
    assert [run.state for run in desk.bench.runs if run.handler == "command:queue"] == ["stopped"]


def test_a_button_pressed_too_late_says_so(office: Office) -> None:
    """Somebody else has settled the finding; a button that is not there is refused."""
    desk = office()
    two_cards(desk)
    [row] = desk.page().rows
    desk.press("exclude", row.key)
    with pytest.raises(NotFound, match="уже разобран"):
        desk.press("merge", row.key)
    with pytest.raises(ConfigError, match="has no action 'explode'"):
        desk.press("explode", row.key)


def test_a_mixed_finding_may_be_merged_in_part(office: Office) -> None:
    """Those that need no asking become one; whoever is doubtful stays to be asked about."""
    desk = office()
    sure = two_cards(desk)
    doubtful = desk.person.add_contact("Тлехугов П.", phone="+79161230001")
    [finding] = desk.findings
    mixed = finding.model_copy(
        update={
            "suspects": tuple(
                one if one.id in sure else one.model_copy(update={"band": Band.REVIEW}) for one in finding.suspects
            )
        }
    )
    desk.keep(mixed)
    [row] = desk.page().rows
    desk.press("merge_sure", row.key)
    left = {contact.ref.id for contact in desk.bench.contacts}

    assert row.actions == ["merge", "merge_sure", "exclude", "later"]
    assert (doubtful.id in left, len(left)) == (True, 2)
    assert [set(found.ids) for found in desk.findings] == [left]
