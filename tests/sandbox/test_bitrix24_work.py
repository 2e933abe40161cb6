"""Work in the emulated Bitrix24: to-dos, tasks, comments, calls, duplicates, merging, goods, requisites, users."""

from typing import Any

import requests

from crmkit_sandbox import Sandbox


def test_a_todo_is_added_changed_and_completed(portal: Sandbox, rest: Any) -> None:
    """A to-do needs a deadline and an owner; it is an activity of its provider, completed by the old method."""
    crm = portal.bitrix24
    deal = crm.add_deal(title="x")
    place = {"ownerTypeId": 2, "ownerId": deal}
    made = rest.result("crm.activity.todo.add", **place, deadline="2025-10-10T12:00:00+03:00", title="Позвонить")
    assert made == {"id": 1}
    rest.result("crm.activity.todo.updateDeadline", id=1, **place, value="2025-10-11T12:00:00+03:00")
    rest.result("crm.activity.todo.updateResponsibleUser", id=1, **place, responsibleId=2)
    (row,) = rest.result("crm.activity.list", filter={"OWNER_TYPE_ID": 2, "OWNER_ID": deal, "COMPLETED": "N"})
    names = ("ID", "PROVIDER_ID", "SUBJECT", "DEADLINE", "RESPONSIBLE_ID", "STATUS", "SETTINGS", "PROVIDER_PARAMS")
    assert {name: row[name] for name in names} == {
        "ID": "1",
        "PROVIDER_ID": "CRM_TODO",
        "SUBJECT": "Позвонить",
        "DEADLINE": "2025-10-11T12:00:00+03:00",
        "RESPONSIBLE_ID": "2",
        "STATUS": "1",
        "SETTINGS": [],
        "PROVIDER_PARAMS": [],
    }
    assert rest.result("crm.activity.update", id=1, fields={"COMPLETED": "Y"}) is True
    done = rest.result("crm.activity.get", id=1)
    assert (done["COMPLETED"], done["STATUS"]) == ("Y", "2")
    assert rest.refusal("crm.activity.todo.add", **place)[:2] == (400, "100")
    assert rest.refusal("crm.activity.todo.add", **place, deadline="soon")[:2] == (400, "WRONG_DATETIME_FORMAT")
    wrong = {"ownerTypeId": 2, "ownerId": 9, "deadline": "2025-10-10"}
    assert rest.refusal("crm.activity.todo.add", **wrong)[:2] == (400, "OWNER_NOT_FOUND")


def test_an_activity_needs_its_fields(portal: Sandbox, rest: Any) -> None:
    """A call takes one communication, a task is refused, bindings find an activity by either record."""
    crm = portal.bitrix24
    contact, deal = crm.add_contact(name="a"), crm.add_deal(title="x")
    talk = {"VALUE": "+7926", "ENTITY_ID": contact, "ENTITY_TYPE_ID": 3, "TYPE": "PHONE"}
    fields = {"OWNER_TYPE_ID": 2, "OWNER_ID": deal, "TYPE_ID": 2, "SUBJECT": "s", "RESPONSIBLE_ID": 1}
    fields |= {"COMMUNICATIONS": [talk], "START_TIME": "2025-10-10T10:00:00+03:00", "DIRECTION": 2}
    activity = rest.result("crm.activity.add", fields=fields)
    found = rest.result("crm.activity.list", filter={"BINDINGS": [{"OWNER_TYPE_ID": 3, "OWNER_ID": contact}]})
    assert [(row["ID"], row["DEADLINE"]) for row in found] == [(str(activity), "2025-10-10T10:00:00+03:00")]
    assert rest.result("crm.activity.binding.list", activityId=activity) == [
        {"entityTypeId": 2, "entityId": deal},
        {"entityTypeId": 3, "entityId": contact},
    ]
    assert rest.refusal("crm.activity.add", fields={**fields, "TYPE_ID": 3})[0] == 400
    assert rest.refusal("crm.activity.add", fields={**fields, "COMMUNICATIONS": [talk, talk]})[0] == 400
    assert rest.result("crm.activity.delete", id=activity) is True
    assert rest.refusal("crm.activity.get", id=activity) == (400, "", "Not found")


def test_a_task_speaks_camel_case(portal: Sandbox, rest: Any) -> None:
    """Capitals go in, camel case with string numbers comes out; the CRM link leaves an entry that follows the task."""
    crm = portal.bitrix24
    deal = crm.add_deal(title="x")
    fields = {
        "TITLE": "Счёт",
        "RESPONSIBLE_ID": 2,
        "UF_CRM_TASK": [f"D_{deal}"],
        "DEADLINE": "2025-10-01T10:00:00+03:00",
    }
    task = rest.result("tasks.task.add", fields=fields)["task"]
    names = ("id", "title", "status", "responsibleId", "deadline", "priority", "closedDate")
    assert {name: task[name] for name in names} == {
        "id": "1",
        "title": "Счёт",
        "status": "2",
        "responsibleId": "2",
        "deadline": "2025-10-01T10:00:00+03:00",
        "priority": "1",
        "closedDate": None,
    }
    listed = rest.result(
        "tasks.task.list", filter={"UF_CRM_TASK": f"D_{deal}", "STATUS": -1}, select=["ID", "UF_CRM_TASK"]
    )
    assert listed["tasks"] == [{"id": "1", "ufCrmTask": [f"D_{deal}"], "group": []}]
    assert "ufCrmTask" not in rest.result("tasks.task.list")["tasks"][0]
    done = rest.result("tasks.task.complete", taskId=1)["task"]
    (entry,) = rest.result("crm.activity.list", filter={"PROVIDER_ID": "CRM_TASKS_TASK"})
    assert (done["status"], entry["COMPLETED"], entry["ASSOCIATED_ENTITY_ID"], entry["OWNER_ID"]) == (
        "5",
        "Y",
        "1",
        "1",
    )
    assert rest.result("tasks.task.delete", taskId=1) == {"task": True}
    gone = (400, "ERROR_CORE", "Task not found or not accessible")
    assert rest.refusal("tasks.task.get", taskId=1) == gone
    untitled = rest.refusal("tasks.task.add", fields={"RESPONSIBLE_ID": 1})
    assert untitled == (400, "ERROR_CORE", "Task title is not specified<br>")
    assert rest.refusal("tasks.task.add")[1] == "100"


def test_comments_of_a_timeline(portal: Sandbox, rest: Any) -> None:
    """A comment belongs to one record; the parameter must be lower-case; a list needs its record."""
    deal = portal.bitrix24.add_deal(title="x")
    place = {"ENTITY_ID": deal, "ENTITY_TYPE": "deal"}
    comment = rest.result("crm.timeline.comment.add", fields={**place, "COMMENT": "раз"})
    rest.result("crm.timeline.comment.update", id=comment, fields={"COMMENT": "два"})
    assert rest.result("crm.timeline.comment.list", filter=place) == [
        {
            "ID": "1",
            "ENTITY_ID": str(deal),
            "ENTITY_TYPE": "deal",
            "CREATED": "2025-10-09T11:53:20+03:00",
            "COMMENT": "два",
            "AUTHOR_ID": "1",
            "FILES": [],
        }
    ]
    assert rest.refusal("crm.timeline.comment.add", FIELDS={**place, "COMMENT": "x"})[1] == "100"
    assert rest.refusal("crm.timeline.comment.list")[0] == 400
    assert rest.result("crm.timeline.comment.delete", id=comment) is True
    assert rest.result("crm.timeline.comment.list", filter=place) == []


def test_a_call_is_registered_finished_and_recorded(portal: Sandbox, rest: Any) -> None:
    """A repeated registration gives the same call; a finished one is in the statistics and in the timeline."""
    crm = portal.bitrix24
    contact = crm.add_contact(name="a", phones=["+7 926 111-22-33"])
    deal = crm.add_deal(title="x", contacts=[contact])
    rest.as_app()
    asked = {"USER_PHONE_INNER": "102", "PHONE_NUMBER": "89261112233", "TYPE": 2, "EXTERNAL_CALL_ID": "e1"}
    made = rest.result("telephony.externalCall.register", **asked)
    assert rest.result("telephony.externalCall.register", **asked)["CALL_ID"] == made["CALL_ID"]
    assert {name: made[name] for name in made if name != "CALL_ID"} == {
        "CRM_CREATED_LEAD": None,
        "CRM_CREATED_ENTITIES": [],
        "CRM_ENTITY_TYPE": "CONTACT",
        "CRM_ENTITY_ID": contact,
    }
    assert rest.result("voximplant.statistic.get") == []
    done = rest.result("telephony.externalCall.finish", CALL_ID=made["CALL_ID"], USER_ID=2, DURATION=95)
    assert (done["CALL_DURATION"], done["CALL_FAILED_CODE"], done["CALL_START_DATE"]) == (95, "200", {})
    file = rest.result(
        "telephony.externalCall.attachRecord", CALL_ID=made["CALL_ID"], FILENAME="a.mp3", FILE_CONTENT="eA=="
    )
    (row,) = rest.result("voximplant.statistic.get", FILTER={"PHONE_NUMBER": "89261112233"})
    names = (
        "CALL_ID",
        "CALL_TYPE",
        "PORTAL_USER_ID",
        "CALL_DURATION",
        "CRM_ENTITY_ID",
        "RECORD_FILE_ID",
        "EXTERNAL_CALL_ID",
    )
    assert [row[name] for name in names] == [made["CALL_ID"], "2", "2", "95", str(contact), file["FILE_ID"], "e1"]
    activity = rest.result("crm.activity.get", id=done["CRM_ACTIVITY_ID"])
    assert (activity["PROVIDER_ID"], activity["ORIGIN_ID"], activity["COMPLETED"], activity["DIRECTION"]) == (
        "VOXIMPLANT_CALL",
        f"VI_{made['CALL_ID']}",
        "Y",
        "1",
    )
    assert rest.result("crm.activity.list", filter={"BINDINGS": [{"OWNER_TYPE_ID": 2, "OWNER_ID": deal}]})
    text = "Call is not found (call should be registered prior to finishing)"
    assert rest.refusal("telephony.externalCall.finish", CALL_ID="x", USER_ID=1) == (400, "ERROR_CORE", text)
    nobody = rest.refusal("telephony.externalCall.register", PHONE_NUMBER="1", TYPE=2)
    assert nobody == (400, "ERROR_CORE", "USER_ID or USER_PHONE_INNER should be set")


def test_a_record_is_uploaded_apart(portal: Sandbox, rest: Any) -> None:
    """A file name alone gives an address for the file, which attaches it to its call; without a file it refuses."""
    rest.as_app()
    made = rest.result("telephony.externalCall.register", USER_ID=1, PHONE_NUMBER="+79990000000", TYPE=1)
    place = rest.result("telephony.externalCall.attachRecord", CALL_ID=made["CALL_ID"], FILENAME="a.wav")
    assert requests.post(place["uploadUrl"], timeout=5).status_code == 400
    sent = requests.post(place["uploadUrl"], files={place["fieldName"]: ("a.wav", b"x")}, timeout=5)
    (row,) = portal.bitrix24.calls.values()
    assert (sent.status_code, sent.json()["result"]) == (200, {"FILE_ID": row["RECORD_FILE_ID"]})
    wrong = rest.refusal("telephony.externalCall.attachRecord", CALL_ID=made["CALL_ID"], FILENAME="a.exe")
    assert wrong[:2] == (400, "ERROR_CORE")


def test_a_missed_call_of_a_stranger_makes_a_lead(portal: Sandbox, rest: Any) -> None:
    """With CRM_CREATE an unknown number makes a lead; no duration means missed, and its entry stays open."""
    crm = portal.bitrix24
    rest.as_app()
    asked = {"USER_ID": 1, "PHONE_NUMBER": "+79995550000", "TYPE": 2}
    bare = rest.result("telephony.externalCall.register", **asked, EXTERNAL_CALL_ID="a")
    assert (bare["CRM_ENTITY_TYPE"], bare["CRM_ENTITY_ID"]) == (None, None)
    made = rest.result("telephony.externalCall.register", **asked, CRM_CREATE=1, EXTERNAL_CALL_ID="b")
    assert (made["CRM_CREATED_LEAD"], made["CRM_CREATED_ENTITIES"]) == (1, [{"ENTITY_TYPE": "LEAD", "ENTITY_ID": 1}])
    done = rest.result("telephony.externalCall.finish", CALL_ID=made["CALL_ID"], USER_ID=1)
    activity = crm.activities[done["CRM_ACTIVITY_ID"]]
    assert (done["CALL_FAILED_CODE"], activity["COMPLETED"], crm.leads[1]["PHONE"][0]["VALUE"]) == (
        "304",
        "N",
        "+79995550000",
    )


def test_duplicates_are_found_by_digits(portal: Sandbox, rest: Any) -> None:
    """Types without hits are away, nothing at all is a list, twenty hits of a type hide the types after it."""
    crm = portal.bitrix24
    crm.add_lead(title="x", phones=["8 (926) 111-22-33"], emails=["A@b.example"])
    crm.add_company(title="y", phones=["+79261112233"])
    find = "crm.duplicate.findbycomm"
    assert rest.result(find, type="PHONE", values=["79261112233"]) == {"LEAD": [1], "COMPANY": [1]}
    assert rest.result(find, type="EMAIL", values=["a@B.example"], entity_type="LEAD") == {"LEAD": [1]}
    lead = crm.add_lead(title="z", emails=["new@b.example"])
    crm.update_lead(lead, emails=["newer@b.example"])
    found = rest.result(find, type="EMAIL", values=["new@b.example", "newer@b.example"])
    assert (found, rest.result(find, type="EMAIL", values=["new@b.example"])) == ({"LEAD": [lead]}, [])
    crm.delete_lead(lead)
    assert rest.result(find, type="EMAIL", values=["newer@b.example"]) == []
    assert rest.result(find, type="PHONE", values=["+7 000 000-00-00"]) == []
    for index in range(19):
        crm.add_lead(title=str(index), phones=["+79261112233"])
    assert list(rest.result(find, type="PHONE", values=["79261112233"])) == ["LEAD"]
    refused = (400, "Communication type is not defined", "Parameter 'type' is required.")
    assert rest.refusal(find, values=["1"]) == refused


def test_a_merge_fills_the_empty_and_stops_at_a_conflict(portal: Sandbox, rest: Any) -> None:
    """Two different fillings are a conflict that changes nothing; else the first lives with all that the others had."""
    crm = portal.bitrix24
    one = crm.add_contact(name="Ян", phones=["1"])
    two = crm.add_contact(name="Ян", last_name="Лис", phones=["1", "2"])
    deal = crm.add_deal(title="x", contacts=[two])
    todo = crm.add_todo("contact", two)
    crm.add_comment("contact", two, "было")
    third = crm.add_contact(name="Пётр")

    def merge(*ids: int) -> Any:
        return rest.result("crm.entity.mergeBatch", params={"entityTypeId": 3, "entityIds": list(ids)})

    assert merge(one, third) == {"STATUS": "CONFLICT", "ENTITY_IDS": []}
    assert merge(one, 99) == {"STATUS": "ERROR", "ENTITY_IDS": []}
    assert merge(one, two) == {"STATUS": "SUCCESS", "ENTITY_IDS": [two]}
    row = crm.contacts[one]
    assert (row["NAME"], row["LAST_NAME"], [value["VALUE"] for value in row["PHONE"]]) == ("Ян", "Лис", ["1", "2"])
    assert (two in crm.contacts, crm.deals[deal]["CONTACT_ID"], crm.activities[todo]["OWNER_ID"]) == (
        False,
        str(one),
        str(one),
    )
    assert [comment["ENTITY_ID"] for comment in crm.comments.values()] == [str(one)]
    short = rest.refusal("crm.entity.mergeBatch", params={"entityTypeId": 3, "entityIds": [one]})
    assert short == (400, 0, "The parameter entityIds must contains at least two elements.")


def test_product_rows_make_the_amount(portal: Sandbox, rest: Any) -> None:
    """Rows are replaced as a whole; the amount follows them unless it is kept by hand."""
    crm = portal.bitrix24
    auto, manual = crm.add_deal(title="a"), crm.add_deal(title="b", amount=5, IS_MANUAL_OPPORTUNITY="Y")
    rows = [{"PRODUCT_NAME": "Дверь", "PRICE": 100, "QUANTITY": 2}, {"PRODUCT_NAME": "Ручка", "PRICE": 10.5}]
    for deal in (auto, manual):
        assert rest.result("crm.deal.productrows.set", id=deal, rows=rows) is True
    assert (crm.deals[auto]["OPPORTUNITY"], crm.deals[manual]["OPPORTUNITY"]) == ("210.50", "5.00")
    got = rest.result("crm.deal.productrows.get", id=auto)
    assert [(row["PRODUCT_NAME"], row["PRICE"], row["QUANTITY"]) for row in got] == [
        ("Дверь", 100, 2),
        ("Ручка", 10.5, 1),
    ]
    item = rest.result("crm.item.productrow.list", filter={"=ownerType": "D", "=ownerId": auto})["productRows"]
    assert [(row["productName"], row["ownerId"]) for row in item] == [("Дверь", auto), ("Ручка", auto)]
    rest.result("crm.deal.productrows.set", id=auto, rows=[])
    assert rest.result("crm.deal.productrows.get", id=auto) == []


def test_requisites_hold_the_tax_number(portal: Sandbox, rest: Any) -> None:
    """Requisites of a company are found by INN; bank details hang on them."""
    crm = portal.bitrix24
    company = crm.add_company(title="x")
    fields = {"ENTITY_TYPE_ID": 4, "ENTITY_ID": company, "PRESET_ID": 1, "NAME": "Основные", "RQ_INN": "7701234567"}
    requisite = rest.result("crm.requisite.add", fields=fields)
    found = rest.result("crm.requisite.list", filter={"RQ_INN": "7701234567"}, select=["ENTITY_ID", "ENTITY_TYPE_ID"])
    assert found == [{"ID": str(requisite), "ENTITY_TYPE_ID": "4", "ENTITY_ID": str(company)}]
    bank = {"ENTITY_ID": requisite, "NAME": "Банк", "RQ_BIK": "044525225"}
    details = rest.result("crm.requisite.bankdetail.add", fields=bank)
    assert rest.result("crm.requisite.bankdetail.get", id=details)["RQ_BIK"] == "044525225"
    rest.result("crm.requisite.update", id=requisite, fields={"RQ_KPP": "770101001"})
    assert rest.result("crm.requisite.get", id=requisite)["RQ_KPP"] == "770101001"
    assert rest.refusal("crm.requisite.add", fields={**fields, "ENTITY_ID": 99})[0] == 400
    rest.result("crm.requisite.delete", id=requisite)
    assert rest.result("crm.requisite.list") == []


def test_users(portal: Sandbox, rest: Any) -> None:
    """ACTIVE is a real boolean, ids are strings, a filter by ACTIVE leaves the dismissed out."""
    crm = portal.bitrix24
    second = crm.users[1]["id"]
    crm.remove_user(second)
    rows = rest.result("user.get", FILTER={"ACTIVE": True}, sort="ID", order="DESC")
    assert [(row["ID"], row["ACTIVE"]) for row in rows] == [("4", True), ("3", True), ("1", True)]
    assert rest.result("user.get", ID=second)[0]["ACTIVE"] is False
    assert (rest.result("user.current")["ID"], rest.result("department.get")[0]["NAME"]) == ("1", "Отдел продаж")


def test_snapshot_and_reset(portal: Sandbox, rest: Any) -> None:
    """A snapshot brings every record back; a reset leaves the settings and the webhook."""
    crm = portal.bitrix24
    crm.seed()
    portal.world.snapshot()
    before = crm.records()
    crm.move_deal(1, "WON")
    crm.delete_contact(1)
    crm.add_lead(title="x")
    portal.world.restore()
    assert crm.records() == before
    assert (len(crm.deals), len(crm.contacts), len(crm.companies), len(crm.leads)) == (15, 12, 6, 4)
    portal.reset()
    assert (len(crm.deals), len(crm.stages()), rest("profile").status_code) == (0, 8, 200)


def test_requisites_need_a_template_of_the_portal(portal: Sandbox, rest: Any) -> None:
    """Templates are listed by filter and order; an unknown one is refused."""
    company = portal.bitrix24.add_company(title="ООО")
    found = rest.result(
        "crm.requisite.preset.list",
        filter={"ENTITY_TYPE_ID": 8, "ACTIVE": "Y"},
        order={"ID": "DESC"},
        select=["ID", "NAME"],
    )
    assert found == [
        {"ID": "3", "NAME": "Физ. лицо"},
        {"ID": "2", "NAME": "ИП"},
        {"ID": "1", "NAME": "Организация"},
    ]
    fields = {"ENTITY_TYPE_ID": 4, "ENTITY_ID": company, "PRESET_ID": 9, "NAME": "Основные"}
    assert rest.refusal("crm.requisite.add", fields=fields)[0] == 400
