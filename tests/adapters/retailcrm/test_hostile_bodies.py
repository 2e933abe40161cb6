"""Whatever stands in a field of an entity, its record is one that validation would have built."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit import Kind
from crmkit.adapter import Account
from crmkit_retailcrm.translate import from_item

ACCOUNT = Account("okna", "retailcrm", "okna", "okna", "https://okna.retailcrm.ru", "Europe/Moscow", "RUB")
ODD: list[Any] = [
    *(None, "", "text", "12", "2026-03-02 14:05:09", 0, 1, 2.5, True, False),
    *([], {}, [None], ["a"], [{"id": 1}], [{"number": "+79123456789"}], [{"name": "x"}], {"id": 2}, {"a": {"id": 3}}),
]
FIELDS: Mapping[Kind, tuple[str, ...]] = {
    Kind.CONTACT: (
        *("firstName", "patronymic", "lastName", "phones", "email", "birthday", "tags", "customFields", "managerId"),
        *("createdAt", "updatedAt", "isContact"),
    ),
    Kind.COMPANY: ("nickName", "companies", "mainCompany", "contragent", "customerContacts", "tags", "customFields"),
    Kind.DEAL: (
        *("number", "orderType", "orderMethod", "status", "statusComment", "statusUpdatedAt", "totalSumm", "currency"),
        *("customer", "contact", "source", "items", "payments", "customFields", "managerId", "createdAt", "fullPaidAt"),
    ),
    Kind.TASK: ("text", "commentary", "datetime", "complete", "performer", "performerType", "creator", "order"),
    Kind.FILE: ("filename", "type", "size", "attachment", "createdAt"),
    Kind.USER: ("firstName", "email", "phone", "groups", "active", "isAdmin"),
}


@pytest.mark.parametrize("kind", FIELDS)
@given(data=st.data())
def test_no_body_makes_a_record_that_is_none(kind: Kind, data: st.DataObject) -> None:
    """Values are cast without being validated: types that the vendor never promised must not get through."""
    raw = data.draw(st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS[kind], st.sampled_from(ODD))))
    found = from_item(kind, {"id": 5, **raw}, ACCOUNT)
    assert type(found).model_validate(found.model_dump()) == found
