"""What retailCRM keeps of the contract in its own way."""

from __future__ import annotations

from decimal import Decimal

import pytest

from crmkit import Capability, Contact, Crm, Deal, Money
from crmkit.testing.contract.bed import Bed, need


class RetailWays:
    """Goes before a part of the contract among the bases of a test class."""

    def test_a_deal_comes_back_as_it_was_written(self, bed: Bed, crm: Crm) -> None:
        """Amount, stage, owner and the one person that an order has."""
        person = crm.contacts.create(Contact(name="Иван"))
        amount = Money(Decimal(15000), crm.account.currency)
        draft = Deal(amount=amount, stage=bed.stages[1], owner_id=bed.owner_id, contacts=(person,))
        found = crm.deals.get(crm.deals.create(draft))
        assert (found.amount, found.stage) == (amount, bed.stages[1])
        assert (found.owner_id, found.contacts, found.closed_at) == (bed.owner_id, (person,), None)

    def test_a_logged_call_stands_on_its_client(self, bed: Bed, crm: Crm) -> None:
        """The log of calls is written only."""
        need(crm, Capability.LOG_CALLS)
        pytest.skip("retailCRM's log of calls cannot be read back")
