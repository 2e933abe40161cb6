"""Records of the emulated Bitrix24: both families of methods, multifields, user fields, links, stages."""

from typing import Any

from crmkit_sandbox import Sandbox

MORNING = "2025-10-09T11:53:20+03:00"


def test_a_classic_deal_is_made_of_strings(portal: Sandbox, rest: Any) -> None:
    """Adding answers a number, reading answers strings, nulls and the server's offset; updating and deleting true."""
    deal = rest.result("crm.deal.add", fields={"TITLE": "Кухня", "OPPORTUNITY": 1500.5, "IS_MANUAL_OPPORTUNITY": "Y"})
    shown = rest.result("crm.deal.get", id=str(deal))
    assert (deal, {name: value for name, value in shown.items() if not name.startswith("U")}) == (
        1,
        {
            "ID": "1",
            "TITLE": "Кухня",
            "TYPE_ID": "SALE",
            "STAGE_ID": "NEW",
            "PROBABILITY": None,
            "CURRENCY_ID": "RUB",
            "OPPORTUNITY": "1500.50",
            "IS_MANUAL_OPPORTUNITY": "Y",
            "TAX_VALUE": "0.00",
            "LEAD_ID": None,
            "COMPANY_ID": None,
            "CONTACT_ID": None,
            "QUOTE_ID": None,
            "BEGINDATE": "2025-10-09T00:00:00+03:00",
            "CLOSEDATE": "2025-10-16T00:00:00+03:00",
            "CLOSED": "N",
            "ADDITIONAL_INFO": None,
            "LOCATION_ID": None,
            "CATEGORY_ID": "0",
            "STAGE_SEMANTIC_ID": "P",
            "IS_NEW": "Y",
            "IS_RECURRING": "N",
            "IS_RETURN_CUSTOMER": "N",
            "IS_REPEATED_APPROACH": "N",
            "SOURCE_ID": None,
            "SOURCE_DESCRIPTION": None,
            "MOVED_BY_ID": "1",
            "MOVED_TIME": MORNING,
            "ASSIGNED_BY_ID": "1",
            "CREATED_BY_ID": "1",
            "MODIFY_BY_ID": "1",
            "DATE_CREATE": MORNING,
            "DATE_MODIFY": MORNING,
            "OPENED": "Y",
            "ORIGINATOR_ID": None,
            "ORIGIN_ID": None,
            "LAST_ACTIVITY_TIME": MORNING,
            "LAST_ACTIVITY_BY": "1",
            "COMMENTS": None,
        },
    )
    portal.clock.advance(60)
    assert rest.result("crm.deal.update", id=deal, fields={"TITLE": "", "NO_SUCH": 1, "ID": 9}) is True
    after = rest.result("crm.deal.get", id=deal)
    assert (after["ID"], after["TITLE"], after["DATE_MODIFY"]) == ("1", "Сделка #1", "2025-10-09T11:54:20+03:00")
    assert rest.result("crm.deal.delete", id=deal) is True
    gone = (400, "", "Not found")
    assert rest.refusal("crm.deal.delete", id=deal) == gone
    assert rest.refusal("crm.deal.get", id=deal) == gone
    assert rest.refusal("crm.deal.get", id="x") == (400, "", "ID is not defined or invalid.")
    assert rest.refusal("crm.deal.add", fields="x") == (400, "", "Parameter 'fields' must be array.")


def test_multifields_are_patched_by_id(portal: Sandbox, rest: Any) -> None:
    """No id adds, an id changes, DELETE, an empty value or a bare id deletes; without a value the key is away."""
    contact = rest.result("crm.contact.add", fields={"NAME": "Ян", "PHONE": [{"VALUE": "1", "VALUE_TYPE": "MOBILE"}]})
    first = {"ID": "1", "VALUE": "1", "VALUE_TYPE": "MOBILE", "TYPE_ID": "PHONE"}
    assert rest.result("crm.contact.get", id=contact)["PHONE"] == [first]
    rest.result(
        "crm.contact.update", id=contact, fields={"PHONE": [{"VALUE": "1", "VALUE_TYPE": "WORK"}, {"VALUE": "3"}]}
    )
    changed = [{"ID": 1, "VALUE": "5", "VALUE_TYPE": "HOME"}, {"ID": 2}]
    rest.result("crm.contact.update", id=contact, fields={"PHONE": changed})
    shown = rest.result("crm.contact.get", id=contact)
    assert (shown["HAS_PHONE"], shown["PHONE"]) == (
        "Y",
        [
            {"ID": "1", "VALUE": "5", "VALUE_TYPE": "HOME", "TYPE_ID": "PHONE"},
            {"ID": "3", "VALUE": "3", "VALUE_TYPE": "WORK", "TYPE_ID": "PHONE"},
        ],
    )
    gone = [{"ID": 1, "VALUE": "5", "DELETE": "Y"}, {"ID": 3, "VALUE": ""}]
    rest.result("crm.contact.update", id=contact, fields={"PHONE": gone})
    bare = rest.result("crm.contact.get", id=contact)
    assert ("PHONE" in bare, bare["HAS_PHONE"]) == (False, "N")
    fm = {"n0": {"typeId": "EMAIL", "valueType": "WORK", "value": "a@b.example"}}
    item = rest.result("crm.item.update", entityTypeId=3, id=contact, fields={"fm": fm})["item"]
    assert item["fm"] == [{"id": 4, "valueType": "WORK", "value": "a@b.example", "typeId": "EMAIL"}]
    fm = {"4": {"typeId": "EMAIL", "value": ""}}
    assert rest.result("crm.item.update", entityTypeId=3, id=contact, fields={"fm": fm})["item"]["fm"] == []


def test_a_universal_item_has_numbers(portal: Sandbox, rest: Any) -> None:
    """`crm.item` speaks camel case with numbers, answers the whole item, skips a save that changes nothing."""
    crm = portal.bitrix24
    contact = crm.add_contact(name="Ян")
    fields = {"title": "Дом", "opportunity": "200", "contactIds": [contact], "ufCrmUrgent": "Y", "ufCrmServices": []}
    item = rest.result("crm.item.add", entityTypeId=2, fields=fields)["item"]
    names = ("id", "title", "opportunity", "contactId", "contactIds", "companyId", "categoryId", "stageId", "createdBy")
    assert {name: item[name] for name in names} == {
        "id": 1,
        "title": "Дом",
        "opportunity": 200,
        "contactId": contact,
        "contactIds": [contact],
        "companyId": 0,
        "categoryId": 0,
        "stageId": "NEW",
        "createdBy": 1,
    }
    assert (item["ufCrmUrgent"], item["ufCrmServices"], item["ufCrmCity"], item["entityTypeId"]) == ("Y", [], None, 2)
    portal.clock.advance(10)
    same = rest.result("crm.item.update", entityTypeId=2, id=1, fields={"title": "Дом"})["item"]
    assert same["updatedTime"] == item["updatedTime"]
    assert rest.result("crm.item.get", entityTypeId=2, id=1, useOriginalUfNames="Y")["item"]["UF_CRM_URGENT"] == "Y"
    assert rest.result("crm.item.delete", entityTypeId=2, id=1) == []
    missing = (400, "NOT_FOUND", "Element not found")
    assert rest.refusal("crm.item.get", entityTypeId=2, id=1) == missing
    assert rest.refusal("crm.item.get", entityTypeId=777, id=1)[:2] == (400, "NOT_FOUND")
    assert rest.refusal("crm.item.list", entityTypeId=5)[:2] == (400, "ENTITY_TYPE_NOT_SUPPORTED")
    assert rest.refusal("crm.item.get", id=1) == (400, "100", "Could not find value for parameter {entityTypeId}")


def test_user_fields_of_every_type_make_the_round_trip(rest: Any) -> None:
    """Enumerations are kept by item id, booleans 1 or 0, money as text, an empty multiple field is false."""
    rows = {row["FIELD_NAME"]: row for row in rest.result("crm.deal.userfield.list", filter={"LANG": "ru"})}
    source = {item["VALUE"]: item["ID"] for item in rows["UF_CRM_LEAD_SOURCE"]["LIST"]}
    services = {item["VALUE"]: item["ID"] for item in rows["UF_CRM_SERVICES"]["LIST"]}
    assert rows["UF_CRM_LEAD_SOURCE"]["EDIT_FORM_LABEL"] == "Источник"
    assert "EDIT_FORM_LABEL" not in rest.result("crm.deal.userfield.list")[0]
    empty = rest.result("crm.deal.get", id=rest.result("crm.deal.add", fields={}))
    assert (empty["TITLE"], empty["UF_CRM_SERVICES"], empty["UF_CRM_LEAD_SOURCE"]) == ("Сделка #1", False, None)
    written = {
        "UF_CRM_LEAD_SOURCE": int(source["Звонок"]),
        "UF_CRM_SERVICES": [services["Монтаж"], 99999],
        "UF_CRM_URGENT": 1,
        "UF_CRM_NEXT_STEP": "2026-03-01",
        "UF_CRM_MEETING": "2026-03-01T10:00:00+00:00",
        "UF_CRM_PREPAYMENT": "300|RUB",
        "UF_CRM_AREA": 12.5,
        "UF_CRM_ROOMS": "3",
        "UF_CRM_CITY": "Уфа",
    }
    deal = rest.result("crm.deal.add", fields=written)
    shown = rest.result("crm.deal.get", id=deal)
    assert {name: shown[name] for name in written} == {
        "UF_CRM_LEAD_SOURCE": source["Звонок"],
        "UF_CRM_SERVICES": [services["Монтаж"]],
        "UF_CRM_URGENT": "1",
        "UF_CRM_NEXT_STEP": "2026-03-01T00:00:00+03:00",
        "UF_CRM_MEETING": "2026-03-01T13:00:00+03:00",
        "UF_CRM_PREPAYMENT": "300|RUB",
        "UF_CRM_AREA": "12.5",
        "UF_CRM_ROOMS": "3",
        "UF_CRM_CITY": "Уфа",
    }
    item = rest.result("crm.item.get", entityTypeId=2, id=deal)["item"]
    assert (item["ufCrmLeadSource"], item["ufCrmServices"], item["ufCrmArea"], item["ufCrmRooms"]) == (
        int(source["Звонок"]),
        [int(services["Монтаж"])],
        12.5,
        3,
    )
    rest.result("crm.deal.update", id=deal, fields={"UF_CRM_SERVICES": False, "UF_CRM_CITY": "", "UF_CRM_ROOMS": ""})
    cleared = rest.result("crm.deal.get", id=deal)
    assert [cleared[name] for name in ("UF_CRM_SERVICES", "UF_CRM_CITY", "UF_CRM_ROOMS")] == [False, "", None]


def test_a_user_field_is_added_and_its_items_are_patched(portal: Sandbox, rest: Any) -> None:
    """A name gets its prefix, items are changed by id, added without one, removed by DEL; only admins may."""
    items = [{"VALUE": "А"}, {"VALUE": "Б"}]
    fields = {"FIELD_NAME": "colour", "USER_TYPE_ID": "enumeration", "LIST": items, "EDIT_FORM_LABEL": {"ru": "Цвет"}}
    field = rest.result("crm.deal.userfield.add", fields=fields)
    row = rest.result("crm.deal.userfield.get", id=field)
    first, second = row["LIST"]
    assert (row["FIELD_NAME"], row["EDIT_FORM_LABEL"], [item["VALUE"] for item in row["LIST"]]) == (
        "UF_CRM_COLOUR",
        "Цвет",
        ["А", "Б"],
    )
    patch = [{"ID": first["ID"], "VALUE": "Я"}, {"VALUE": "В"}, {"ID": second["ID"], "DEL": "Y"}]
    rest.result("crm.deal.userfield.update", id=field, fields={"LIST": patch})
    listed = rest.result("crm.deal.userfield.get", id=field)["LIST"]
    assert [(item["ID"] == first["ID"], item["VALUE"]) for item in listed] == [(True, "Я"), (False, "В")]
    assert rest.result("crm.deal.fields")["UF_CRM_COLOUR"]["items"] == [
        {"ID": item["ID"], "VALUE": item["VALUE"]} for item in listed
    ]
    assert rest.refusal("crm.deal.userfield.add", fields=fields)[:2] == (400, "ERROR_CORE")
    rest.as_app(portal.bitrix24.users[1]["id"])
    assert rest.refusal("crm.deal.userfield.delete", id=field)[:2] == (403, "ACCESS_DENIED")


def test_contacts_of_a_deal(portal: Sandbox, rest: Any) -> None:
    """Items are replaced, added, removed; one of them is primary and stands in CONTACT_ID."""
    crm = portal.bitrix24
    one, two, three = (crm.add_contact(name=name) for name in "abc")
    deal = crm.add_deal(contacts=[one])
    assert rest.result("crm.deal.contact.items.get", id=deal) == [
        {"CONTACT_ID": one, "SORT": 10, "ROLE_ID": 0, "IS_PRIMARY": "Y"}
    ]
    rest.result(
        "crm.deal.contact.items.set", id=deal, items=[{"CONTACT_ID": two}, {"CONTACT_ID": three, "IS_PRIMARY": "Y"}]
    )
    assert (crm.deals[deal]["CONTACT_ID"], rest.result("crm.deal.contact.items.get", id=deal)) == (
        str(three),
        [
            {"CONTACT_ID": two, "SORT": 10, "ROLE_ID": 0, "IS_PRIMARY": "N"},
            {"CONTACT_ID": three, "SORT": 20, "ROLE_ID": 0, "IS_PRIMARY": "Y"},
        ],
    )
    assert rest.result("crm.deal.contact.add", id=deal, fields={"CONTACT_ID": one}) is True
    assert rest.result("crm.deal.contact.add", id=deal, fields={"CONTACT_ID": one}) is False
    assert rest.result("crm.deal.contact.delete", id=deal, fields={"CONTACT_ID": three}) is True
    assert rest.result("crm.item.get", entityTypeId=2, id=deal)["item"]["contactIds"] == [two, one]
    assert crm.deals[deal]["CONTACT_ID"] == str(two)
    crm.delete_contact(two)
    assert [row["CONTACT_ID"] for row in rest.result("crm.deal.contact.items.get", id=deal)] == [one]
    rest.result("crm.deal.contact.items.delete", id=deal)
    assert (rest.result("crm.deal.contact.items.get", id=deal), crm.deals[deal]["CONTACT_ID"]) == ([], None)
    assert rest.refusal("crm.deal.contact.add", id=deal, fields={"CONTACT_ID": 99})[:2] == (400, "")
    company = crm.add_company(title="x")
    rest.result("crm.contact.company.items.set", id=one, items=[{"COMPANY_ID": company}])
    assert crm.contacts[one]["COMPANY_ID"] == str(company)
    assert rest.result("crm.company.contact.items.get", id=company)[0]["CONTACT_ID"] == one


def test_stages_and_their_history(portal: Sandbox, rest: Any) -> None:
    """A move changes semantics and history; the classic update changes no pipeline, the universal one does."""
    deal = portal.bitrix24.add_deal(title="x")
    portal.clock.advance(5)
    rest.result("crm.deal.update", id=deal, fields={"STAGE_ID": "EXECUTING"})
    rest.result("crm.deal.update", id=deal, fields={"STAGE_ID": "C1:NEW", "CATEGORY_ID": 1})
    assert portal.bitrix24.deals[deal]["STAGE_ID"] == "EXECUTING"
    item = rest.result("crm.item.update", entityTypeId=2, id=deal, fields={"categoryId": 1, "stageId": "C1:UC_PICK"})[
        "item"
    ]
    assert (item["categoryId"], item["stageId"], item["closed"]) == (1, "C1:UC_PICK", "N")
    rest.result("crm.deal.update", id=deal, fields={"STAGE_ID": "C1:WON"})
    row = portal.bitrix24.deals[deal]
    assert (row["STAGE_SEMANTIC_ID"], row["CLOSED"], row["CLOSEDATE"]) == ("S", "Y", "2025-10-09T00:00:00+03:00")
    moves = rest.result("crm.stagehistory.list", entityTypeId=2, filter={"OWNER_ID": deal}, order={"ID": "ASC"})[
        "items"
    ]
    assert [(one["TYPE_ID"], one["CATEGORY_ID"], one["STAGE_ID"], one["STAGE_SEMANTIC_ID"]) for one in moves] == [
        (1, 0, "NEW", "P"),
        (2, 0, "EXECUTING", "P"),
        (5, 1, "C1:UC_PICK", "P"),
        (3, 1, "C1:WON", "S"),
    ]
    refused = rest.refusal("crm.item.update", entityTypeId=2, id=deal, fields={"stageId": "WON"})
    assert refused[:2] == (400, "CRM_FIELD_ERROR_VALUE_NOT_VALID")
    lead = portal.bitrix24.add_lead(title="x")
    portal.bitrix24.move_lead(lead, "JUNK")
    history = rest.result("crm.stagehistory.list", entityTypeId=1)["items"]
    assert [(one["TYPE_ID"], one["STATUS_ID"], one["STATUS_SEMANTIC_ID"]) for one in history] == [
        (1, "NEW", "P"),
        (3, "JUNK", "F"),
    ]


def test_pipelines_and_dictionaries(rest: Any) -> None:
    """The default pipeline is 0 and has no origin; stages of pipeline N carry its prefix; rows are strings."""
    assert rest.result("crm.category.list", entityTypeId=2)["categories"] == [
        {"id": 0, "name": "Общая", "sort": 300, "entityTypeId": 2, "isDefault": "Y"},
        {"id": 1, "name": "Опт", "sort": 400, "entityTypeId": 2, "isDefault": "N", "originId": "", "originatorId": ""},
    ]
    stages = rest.result("crm.status.list", filter={"ENTITY_ID": "DEAL_STAGE_1"}, order={"SORT": "ASC"})
    assert [(row["STATUS_ID"], row["SEMANTICS"], row["EXTRA"]["SEMANTICS"], row["CATEGORY_ID"]) for row in stages] == [
        ("C1:NEW", None, "process", "1"),
        ("C1:UC_PICK", None, "process", "1"),
        ("C1:WON", "S", "success", "1"),
        ("C1:LOSE", "F", "failure", "1"),
    ]
    added = rest.result("crm.category.add", entityTypeId=2, fields={"name": "Сервис"})["category"]
    rest.result(
        "crm.status.add", fields={"ENTITY_ID": "DEAL_STAGE_2", "STATUS_ID": "VISIT", "NAME": "Выезд", "SORT": 15}
    )
    names = [row["STATUS_ID"] for row in rest.result("crm.status.list", filter={"ENTITY_ID": "DEAL_STAGE_2"})]
    assert (added["id"], names[:2]) == (2, ["C2:NEW", "C2:VISIT"])
    assert rest.result("crm.dealcategory.list")[0]["NAME"] == "Опт"
    assert rest.result("crm.settings.mode.get") == 1


def test_the_simple_mode_has_no_leads(portal: Sandbox, rest: Any) -> None:
    """With leads switched off the mode says 2, a lead is refused, and a call of a stranger makes a contact."""
    crm = portal.bitrix24
    crm.simple_mode = True
    assert (rest.result("crm.settings.mode.get"), rest.refusal("crm.lead.add", fields={"TITLE": "x"})[0]) == (2, 400)
    assert rest.refusal("crm.item.add", entityTypeId=1, fields={"title": "x"})[0] == 400
    crm.call("+79990000000", creates_lead=True)
    assert (len(crm.leads), [row["NAME"] for row in crm.contacts.values()]) == (0, ["+79990000000 - Входящий звонок"])
