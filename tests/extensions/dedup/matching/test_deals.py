"""Deals: one wish of one client entered twice, beside what only looks so."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from crmkit_dedup.match import Band
from crmkit_dedup.rows import DealRow
from crmkit_dedup.scan import scan_deals

ONE = DealRow("1", contact="c1", pipeline="Продажи", title="Заявка с сайта", product="Кухня", created=date(2025, 3, 1))


def band_of(*rows: DealRow) -> Band:
    """How the rows stand: AUTO when all are to be merged, REVIEW when all are to be asked about, else IGNORE."""
    found = list(scan_deals(rows).clusters)
    if len(found) > 1:
        return Band.IGNORE
    return Band.AUTO if {member.band for member in found[0].members} == {Band.AUTO} else Band.REVIEW


def test_one_product_asked_for_twice_within_days_is_one_deal() -> None:
    """Moments and days are compared alike, slips in the product allowed."""
    assert band_of(ONE, ONE._replace(id="2", product="Кухня", created=datetime(2025, 3, 4, 12, 30))) is Band.AUTO
    assert band_of(ONE, ONE._replace(id="2", product="кухян", created=date(2025, 3, 2))) is Band.AUTO


def test_an_empty_product_is_asked_about() -> None:
    """What is not filled in may be the same."""
    assert band_of(ONE, ONE._replace(id="2", product="", created=date(2025, 3, 4))) is Band.REVIEW


def test_a_title_stands_for_the_product() -> None:
    """Words that every title has are left out of it."""
    assert band_of(ONE, ONE._replace(id="2", product="", title="Заявка: кухня")) is not Band.IGNORE


@pytest.mark.parametrize(
    "other",
    [
        ONE._replace(id="2", contact="c2"),
        ONE._replace(id="2", pipeline="Сервис"),
        ONE._replace(id="2", product="Забор"),
        ONE._replace(id="2", created=date(2025, 6, 1)),
    ],
    ids=["client", "pipeline", "product", "later"],
)
def test_another_client_pipeline_product_or_season_is_another_deal(other: DealRow) -> None:
    """Each of the four alone parts two deals."""
    assert band_of(ONE, other) is Band.IGNORE


def test_a_purchase_after_closing_is_no_duplicate() -> None:
    """The first was closed before the second began; when it closed is not always known."""
    bought = ONE._replace(is_closed=True, closed=date(2025, 3, 10))
    again = ONE._replace(id="2", created=date(2025, 3, 20))
    assert band_of(bought, again) is Band.IGNORE
    assert band_of(bought._replace(closed=None), again) is Band.IGNORE
    assert band_of(bought._replace(closed=date(2025, 4, 1)), again) is Band.AUTO


def test_deals_of_a_company_without_a_contact_are_compared() -> None:
    """A deal is the company's where nobody is named."""
    firm = ONE._replace(contact="", company="f1")
    assert band_of(firm, firm._replace(id="2", created=date(2025, 3, 3))) is not Band.IGNORE


def test_the_limit_of_days_is_the_callers() -> None:
    """Deals further apart than `within_days` are two."""
    rows = [ONE, ONE._replace(id="2", created=date(2025, 3, 9))]
    assert len(list(scan_deals(rows, within_days=7).clusters)) == 2
    assert len(list(scan_deals(rows, within_days=8).clusters)) == 1


def test_a_title_that_names_another_product_of_the_base_is_another_wish() -> None:
    """What is sold is learned from the products of other deals; a title of other words may still be the same wish."""
    sold = [ONE._replace(id=f"s{at}", contact=f"s{at}", product="Кровля") for at in range(3)]
    other, vague = (ONE._replace(id="2", product="", title=title) for title in ("Заявка кровля", "Перезвонить вечером"))

    def joined(*rows: DealRow) -> int:
        return sum(len(cluster.members) > 1 for cluster in scan_deals(rows).clusters)

    assert joined(ONE, other) == 1
    assert joined(ONE, other, *sold) == 0
    assert joined(ONE, vague, *sold) == 1
