"""The pages of the console: the queue with its buttons, the journal with its one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.extensions.dedup.live.conftest import Desk, Office

from crmkit.errors import ConfigError, Conflict, NotFound
from crmkit_dedup.match import Band

CRMS = ("amocrm", "bitrix24", "retailcrm", "memory")


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
    assert len(told) > 4


def test_not_a_duplicate_holds(office: Office) -> None:
    """The finding leaves the queue and a scan does not bring it back."""
    desk = office()
    two_cards(desk)
    desk.press("exclude", desk.page().rows[0].key)
    desk.command("scan")

    assert (desk.page().rows, desk.page().summary) == ([], "очередь пуста")


def test_later_brings_it_back_on_its_day(office: Office) -> None:
    """Meanwhile no task is made for it either."""
    desk = office(auto="task", later=timedelta(days=3), live=False)
    two_cards(desk)
    desk.command("scan")
    desk.press("later", desk.page().rows[0].key)
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
    with pytest.raises(NotFound, match="is settled"):
        desk.press("merge", row.key)
    with pytest.raises(ConfigError, match="no action 'explode'"):
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
