"""People in the emulated retailCRM: writes, refusals, searches, uploads, merges."""

from typing import Any

from crmkit_sandbox import Sandbox

NOW = "2025-10-09 11:53:20"
BLANK = {
    "type": "customer",
    "isContact": False,
    "createdAt": NOW,
    "vip": False,
    "bad": False,
    "site": "main",
    "contragent": {"contragentType": "individual"},
    "tags": [],
    "customFields": [],
    "marginSumm": 0,
    "totalSumm": 0,
    "averageSumm": 0,
    "ordersCount": 0,
    "costSumm": 0,
    "personalDiscount": 0,
    "cumulativeDiscount": 0,
    "phones": [],
}


def create(retail: Any, **fields: Any) -> int:
    answer = retail.post("customers/create", site="main", customer=fields)
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


def edit(retail: Any, row_id: int, **fields: Any) -> Any:
    return retail.post(f"customers/{row_id}/edit", by="id", customer=fields)


def test_a_person_is_stored_as_sent(shop: Sandbox, retail: Any) -> None:
    """Phones stay as typed, empty maps come as lists, dates are in the account's zone, sums are there."""
    row_id = create(retail, firstName="Анна", phones=[{"number": "8 (900) 000-00-01"}])
    segment = retail.get("segments").json()["segments"][-1]
    found = retail.get(f"customers/{row_id}", by="id").json()
    assert found == {
        "success": True,
        "customer": {
            **BLANK,
            "id": row_id,
            "firstName": "Анна",
            "phones": [{"number": "8 (900) 000-00-01"}],
            "segments": [{**segment, "customersCount": 0}],
        },
    }
    assert segment["customersCount"] == 1


def test_an_edit_is_partial_and_null_clears(retail: Any) -> None:
    """What is left out stays, null takes away, phones are replaced as a whole, tags are added and removed."""
    phones = [{"number": "+79000000001"}, {"number": "+79000000002"}]
    row_id = create(retail, firstName="a", email="a@mail.example", phones=phones, addTags=["vip", "old"])
    answer = edit(retail, row_id, email=None, phones=phones[1:], addTags=["new"], removeTags=["old"], vip=True)
    assert answer.json() == {"success": True, "id": row_id}
    row = retail.get(f"customers/{row_id}", by="id").json()["customer"]
    assert (row["firstName"], "email" in row, row["phones"], row["vip"]) == ("a", False, phones[1:], True)
    assert row["tags"] == [{"name": name, "color": "#3e89b6", "attached": False} for name in ("vip", "new")]


def test_an_external_id_is_unique_in_its_site(shop: Sandbox, retail: Any) -> None:
    """A second create with the same external id is refused; another site may have it; a deleted record frees it."""
    row_id = create(retail, externalId="c-17")
    again = retail.post("customers/create", site="main", customer={"externalId": "c-17"})
    assert (again.status_code, again.json()) == (
        400,
        {
            "success": False,
            "errorMsg": "Customer is not loaded",
            "errors": {"externalId": "Customer with externalId=c-17 already exists."},
        },
    )
    assert retail.post("customers/create", site="outlet", customer={"externalId": "c-17"}).status_code == 201
    shop.retailcrm.delete_customer(row_id)
    assert create(retail, externalId="c-17") > row_id


def test_custom_fields_hold_their_types(retail: Any) -> None:
    """Values follow the field's type and dictionary; an unknown code is ignored, or refused by the switch."""
    row_id = create(retail, customFields={"nps": 9, "channel": "call", "nothing": 1})
    row = retail.get(f"customers/{row_id}", by="id").json()["customer"]
    assert row["customFields"] == {"nps": 9, "channel": "call"}
    assert edit(retail, row_id, customFields={"nps": None, "channel": None}).status_code == 200
    assert retail.get(f"customers/{row_id}", by="id").json()["customer"]["customFields"] == []
    for values, text in (
        ({"nps": "many"}, "This value is not valid."),
        ({"channel": "Звонок"}, "The value you selected is not a valid choice."),
    ):
        refused = edit(retail, row_id, customFields=values).json()
        assert refused["errorMsg"] == "Customer is not loaded"
        assert refused["errors"] == {f"customFields.{next(iter(values))}": text}


def test_a_stranger_is_no_manager(retail: Any) -> None:
    """An unknown user is refused and the person stays as it was."""
    row_id = create(retail, firstName="a")
    refused = edit(retail, row_id, managerId=999, firstName="b")
    assert refused.json()["errors"] == {"managerId": "User with id=999 does not exist."}
    assert retail.get(f"customers/{row_id}", by="id").json()["customer"]["firstName"] == "a"


def test_people_are_found_by_name_and_phone_as_typed(shop: Sandbox, retail: Any) -> None:
    """`filter[name]` is a part of the name or of the phone as it is kept; other spellings of a number find nothing."""
    crm = shop.retailcrm
    anna = crm.add_customer(firstName="Анна", lastName="Примерова", phones=["8 (900) 000-00-01"])
    boris = crm.add_customer(firstName="Борис", phones=["+79000000002"], email="b@mail.example", managerId=20)

    def found(**filters: Any) -> list[int]:
        query = {f"filter[{name}]": value for name, value in filters.items()}
        return [row["id"] for row in retail.get("customers", **query).json()["customers"]]

    assert (found(name="примерова анна"), found(name="900) 000")) == ([anna], [anna])
    assert (found(name="79000000002"), found(name="79000000001")) == ([boris], [])
    assert (found(email="B@mail"), found(dateFrom="2025-10-10"), found(dateTo="2025-10-09")) == (
        [boris],
        [],
        [boris, anna],
    )
    query = {"filter[ids][]": [anna, 1], "filter[managers][]": []}
    assert [row["id"] for row in retail.get("customers", **query).json()["customers"]] == [anna]
    assert [row["id"] for row in retail.get("customers", **{"filter[managers][]": 20}).json()["customers"]] == [boris]


def test_filters_by_custom_fields_sums_and_tasks(shop: Sandbox, retail: Any) -> None:
    """Ranges of numbers, sums over orders and the state of tasks choose people."""
    crm = shop.retailcrm
    rich = crm.add_customer(firstName="a", customFields={"nps": 9})
    poor = crm.add_customer(firstName="b", customFields={"nps": 4})
    crm.add_order(customer=rich, items=[("Чайник", 1000, 2)])
    crm.add_task("x", customer=poor, datetime="2025-10-09 11:00")

    def found(**query: Any) -> list[int]:
        return [row["id"] for row in retail.get("customers", **query).json()["customers"]]

    assert found(**{"filter[customFields][nps][min]": 5}) == [rich]
    assert found(**{"filter[customFields][nps]": 4}) == [poor]
    assert found(**{"filter[minTotalSumm]": 2000}) == [rich]
    assert found(**{"filter[maxOrdersCount]": 0}) == [poor]
    assert [found(**{"filter[tasksCounts]": count}) for count in (1, 2, 3)] == [[rich], [poor], [poor]]
    assert found(**{"filter[segment]": "new"}) == [poor]


def test_filters_that_nobody_knows_are_refused(retail: Any) -> None:
    """An unknown filter and a value of another type are 400; a documented one that is not emulated says so."""
    unknown = retail.get("customers", **{"filter[shoeSize]": 1})
    assert (unknown.status_code, unknown.json()["errors"]) == (
        400,
        {"children[shoeSize]": "This form should not contain extra fields."},
    )
    wrong = retail.get("customers", **{"filter[dateFrom]": "yesterday"})
    assert wrong.json()["errors"] == {"children[dateFrom]": "This value is not valid."}
    absent = retail.get("customers", **{"filter[online]": 1})
    assert (absent.status_code, absent.json()["errorMsg"]) == (501, "The sandbox does not emulate filter[online]")


def test_an_upload_may_fail_in_part(retail: Any) -> None:
    """What can be stored is stored; 460 tells the rest by external id and by place; 50 are the most."""
    create(retail, externalId="2")
    answer = retail.post("customers/upload", site="main", customers=[{"externalId": "1"}, {"externalId": "2"}])
    stored = retail.get("customers/1", site="main").json()["customer"]["id"]
    assert (answer.status_code, answer.json()) == (
        460,
        {
            "success": False,
            "uploadedCustomers": [{"id": stored, "externalId": "1"}],
            "failedCustomers": [{"externalId": "2"}],
            "errorMsg": "Customers are loaded with errors",
            "errors": {"1": "Customer with externalId=2 already exists."},
        },
    )
    whole = retail.post("customers/upload", site="main", customers=[{"externalId": str(i)} for i in range(10, 60)])
    assert (whole.status_code, len(whole.json()["uploadedCustomers"]), whole.json()["failedCustomers"]) == (201, 50, [])
    assert retail.post("customers/upload", site="main", customers=[{}] * 51).status_code == 400


def test_external_ids_are_set_afterwards(retail: Any) -> None:
    """Many external ids are set in one call, all or none."""
    one, two = create(retail, firstName="a"), create(retail, firstName="b", externalId="b")
    pairs = [{"id": one, "externalId": "x"}, {"id": two, "externalId": "y"}]
    assert retail.post("customers/fix-external-ids", customers=pairs).json() == {"success": True}
    assert retail.get("customers/x", site="main").json()["customer"]["id"] == one
    taken = retail.post("customers/fix-external-ids", customers=[{"id": one, "externalId": "y"}])
    assert (taken.status_code, retail.get("customers/x", site="main").status_code) == (400, 200)


def test_a_merge_is_made_later(shop: Sandbox, retail: Any) -> None:
    """The answer only queues; then orders, tasks and notes move, the loser is 404 with its survivor, history tells."""
    crm = shop.retailcrm
    winner, loser = create(retail, firstName="a", externalId="c-1"), create(retail, firstName="b", externalId="c-2")
    order, task = crm.add_order(customer=loser), crm.add_task("x", customer=loser)
    note = crm.add_note(loser, "важно")
    seen = crm.history("customers")[-1]["id"]
    queued = retail.post("customers/combine", customers=[{"id": loser}], resultCustomer={"id": winner})
    assert (queued.json(), retail.get(f"customers/{loser}", by="id").status_code) == ({"success": True}, 200)
    shop.clock.advance(1)
    lost = retail.get(f"customers/{loser}", by="id")
    survivor = {"id": winner, "externalId": "c-1", "site": "main"}
    assert (lost.status_code, lost.json()) == (
        404,
        {"success": False, "errorMsg": "Not found", "combinedTo": survivor},
    )
    assert edit(retail, loser, firstName="c").json()["combinedTo"] == survivor
    assert retail.get("customers/c-2", site="main").json()["combinedTo"] == survivor
    assert (crm.orders[order]["customer"]["id"], crm.tasks[task]["customer"]["id"]) == (winner, winner)
    assert (crm.notes[note]["customer"]["id"], crm.customers[winner]["firstName"]) == (winner, "a")
    told = retail.get("customers/history", **{"filter[sinceId]": seen}).json()["history"]
    assert told == [
        {
            "id": seen + 1,
            "createdAt": "2025-10-09 11:53:21",
            "deleted": True,
            "source": "api",
            "apiKey": {"current": True},
            "field": "id",
            "oldValue": loser,
            "newValue": None,
            "customer": {"id": loser, "externalId": "c-2", "site": "main"},
            "combinedTo": survivor,
        }
    ]


def test_a_merge_of_strangers_is_refused(retail: Any) -> None:
    """Unknown people, and a survivor among the losers, are refused at once."""
    row_id = create(retail, firstName="a")
    for losers in ([{"id": 1}], [{"id": row_id}]):
        answer = retail.post("customers/combine", customers=losers, resultCustomer={"id": row_id})
        assert answer.status_code == 400


def test_notes_belong_to_people(shop: Sandbox, retail: Any) -> None:
    """A note is made, listed, filtered and taken away; orders have none."""
    row_id = create(retail, externalId="c-1")
    made = retail.post("customers/notes/create", site="main", note={"text": "a", "customer": {"externalId": "c-1"}})
    note_id = made.json()["id"]
    assert (made.status_code, retail.get("customers/notes", **{"filter[customerIds][]": row_id}).json()["notes"]) == (
        201,
        [
            {
                "id": note_id,
                "customer": {"site": "main", "id": row_id, "externalId": "c-1", "type": "customer"},
                "text": "a",
                "createdAt": NOW,
            }
        ],
    )
    assert retail.get("customers-corporate/notes").json()["notes"] == []
    assert retail.post(f"customers/notes/{note_id}/delete").json() == {"success": True}
    gone = retail.post(f"customers/notes/{note_id}/delete")
    assert (gone.status_code, gone.json()["errorMsg"]) == (404, "Note not found map")
    assert retail.get("orders/notes").status_code == 400


def test_subscriptions_are_kept(retail: Any) -> None:
    """A channel is subscribed and taken off."""
    row_id = create(retail, firstName="a")
    for is_active in (True, False):
        wanted = [{"channel": "email", "subscription": "news", "active": is_active}]
        answer = retail.post(f"customers/{row_id}/subscriptions", by="id", subscriptions=wanted)
        assert answer.json() == {"success": True}
        row = retail.get(f"customers/{row_id}", by="id").json()["customer"]
        assert [one["subscribed"] for one in row["customerSubscriptions"]] == [is_active]
