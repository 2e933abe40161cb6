"""Smart processes of the emulated Bitrix24: kinds of records that a portal makes for itself."""

from typing import Any
from urllib.parse import unquote

from crmkit_sandbox import Sandbox


def test_items_live_by_the_universal_methods(portal: Sandbox, rest: Any) -> None:
    """Made in the first stage, moved, listed by filter, deleted; stages carry the type's prefix."""
    crm = portal.bitrix24
    number = crm.add_smart_process("Монтаж", 177)
    person = crm.add_contact(name="Иван")
    [pipeline] = rest.result("crm.category.list", entityTypeId=number)["categories"]
    first, *_, won, lost = rest.result(
        "crm.status.list", filter={"ENTITY_ID": f"DYNAMIC_{number}_STAGE_{pipeline['id']}"}
    )
    fields = {"title": "Балкон", "contactIds": [person], "opportunity": 1500, "unknown": 1}
    made = rest.result("crm.item.add", entityTypeId=number, fields=fields)["item"]
    moved = rest.result("crm.item.update", entityTypeId=number, id=made["id"], fields={"stageId": won["STATUS_ID"]})
    other = rest.result("crm.item.add", entityTypeId=number, fields={})["item"]
    found = rest.result(
        "crm.item.list", entityTypeId=number, filter={"stageId": won["STATUS_ID"]}, select=["id", "title"]
    )
    assert (pipeline["id"] > 0, first["STATUS_ID"]) == (True, f"DT177_{pipeline['id']}:NEW")
    assert (won["SEMANTICS"], lost["SEMANTICS"]) == ("S", "F")
    assert (made["title"], made["stageId"], made["contactIds"], made["opportunity"], made["entityTypeId"]) == (
        "Балкон",
        first["STATUS_ID"],
        [person],
        1500,
        177,
    )
    assert (moved["item"]["stageId"], moved["item"]["previousStageId"]) == (won["STATUS_ID"], first["STATUS_ID"])
    assert (other["title"], found["items"]) == ("Элемент #2", [{"id": 1, "title": "Балкон"}])
    assert rest.result("crm.item.delete", entityTypeId=number, id=made["id"]) == []
    assert rest.refusal("crm.item.get", entityTypeId=number, id=made["id"])[:2] == (400, "NOT_FOUND")
    assert rest.refusal("crm.item.list", entityTypeId=178)[:2] == (400, "NOT_FOUND")
    bad = {"stageId": "NEW"}
    assert rest.refusal("crm.item.update", entityTypeId=number, id=other["id"], fields=bad)[0] == 400


def test_types_are_made_listed_and_deleted(portal: Sandbox, rest: Any) -> None:
    """By an administrator; a type with items stays."""
    made = rest.result("crm.type.add", fields={"title": "Закупки"})["type"]
    number = made["entityTypeId"]
    rest.result("crm.item.add", entityTypeId=number, fields={"title": "x"})
    listed = rest.result("crm.type.list", filter={"title": "Закупки"})["types"]
    assert (number >= 128, [row["entityTypeId"] for row in listed]) == (True, [number])
    assert rest.result("crm.type.getByEntityTypeId", entityTypeId=number)["type"]["id"] == made["id"]
    assert rest.refusal("crm.type.delete", id=made["id"])[0] == 400
    rest.result("crm.item.delete", entityTypeId=number, id=1)
    assert rest.result("crm.type.delete", id=made["id"]) == []
    assert rest.refusal("crm.item.list", entityTypeId=number)[:2] == (400, "NOT_FOUND")


def test_events_name_the_type_and_snapshots_keep_it(portal: Sandbox, rest: Any, receiver: Any) -> None:
    """One event for all smart processes; the offline queue tells their items apart."""
    crm = portal.bitrix24
    one, two = crm.add_smart_process("Монтаж"), crm.add_smart_process("Закупки")
    rest.as_app()
    rest.result("event.bind", event="ONCRMDYNAMICITEMADD", handler=receiver.url)
    rest.result("event.bind", event="ONCRMDYNAMICITEMADD", event_type="offline")
    for number in (one, two):
        rest.result("crm.item.add", entityTypeId=number, fields={"title": "x"})
    assert portal.settle()
    told = [(form["data[FIELDS][ID]"], form["data[FIELDS][ENTITY_TYPE_ID]"]) for form in receiver.forms()]
    queued = [row["EVENT_DATA"]["FIELDS"]["ENTITY_TYPE_ID"] for row in rest.result("event.offline.list")]
    kept = crm.dump()
    crm.reset()
    emptied = rest.as_app().result("crm.type.list")["types"]
    crm.load(kept)
    assert (sorted(told), sorted(queued)) == ([("1", str(one)), ("1", str(two))], [one, two])
    assert (emptied, len(crm.smart_items(one))) == ([], 1)
    assert all(unquote(body).startswith("event=ONCRMDYNAMICITEMADD") for body in receiver.bodies)
