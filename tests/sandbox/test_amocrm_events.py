"""The event feed of the emulated amoCRM."""

from typing import Any

from crmkit_sandbox import Sandbox


def told(client: Any, query: str = "") -> list[tuple[str, Any, Any]]:
    rows = client.get(f"events?{query}").json()["_embedded"]["events"]
    return [(row["type"], row["value_before"], row["value_after"]) for row in rows]


def test_each_change_has_its_event_with_before_and_after(frozen: Sandbox, client: Any) -> None:
    """Stage, owner, price, name, fields and tags each give an event with both values, newest first."""
    crm = frozen.amocrm
    main, other = crm.pipelines
    users = [user["id"] for user in crm.users]
    city = crm.field_id("leads", "Город")
    lead = crm.add_lead(name="a", price=100, custom_fields={"Город": "Омск"}, tags=["old"])
    start, target = crm.leads[lead]["status_id"], other["statuses"][2]["id"]
    frozen.clock.advance(10)
    crm.update_lead(
        lead,
        by=users[2],
        name="b",
        price=150,
        responsible_user_id=users[1],
        status_id=target,
        pipeline_id=other["id"],
        custom_fields={"Город": "Уфа"},
        tags=["new"],
    )
    field = {"field_id": city, "field_type": 1, "enum_id": None}
    assert told(client, "filter[created_at][from]=1760000010") == [
        ("entity_tag_deleted", [{"tag": {"name": "old"}}], []),
        ("entity_tag_added", [], [{"tag": {"name": "new"}}]),
        (
            f"custom_field_{city}_value_changed",
            [{"custom_field_value": {**field, "text": "Омск"}}],
            [{"custom_field_value": {**field, "text": "Уфа"}}],
        ),
        ("name_field_changed", [{"name_field_value": {"name": "a"}}], [{"name_field_value": {"name": "b"}}]),
        (
            "entity_responsible_changed",
            [{"responsible_user": {"id": users[0]}}],
            [{"responsible_user": {"id": users[1]}}],
        ),
        (
            "sale_field_changed",
            [{"sale_field_value": {"sale": 100, "sale_with_minor_units": 100.0}}],
            [{"sale_field_value": {"sale": 150, "sale_with_minor_units": 150.0}}],
        ),
        (
            "lead_status_changed",
            [{"lead_status": {"id": start, "pipeline_id": main["id"]}}],
            [{"lead_status": {"id": target, "pipeline_id": other["id"]}}],
        ),
    ]
    newest = client.get("events?limit=1").json()["_embedded"]["events"][0]
    assert (newest["created_by"], newest["entity_id"], newest["entity_type"], len(newest["id"])) == (
        users[2],
        lead,
        "lead",
        26,
    )
    assert client.get(f"events/{newest['id']}").json() == newest


def test_filters_of_events(frozen: Sandbox, client: Any) -> None:
    """Events filter by type, record, author, time and value; entity_id needs exactly one entity."""
    crm = frozen.amocrm
    users = [user["id"] for user in crm.users]
    pipeline = crm.pipelines[0]["id"]
    one, two = crm.add_lead(name="a"), crm.add_lead(name="b", by=users[1])
    crm.move_lead(one, 142)
    crm.move_lead(two, 143)
    moved = client.get(
        "events?filter[type]=lead_status_changed&filter[value_after][leads_statuses][0][status_id]=142"
        f"&filter[value_after][leads_statuses][0][pipeline_id]={pipeline}"
    ).json()["_embedded"]["events"]
    assert [event["entity_id"] for event in moved] == [one]
    types = [name for name, _, _ in told(client, f"filter[entity]=lead&filter[entity_id][]={two}")]
    assert types == ["lead_status_changed", "lead_added"]
    assert [name for name, _, _ in told(client, f"filter[created_by][]={users[1]}")] == ["lead_added"]
    assert client.get(f"events?filter[entity_id]={one}").status_code == 400
    assert client.get("events?filter[type]=no_such_event").status_code == 400
    assert client.get("events?filter[created_at][from]=1760000001").status_code == 204


def test_a_page_of_events_holds_at_most_100(sandbox: Sandbox, client: Any) -> None:
    """A bigger limit gives 100 events and a next page."""
    for _ in range(101):
        sandbox.amocrm.add_lead(name="a")
    answer = client.get("events?limit=250").json()
    assert (len(answer["_embedded"]["events"]), "next" in answer["_links"]) == (100, True)
    ids = [event["id"] for event in answer["_embedded"]["events"]]
    assert ids == sorted(ids, reverse=True)


def test_people_tasks_and_merges_are_told(sandbox: Sandbox, client: Any) -> None:
    """Tasks, calls, links, deletions, restorations and merges have their events."""
    crm = sandbox.amocrm
    winner, loser = crm.add_contact(name="a"), crm.add_contact(name="b", phones=["+79991112233"])
    lead = crm.add_lead(name="c", contacts=[loser])
    task = crm.add_task("x", entity_type="leads", entity_id=lead)
    crm.update_task(task, complete_till=1_800_000_000, text="y")
    crm.complete_task(task, "z")
    crm.add_call_note("leads", lead)
    crm.merge("contacts", winner, [loser])
    crm.delete_lead(lead)
    crm.restore("leads", lead)
    assert [event["type"] for event in crm.events] == [
        *("contact_added", "contact_added", "lead_added", "entity_linked"),
        *("task_added", "task_text_changed", "task_deadline_changed", "task_result_added", "task_completed"),
        *("incoming_call", "entity_merged", "lead_deleted", "lead_restored"),
    ]
    shown = crm.contacts[winner]
    assert shown["custom_fields_values"][0]["values"][0]["value"] == "+79991112233"
    assert [row["id"] for row in shown["_embedded"]["leads"]] == [lead]
    assert client.get(f"contacts/{loser}").status_code == 204
