"""The check of an import: what is missing, what was lost, and what only looks so."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from crmkit_dedup import imported
from crmkit_dedup.imported import Arrival, Fate, arrivals
from crmkit_dedup.rows import PersonRow


def fate_of(dump: PersonRow, *crm: PersonRow, beside: tuple[PersonRow, ...] = ()) -> Arrival:
    """What became of one row; `beside` are other rows of the dump."""
    return next(iter(arrivals([dump, *beside], crm)))


IVAN = PersonRow("1", last="Тлехугов", first="Прохор", middle="Ильич", phones="8 916 123-45-67", emails="proh@mail.ru")


def test_a_row_that_arrived_whole_is_kept() -> None:
    """Another shape of the phone, another order of the name and another letter lose nothing."""
    record = PersonRow("c7", name="Прохор Ильич ТЛЕХУГОВ", phones="+79161234567", emails="Proh@mail.ru")

    assert fate_of(IVAN, record) == Arrival("1", Fate.KEPT, ("c7",), is_sure=True)


def test_a_row_that_is_nowhere_is_missing() -> None:
    """Others in the CRM are not this one."""
    other = PersonRow("c8", last="Ким", first="Олег", phones="+79031112233")

    assert fate_of(IVAN, other) == Arrival("1", Fate.MISSING, (), is_sure=True)


def test_what_was_lost_is_named() -> None:
    """A second phone, the address, the patronymic."""
    row = IVAN._replace(phones="8 916 123-45-67; 8 903 555-66-77")
    record = PersonRow("c7", last="Тлехугов", first="Прохор", phones="+79161234567")

    found = fate_of(row, record)

    assert (found.fate, found.records) == (Fate.LOST, ("c7",))
    assert (found.lost_phones, found.lost_emails, found.lost_names) == (
        ("+79035556677",),
        ("proh@mail.ru",),
        ("ильич",),
    )


def test_an_extension_is_lost_and_one_that_was_added_loses_nothing() -> None:
    """The number itself is in both."""
    bare = PersonRow("1", last="Тлехугов", first="Прохор", phones="8 495 123-45-67", emails="proh@mail.ru")
    exact = bare._replace(phones="8 495 123-45-67 доб. 12")

    assert fate_of(bare, exact._replace(id="c7")).fate is Fate.KEPT
    assert fate_of(exact, bare._replace(id="c7")).lost_phones == ("+74951234567 ext. 12",)


def test_a_name_lost_whole_is_a_loss() -> None:
    """A record with the number alone is the row."""
    found = fate_of(IVAN, PersonRow("c7", phones="+79161234567", emails="proh@mail.ru"))

    assert (found.fate, found.records, found.lost_names) == (Fate.LOST, ("c7",), ("тлехугов", "прохор", "ильич"))


def test_one_word_stands_for_one_word() -> None:
    """A patronymic like the surname is lost all the same, an initial is a word kept short."""
    row = PersonRow("1", last="Андреев", first="Прохор", middle="Андреевич", phones="8 916 123-45-67")
    bare = PersonRow("c7", last="Андреев", first="Прохор", phones="8 916 123-45-67")

    assert fate_of(row, bare).lost_names == ("андреевич",)
    assert fate_of(row, bare._replace(first="П.", middle="А.")).lost_names == ()


def test_a_record_without_any_contact_is_known_by_its_name_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Found with doubt, where duplicates are found by nothing and the name is one row's and one record's."""
    monkeypatch.setattr(imported, "scan_people", lambda rows, **_: SimpleNamespace(duplicates=()))
    bare = PersonRow("c7", last="Тлехугов", first="Прохор", middle="Ильич")
    namesake = IVAN._replace(id="2", phones="8 903 000-11-22", emails="")

    assert fate_of(IVAN, bare) == Arrival(
        "1", Fate.LOST, ("c7",), is_sure=False, lost_phones=("+79161234567",), lost_emails=("proh@mail.ru",)
    )
    assert fate_of(IVAN, bare, bare._replace(id="c9")).fate is Fate.MISSING
    assert fate_of(IVAN, bare, beside=(namesake,)).fate is Fate.MISSING
    assert fate_of(IVAN, bare._replace(phones="8 903 000-11-22")).fate is Fate.MISSING


def test_the_dumps_own_id_kept_in_the_crm_finds_everything() -> None:
    """Even when nothing else is left."""
    found = fate_of(IVAN, PersonRow("c7", first="Без имени", external_id="1"))

    assert (found.records, found.is_sure, found.lost_phones) == (("c7",), True, ("+79161234567",))


def test_a_row_that_was_imported_twice_has_both_records() -> None:
    """What one of them keeps is not lost."""
    one = PersonRow("c7", last="Тлехугов", first="Прохор", middle="Ильич", phones="+79161234567")
    two = PersonRow("c8", last="Тлехугов", first="Прохор", phones="+79161234567", emails="proh@mail.ru")

    assert fate_of(IVAN, one, two) == Arrival("1", Fate.KEPT, ("c7", "c8"), is_sure=True)


def test_a_junk_row_that_arrived_is_not_missing() -> None:
    """Equal records are one, though nobody would merge them."""
    junk = PersonRow("1", first="тест", phones="111")

    assert fate_of(junk, PersonRow("c7", first="Тест")) == Arrival("1", Fate.KEPT, ("c7",), is_sure=True)


def test_a_row_that_says_nothing_arrived_when_it_is_typed_the_same() -> None:
    """A dot for a name and a stub for a phone."""
    assert fate_of(PersonRow("1", first=".", phones="+7"), PersonRow("c7", name=".", phones="+7")).records == ("c7",)
    assert fate_of(PersonRow("1"), PersonRow("c7")).fate is Fate.MISSING


def test_rows_come_in_their_order() -> None:
    """One answer a row."""
    rows = [PersonRow(str(number), first=f"Имя{number}", phones=f"8916000000{number}") for number in range(5)]

    assert [found.id for found in arrivals(rows, [])] == ["0", "1", "2", "3", "4"]
