"""What an order tells of money and goods on their way, as typed values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from crmkit import Kind, Money
from crmkit.adapter import Account
from crmkit_retailcrm import OrderDetails, OrderPayment, order_details
from crmkit_retailcrm.translate import from_order

ACCOUNT = Account("okna", "retailcrm", "okna", "okna", "https://okna.retailcrm.ru", "Europe/Moscow", "RUB")


def details(raw: Mapping[str, Any]) -> OrderDetails:
    return order_details(from_order(raw, ACCOUNT), ACCOUNT)


def rub(amount: str) -> Money:
    return Money(Decimal(amount), "RUB")


def test_an_order_tells_its_sums_payments_and_delivery() -> None:
    """Payments come by their ids, times in the account's zone, sums exactly."""
    payment = {"id": 1435, "status": "paid", "type": "cash", "amount": 2000.5, "paidAt": "2026-03-02 14:05:09"}
    raw = {
        "id": 70,
        "number": "70A",
        "summ": 2290.5,
        "prepaySum": 2000.5,
        "purchaseSumm": 0,
        "currency": "RUB",
        "fullPaidAt": "2026-03-03 00:30:00",
        "shipped": True,
        "payments": {"1435": {**payment, "externalId": "receipt-17", "comment": "касса 2"}},
        "delivery": {"code": "courier", "cost": 300, "netCost": 250.25, "date": "2026-03-05"},
    }
    assert details(raw) == OrderDetails(
        number="70A",
        goods=rub("2290.5"),
        prepaid=rub("2000.5"),
        purchase=rub("0"),
        payments=(
            OrderPayment(
                id="1435",
                type="cash",
                status="paid",
                amount=rub("2000.5"),
                paid_at=datetime(2026, 3, 2, 11, 5, 9, tzinfo=UTC),
                external_id="receipt-17",
                comment="касса 2",
            ),
        ),
        fully_paid_at=datetime(2026, 3, 2, 21, 30, tzinfo=UTC),
        delivery_type="courier",
        delivery_cost=rub("300"),
        delivery_net_cost=rub("250.25"),
        delivery_date=date(2026, 3, 5),
        is_shipped=True,
    )


def test_an_order_with_nothing_in_it_has_nothing() -> None:
    """Empty maps that come as lists are empty; what is absent is None."""
    found = details({"id": 70, "payments": [], "delivery": []})
    assert found == OrderDetails("", None, None, None, (), None, None, None, None, None, is_shipped=False)
    assert from_order({"id": 70}, ACCOUNT).ref.kind is Kind.DEAL


def test_a_payment_that_tells_only_its_id_is_one() -> None:
    """A list of payments is read like a map of them."""
    [payment] = details({"id": 70, "payments": [{"id": 5}]}).payments
    assert payment == OrderPayment("5", None, None, None, None, None, None)
