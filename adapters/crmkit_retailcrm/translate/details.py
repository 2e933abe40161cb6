"""What an order tells of money and goods on their way beyond what deals of every CRM have: pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from crmkit.home import Home
from crmkit.models import Deal
from crmkit.values import Money
from crmkit_retailcrm.translate.home import day_of, money_of, text_of, time_of
from crmkit_retailcrm.wire import Item, as_list, as_map


@dataclass(frozen=True, slots=True)
class OrderPayment:
    """One payment of an order; `type` and `status` are codes of the account's references.

    Source: retailCRM API v5, entity "Order", `payments`.
    """

    id: str
    type: str | None
    status: str | None
    amount: Money | None
    paid_at: datetime | None
    external_id: str | None
    comment: str | None


@dataclass(frozen=True, slots=True)
class OrderDetails:
    """The sums, the payments and the delivery of an order.

    `goods` is without discounts on the order and without delivery, `purchase` what the goods cost the shop. The amount
    of the deal itself is the order's total.
    """

    number: str
    goods: Money | None
    prepaid: Money | None
    purchase: Money | None
    payments: tuple[OrderPayment, ...]
    fully_paid_at: datetime | None
    delivery_type: str | None
    delivery_cost: Money | None
    delivery_net_cost: Money | None
    delivery_date: date | None
    is_shipped: bool


def order_details(deal: Deal, account: Home) -> OrderDetails:
    """The details of a deal as it was read; costs no request. `account` is `crm.account`.

    Source: retailCRM API v5, entity "Order"; empty parts come as `[]`, payments by their ids.
    """
    raw = deal.raw
    currency, delivery = raw.get("currency"), as_map(raw.get("delivery"))

    def money(value: object) -> Money | None:
        return money_of(value, currency, account)

    return OrderDetails(
        number=str(raw.get("number") or ""),
        goods=money(raw.get("summ")),
        prepaid=money(raw.get("prepaySum")),
        purchase=money(raw.get("purchaseSumm")),
        payments=tuple(_payment(as_map(one), currency, account) for one in as_list(raw.get("payments"))),
        fully_paid_at=time_of(raw.get("fullPaidAt"), account),
        delivery_type=text_of(delivery.get("code")),
        delivery_cost=money(delivery.get("cost")),
        delivery_net_cost=money(delivery.get("netCost")),
        delivery_date=day_of(delivery.get("date")),
        is_shipped=bool(raw.get("shipped")),
    )


def _payment(raw: Item, currency: object, account: Home) -> OrderPayment:
    return OrderPayment(
        id=str(raw.get("id", "")),
        type=text_of(raw.get("type")),
        status=text_of(raw.get("status")),
        amount=money_of(raw.get("amount"), currency, account),
        paid_at=time_of(raw.get("paidAt"), account),
        external_id=text_of(raw.get("externalId")),
        comment=text_of(raw.get("comment")),
    )
