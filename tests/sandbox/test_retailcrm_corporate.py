"""Corporate customers in the emulated retailCRM: companies, contacts, addresses, orders, merges."""

from typing import Any

from crmkit_sandbox import Sandbox

ROOT = "customers-corporate"
CONTRAGENT = {"contragentType": "legal-entity", "legalName": "ООО «Вектор»", "INN": "7710000001"}


def create(retail: Any, **fields: Any) -> int:
    answer = retail.post(f"{ROOT}/create", site="main", customerCorporate={"nickName": "Вектор", **fields})
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


def test_a_corporate_customer_makes_the_round_trip(shop: Sandbox, retail: Any) -> None:
    """Company, legal data, person and address are made by their own methods and listed by them."""
    person = shop.retailcrm.add_customer(firstName="Анна", externalId="c-1")
    firm = create(retail, externalId="f-1")
    company = retail.post(
        f"{ROOT}/f-1/companies/create", site="main", company={"name": "Вектор", "contragent": CONTRAGENT}
    ).json()["id"]
    address = retail.post(f"{ROOT}/{firm}/addresses/create", by="id", address={"text": "ул. Мира, 5"}).json()["id"]
    linked = {"customer": {"id": person}, "companies": [{"company": {"id": company}}]}
    contact = retail.post(f"{ROOT}/{firm}/contacts/create", by="id", contact=linked).json()["id"]
    shown = retail.get(f"{ROOT}/{firm}", by="id").json()["customerCorporate"]
    place = {
        "isMain": True,
        "id": contact,
        "customer": {"id": person, "externalId": "c-1", "site": "main"},
        "companies": [{"company": {"id": company, "name": "Вектор"}}],
    }
    assert (shown["mainCompany"], shown["mainAddress"]) == ({"id": company, "name": "Вектор"}, {"id": address})
    assert (shown["mainCustomerContact"], shown["nickName"], "companies" in shown) == (place, "Вектор", False)
    assert retail.get(f"{ROOT}/{firm}/contacts", by="id").json()["contacts"] == [place]
    (listed,) = retail.get(f"{ROOT}/{firm}/companies", by="id").json()["companies"]
    assert (listed["contragent"], listed["customer"]) == (
        CONTRAGENT,
        {"site": "main", "id": firm, "externalId": "f-1", "type": "customer_corporate"},
    )
    assert retail.get(f"{ROOT}/{firm}/addresses", by="id").json()["addresses"] == [
        {"id": address, "isMain": True, "text": "ул. Мира, 5"}
    ]
    assert shop.retailcrm.customers[person]["isContact"] is True


def test_a_part_is_edited_by_id_or_external_id(retail: Any) -> None:
    """`entityBy` says which; making one main takes the mark from the other; a contact answers with its person."""
    firm = create(retail)
    first, second = (
        retail.post(f"{ROOT}/{firm}/companies/create", by="id", company={"name": name, "externalId": name}).json()["id"]
        for name in ("a", "b")
    )
    edited = retail.post(
        f"{ROOT}/{firm}/companies/{second}/edit", by="id", entityBy="id", company={"isMain": True, "brand": "B"}
    )
    assert edited.json() == {"success": True, "id": second}
    named = retail.post(f"{ROOT}/{firm}/companies/a/edit", by="id", company={"name": "A"})
    assert named.json() == {"success": True, "id": first}
    listed = retail.get(f"{ROOT}/{firm}/companies", by="id").json()["companies"]
    assert [(row["id"], row["isMain"], row["name"]) for row in listed] == [(second, True, "b"), (first, False, "A")]
    lost = retail.post(f"{ROOT}/{firm}/companies/zzz/edit", by="id", company={"name": "A"})
    assert lost.status_code == 404


def test_firms_are_found_by_name_inn_and_contact(shop: Sandbox, retail: Any) -> None:
    """The filters look into the name, the companies and the contacts."""
    crm = shop.retailcrm
    person = crm.add_customer(firstName="a")
    firm = crm.add_corporate(
        nickName="Вектор", companies=[{"name": "ООО Вектор", "contragent": CONTRAGENT}], contacts=[person]
    )
    crm.add_corporate(nickName="Другая")

    def found(name: str, value: Any) -> list[int]:
        return [row["id"] for row in retail.get(ROOT, **{name: value}).json()["customersCorporate"]]

    assert found("filter[nickName]", "вект") == [firm]
    assert found("filter[contragentInn]", "7710000001") == [firm]
    assert found("filter[companyName]", "ооо") == [firm]
    assert found("filter[contactIds][]", person) == [firm]


def test_an_order_of_a_firm_holds_all_three(shop: Sandbox, retail: Any) -> None:
    """A corporate order shows the firm, the person and the legal entity; the firm's sums count it."""
    crm = shop.retailcrm
    person = crm.add_customer(firstName="Анна")
    firm = crm.add_corporate(nickName="Вектор", companies=[{"name": "Вектор", "contragent": CONTRAGENT}])
    company = retail.get(f"{ROOT}/{firm}/companies", by="id").json()["companies"][0]["id"]
    given = {
        "customer": {"id": firm, "type": "customer_corporate"},
        "contact": {"id": person},
        "company": {"id": company},
        "items": [{"productName": "Весы", "initialPrice": 700, "quantity": 2}],
    }
    order = retail.post("orders/create", site="main", order=given).json()["order"]
    assert (order["customer"]["type"], order["customer"]["id"]) == ("customer_corporate", firm)
    assert (order["contact"]["id"], order["company"]["contragent"]) == (person, CONTRAGENT)
    assert (crm.corporate[firm]["totalSumm"], crm.customers[person]["ordersCount"]) == (1400, 0)
    listed = retail.get("orders", **{"filter[customerType]": "customer_corporate"}).json()["orders"]
    assert [row["id"] for row in listed] == [order["id"]]


def test_firms_merge_with_their_parts(shop: Sandbox, retail: Any) -> None:
    """Companies and contacts of the loser move to the survivor, each contact once."""
    crm = shop.retailcrm
    anna, boris = crm.add_customer(firstName="a"), crm.add_customer(firstName="b")
    winner = crm.add_corporate(nickName="A", companies=[{"name": "A"}], contacts=[anna])
    loser = crm.add_corporate(nickName="B", companies=[{"name": "B"}], contacts=[anna, boris])
    answer = retail.post(f"{ROOT}/combine", customers=[{"id": loser}], resultCustomer={"id": winner})
    assert answer.json() == {"success": True}
    shop.clock.advance(1)
    companies = retail.get(f"{ROOT}/{winner}/companies", by="id").json()["companies"]
    contacts = retail.get(f"{ROOT}/{winner}/contacts", by="id").json()["contacts"]
    assert [row["name"] for row in companies] == ["B", "A"]
    assert [row["customer"]["id"] for row in contacts] == [boris, anna]
    assert retail.get(f"{ROOT}/{loser}", by="id").json()["combinedTo"] == {"id": winner, "site": "main"}


def test_changes_of_a_firm_are_told(shop: Sandbox, retail: Any) -> None:
    """The feed tells the name, and a new contact with the person in it."""
    crm = shop.retailcrm
    person = crm.add_customer(firstName="a")
    firm = create(retail)
    since = crm.history("corporate")[-1]["id"]
    retail.post(f"{ROOT}/{firm}/edit", by="id", customerCorporate={"nickName": "Новый вектор"})
    contact = crm.add_corporate_contact(firm, person, by=20)
    told = retail.get(f"{ROOT}/history", **{"filter[sinceId]": since}).json()["history"]
    head = {"createdAt": "2025-10-09 11:53:20", "customer": {"id": firm, "site": "main"}}
    assert told == [
        {
            "id": since + 1,
            **head,
            "source": "api",
            "apiKey": {"current": True},
            "field": "nick_name",
            "oldValue": "Вектор",
            "newValue": "Новый вектор",
        },
        {
            "id": since + 2,
            **head,
            "source": "user",
            "user": {"id": 20},
            "field": "contact",
            "oldValue": None,
            "newValue": {"id": contact},
            "customerContact": {"id": contact, "customer": {"id": person}},
        },
        {
            "id": since + 3,
            **head,
            "source": "user",
            "user": {"id": 20},
            "field": "main_contact",
            "oldValue": None,
            "newValue": {"id": contact},
        },
    ]


def test_parts_of_a_firm_are_told(shop: Sandbox, retail: Any) -> None:
    """A company is told whole when it is added, then by its fields; so is which one is the main."""
    crm = shop.retailcrm
    firm = create(retail)
    since = crm.history("corporate")[-1]["id"]
    company = crm.add_company(firm, "Вектор")
    retail.post(f"{ROOT}/{firm}/companies/{company}/edit", by="id", entityBy="id", company={"name": "Новый вектор"})
    other = crm.add_company(firm, "Другая", isMain=True)
    told = retail.get(f"{ROOT}/history", **{"filter[sinceId]": since}).json()["history"]
    assert [(row["field"], row["oldValue"], row["newValue"]) for row in told] == [
        ("company", None, {"id": company, "name": "Вектор"}),
        ("main_company", None, {"id": company, "name": "Вектор"}),
        ("company.name", "Вектор", "Новый вектор"),
        ("company", None, {"id": other, "name": "Другая"}),
        ("main_company", {"id": company, "name": "Новый вектор"}, {"id": other, "name": "Другая"}),
    ]
    assert (told[0]["company"]["createdAt"], told[2]["company"]) == (
        "2025-10-09 11:53:20",
        {"id": company, "name": "Новый вектор"},
    )
