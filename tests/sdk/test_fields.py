"""Custom fields by name: which field of an account a token means, and which option a label."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from crmkit import CustomField, Deal, FieldType, Kind, Rejected
from crmkit.adapter import Account
from crmkit.fields import defined, option
from crmkit.models import FieldDef
from crmkit.refusals import Refusals

ACCOUNT = Account("okna", "retailcrm", "okna", "okna", "https://okna.retailcrm.ru", "Europe/Moscow", "RUB")
REFUSALS = Refusals("retailcrm", "retailCRM")


def field(id_: str, title: str, code: str | None = None, **options: str) -> FieldDef:
    return FieldDef(kind=Kind.DEAL, id=id_, code=code, title=title, type=FieldType.TEXT, options=options)


CITY, REGION = field("1", "Город", "CITY"), field("2", "Область", "REGION")


class Book:
    """Fields of deals, some of which are there only when they are asked for afresh."""

    def __init__(self, known: Sequence[FieldDef] = (CITY, REGION), fresh: Sequence[FieldDef] = ()) -> None:
        self.known = known
        self.fresh = fresh

    def account(self) -> Account:
        return ACCOUNT

    def fields(self, kind: Kind, *, afresh: bool = False) -> Sequence[FieldDef]:
        return [*self.known, *self.fresh] if afresh else self.known


@pytest.mark.parametrize(
    ("token", "meant"),
    [
        (CustomField(Deal, str, "Область", code="REGION", retailcrm="1"), CITY),
        (CustomField(Deal, str, "Область", retailcrm="CITY"), CITY),
        (CustomField(Deal, str, "Город", amocrm="2"), CITY),
        (CustomField(Deal, str, "Город", code="REGION"), REGION),
        (CustomField(Deal, str, "Город", code="NOWHERE"), CITY),
    ],
)
def test_a_pin_goes_before_the_code_and_the_code_before_the_title(
    token: CustomField[Deal, str], meant: FieldDef
) -> None:
    """The pin of this vendor is an id or a code; another vendor's means nothing here."""
    assert defined(Kind.DEAL, token, Book(), REFUSALS) == meant


def test_a_pin_that_leads_nowhere_is_refused() -> None:
    """Nobody wants another field written than the one that was pinned, though its title is the same."""
    with pytest.raises(Rejected) as refused:
        defined(Kind.DEAL, CustomField(Deal, str, "Город", retailcrm="77"), Book(), REFUSALS)
    assert refused.value.fields == {"Город": "the account has no such field for a deal"}
    assert "did you mean 'Город'?" in str(refused.value)


def test_a_field_that_was_made_just_now_is_looked_for_afresh() -> None:
    """Only then is it said to be missing."""
    made = field("3", "Район")
    assert defined(Kind.DEAL, CustomField(Deal, str, "Район"), Book(fresh=[made]), REFUSALS) == made
    with pytest.raises(Rejected):
        defined(Kind.DEAL, CustomField(Deal, str, "Район"), Book(), REFUSALS)


def test_an_option_is_named_by_its_label() -> None:
    """A label that is not there is refused with the nearest one, or with all."""
    source = field("4", "Источник", Сайт="10", Звонок="11")
    assert option(source, "Звонок", "okna", REFUSALS) == "11"
    remedies = []
    for label in ("Звонки", "?"):
        with pytest.raises(Rejected) as refused:
            option(source, label, "okna", REFUSALS)
        remedies.append(refused.value.remedy)
    assert remedies == ["Did you mean 'Звонок'?", "Options: Звонок, Сайт."]
