"""Writes to the emulated amoCRM: thin answers, total refusals, custom fields, tags, links, complex."""

from typing import Any

import pytest

from crmkit_sandbox import Sandbox

CHOICE = "The value you selected is not a valid choice."


def test_a_write_answers_ids_and_echoes_request_ids(sandbox: Sandbox, client: Any) -> None:
    """POST answers ids with request_id echoed or counted, PATCH answers ids with updated_at; no values come back."""
    made = client.post("leads", [{"name": "a", "request_id": "mine"}, {"name": "b"}])
    items = made.json()["_embedded"]["leads"]
    assert (made.status_code, [item["request_id"] for item in items]) == (200, ["mine", "1"])
    assert {frozenset(item) for item in items} == {frozenset({"id", "request_id", "_links"})}
    changed = client.patch("leads", [{"id": items[0]["id"], "price": 5}]).json()["_embedded"]["leads"]
    assert set(changed[0]) == {"id", "updated_at", "_links"}
    single = client.patch(f"leads/{items[1]['id']}", {"price": 7}).json()
    assert (set(single), sandbox.amocrm.leads[items[1]["id"]]["price"]) == ({"id", "updated_at", "_links"}, 7)


def test_one_bad_item_refuses_the_whole_request(sandbox: Sandbox, client: Any) -> None:
    """A batch with one faulty lead changes nothing and names the faults by request_id and path."""
    answer = client.post(
        "leads",
        [
            {"name": "good"},
            {
                "request_id": "bad",
                "price": "100",
                "status_id": 1,
                "responsible_user_id": 5,
                "custom_fields_values": [{"field_id": 1, "values": [{"value": "x"}]}],
            },
        ],
    )
    body = answer.json()
    assert (answer.status_code, answer.headers["Content-Type"].split(";")[0]) == (400, "application/problem+json")
    assert body["validation-errors"] == [
        {
            "request_id": "bad",
            "errors": [
                {"code": "InvalidType", "path": "price", "detail": "This value should be of type int."},
                {"code": "NotSupportedChoice", "path": "responsible_user_id", "detail": CHOICE},
                {"code": "NotSupportedChoice", "path": "status_id", "detail": CHOICE},
                {"code": "NotSupportedChoice", "path": "custom_fields_values.0.field_id", "detail": CHOICE},
            ],
        }
    ]
    assert len(sandbox.amocrm.leads) == 0


@pytest.mark.parametrize(
    ("path", "body", "status", "detail"),
    [
        ("leads", [], 400, "Request data can not be empty"),
        ("leads", [{"name": "a"}] * 251, 422, "Limit 250 per page"),
        ("leads/complex", [{"name": "a"}] * 51, 422, "Limit 50 per page"),
        ("leads", {"name": "a"}, 400, "Request body must be an array of objects"),
    ],
)
def test_bodies_that_no_write_may_have(client: Any, path: str, body: Any, status: int, detail: str) -> None:
    """Empty, too big and wrongly shaped bodies are refused as a whole."""
    answer = client.post(path, body)
    assert (answer.status_code, answer.json()["detail"]) == (status, detail)


def test_stages_belong_to_their_pipeline(sandbox: Sandbox, client: Any) -> None:
    """A stage of another pipeline needs pipeline_id; 142 closes a lead, reopening clears closed_at."""
    other = sandbox.amocrm.pipelines[1]
    lead = sandbox.amocrm.add_lead(name="a")
    foreign = other["statuses"][1]["id"]
    assert client.patch(f"leads/{lead}", {"status_id": foreign}).status_code == 400
    assert client.patch(f"leads/{lead}", {"status_id": foreign, "pipeline_id": other["id"]}).status_code == 200
    client.patch(f"leads/{lead}", {"status_id": 142})
    assert isinstance(client.get(f"leads/{lead}").json()["closed_at"], int)
    client.patch(f"leads/{lead}", {"status_id": foreign})
    assert client.get(f"leads/{lead}").json()["closed_at"] is None
    reason = next(iter(sandbox.amocrm.account.shelves["loss_reasons"]))
    assert client.patch(f"leads/{lead}", {"loss_reason_id": reason}).status_code == 400
    client.patch(f"leads/{lead}", {"status_id": 143, "loss_reason_id": reason})
    shown = client.get(f"leads/{lead}", **{"with": "loss_reason"}).json()
    assert (shown["loss_reason_id"], shown["_embedded"]["loss_reason"][0]["id"]) == (reason, reason)


FIELD_CASES: list[tuple[str, Any, Any]] = [
    ("Комментарий", {"value": "x"}, {"value": "x"}),
    ("Сумма предоплаты", {"value": 10.5}, {"value": "10.5"}),
    ("Аванс", {"value": "200"}, {"value": "200"}),
    ("Срочно", {"value": True}, {"value": True}),
    ("Источник", {"value": "Сайт"}, {"value": "Сайт", "enum_id": 900001, "enum_code": None}),
    ("Оплата", {"enum_id": 900007}, {"value": "Наличные", "enum_id": 900007, "enum_code": None}),
    ("Дата следующего шага", {"value": 1_760_000_000}, {"value": 1_759_957_200}),
    ("Дата следующего шага", {"value": "2025-10-09T12:00:00+03:00"}, {"value": 1_759_957_200}),
    ("Встреча", {"value": 1_760_000_000}, {"value": 1_760_000_000}),
    ("Адрес объекта", {"value": "Казань", "enum_code": "city"}, {"value": "Казань", "enum_id": 3, "enum_code": "city"}),
    ("Юр. лицо", {"value": {"name": "ООО", "vat_id": "1"}}, {"value": {"name": "ООО", "vat_id": "1"}}),
    ("Связанные списки", {"catalog_id": 1, "catalog_element_id": 2}, {"catalog_id": 1, "catalog_element_id": 2}),
]


@pytest.mark.parametrize(("name", "written", "read"), FIELD_CASES)
def test_custom_fields_are_normalised(sandbox: Sandbox, client: Any, name: str, written: Any, read: Any) -> None:
    """Each type of custom field is stored and shown in the vendor's shape."""
    field_id = sandbox.amocrm.field_id("leads", name)
    made = client.post("leads", [{"custom_fields_values": [{"field_id": field_id, "values": [written]}]}])
    assert made.status_code == 200, made.text
    shown = client.get(f"leads/{made.json()['_embedded']['leads'][0]['id']}").json()["custom_fields_values"]
    assert [(field["field_id"], field["field_name"], field["values"]) for field in shown] == [(field_id, name, [read])]


@pytest.mark.parametrize(
    ("name", "values", "code", "path"),
    [
        ("Источник", [{"value": "сайт"}], "NotSupportedChoice", "values.0.value"),
        ("Источник", [{"value": "Сайт"}, {"value": "Звонок"}], "TooManyElements", "values"),
        ("Сумма предоплаты", [{"value": "много"}], "InvalidType", "values.0.value"),
        ("Срочно", [{"value": "да"}], "InvalidType", "values.0.value"),
        ("Встреча", [{"value": "завтра"}], "InvalidDate", "values.0.value"),
        ("Юр. лицо", [{"value": {"vat_id": "1"}}], "FieldMissing", "values.0.value.name"),
    ],
)
def test_custom_fields_refuse(sandbox: Sandbox, client: Any, name: str, values: Any, code: str, path: str) -> None:
    """A value that its type does not know is refused with its path."""
    field_id = sandbox.amocrm.field_id("leads", name)
    answer = client.post("leads", [{"custom_fields_values": [{"field_id": field_id, "values": values}]}])
    fault = answer.json()["validation-errors"][0]["errors"][0]
    assert (answer.status_code, fault["code"], fault["path"]) == (400, code, f"custom_fields_values.0.{path}")


def test_fields_left_out_stay_and_null_clears(sandbox: Sandbox, client: Any) -> None:
    """A write replaces the fields it names, clears those given null, leaves the others."""
    lead = sandbox.amocrm.add_lead(name="a", custom_fields={"Город": "Казань", "Сайт": "https://a.example"})
    city = sandbox.amocrm.field_id("leads", "Город")
    client.patch(f"leads/{lead}", {"custom_fields_values": [{"field_id": city, "values": None}]})
    left = client.get(f"leads/{lead}").json()["custom_fields_values"]
    assert [field["field_name"] for field in left] == ["Сайт"]
    client.patch(f"leads/{lead}", {"custom_fields_values": None})
    assert client.get(f"leads/{lead}").json()["custom_fields_values"] is None


def test_tags_replace_or_change(sandbox: Sandbox, client: Any) -> None:
    """`_embedded.tags` replaces the set, tags_to_add and tags_to_delete change it, null clears it."""

    def names() -> list[str]:
        return [tag["name"] for tag in client.get(f"leads/{lead}").json()["_embedded"]["tags"]]

    lead = sandbox.amocrm.add_lead(name="a", tags=["one", "two"])
    client.patch(f"leads/{lead}", {"tags_to_add": [{"name": "three"}], "tags_to_delete": [{"name": "one"}]})
    assert names() == ["two", "three"]
    client.patch(f"leads/{lead}", {"_embedded": {"tags": [{"name": "four"}]}})
    assert names() == ["four"]
    client.patch(f"leads/{lead}", {"_embedded": {"tags": None}})
    assert names() == []


def test_names_are_rebuilt_from_their_parts(client: Any) -> None:
    """first_name and last_name make the name of a contact."""
    made = client.post("contacts", [{"first_name": "Пётр", "last_name": "Соболь"}]).json()["_embedded"]["contacts"][0]
    assert client.get(f"contacts/{made['id']}").json()["name"] == "Пётр Соболь"


def test_links_are_seen_from_both_sides(sandbox: Sandbox, client: Any) -> None:
    """A link is listed at both records; a second company replaces the first; unlink removes it."""
    crm = sandbox.amocrm
    lead, contact = crm.add_lead(name="a"), crm.add_contact(name="b")
    old, new = crm.add_company(name="c"), crm.add_company(name="d")
    body = [{"to_entity_id": contact, "to_entity_type": "contacts", "metadata": {"is_main": True}}]
    linked = client.post(f"leads/{lead}/link", body).json()
    assert linked["_embedded"]["links"] == [
        {
            "entity_id": lead,
            "entity_type": "leads",
            "to_entity_id": contact,
            "to_entity_type": "contacts",
            "metadata": {"main_contact": True},
        }
    ]
    for company in (old, new):
        client.post(f"leads/{lead}/link", [{"to_entity_id": company, "to_entity_type": "companies"}])
    places = [
        (x["to_entity_type"], x["to_entity_id"]) for x in client.get(f"leads/{lead}/links").json()["_embedded"]["links"]
    ]
    assert places == [("contacts", contact), ("companies", new)]
    shown = client.get(f"contacts/{contact}", **{"with": "leads"}).json()["_embedded"]["leads"]
    assert [row["id"] for row in shown] == [lead]
    assert client.post(f"leads/{lead}/unlink", body).status_code == 204
    assert client.get(f"contacts/{contact}/links").status_code == 204


def test_complex_makes_all_and_controls_duplicates(sandbox: Sandbox, client: Any) -> None:
    """`leads/complex` answers a bare array; with duplicate control on, a known phone joins the known contact."""
    person = {
        "first_name": "Пётр",
        "custom_fields_values": [{"field_code": "PHONE", "values": [{"value": "+79991112233"}]}],
    }
    body = [{"name": "a", "request_id": "r", "_embedded": {"contacts": [person], "companies": [{"name": "ООО"}]}}]
    first = client.post("leads/complex", body).json()
    assert [set(row) for row in first] == [{"id", "contact_id", "company_id", "request_id", "merged"}]
    assert (first[0]["request_id"], first[0]["merged"]) == (["r"], False)
    assert client.post("leads/complex", body).json()[0]["merged"] is False
    sandbox.amocrm.duplicate_control = True
    third = client.post("leads/complex", body).json()[0]
    assert (third["merged"], third["contact_id"]) == (True, first[0]["contact_id"])
    lead = client.get(f"leads/{third['id']}", **{"with": "contacts"}).json()["_embedded"]
    assert [row["id"] for row in lead["contacts"]] == [first[0]["contact_id"]]


def test_tasks_need_text_and_time(sandbox: Sandbox, client: Any) -> None:
    """A task needs text and complete_till, moves closest_task_at of its lead, and reads `[]` until it has a result."""
    lead = sandbox.amocrm.add_lead(name="a")
    refused = client.post("tasks", [{"entity_id": lead, "entity_type": "leads"}]).json()["validation-errors"][0][
        "errors"
    ]
    assert [(fault["code"], fault["path"]) for fault in refused] == [
        ("FieldMissing", "text"),
        ("FieldMissing", "complete_till"),
    ]
    body = [{"text": "Связаться", "complete_till": 1_800_000_000, "entity_id": lead, "entity_type": "leads"}]
    task = client.post("tasks", body).json()["_embedded"]["tasks"][0]["id"]
    assert client.get(f"leads/{lead}").json()["closest_task_at"] == 1_800_000_000
    assert client.get(f"tasks/{task}").json()["result"] == []
    client.patch(f"tasks/{task}", {"is_completed": True, "result": {"text": "Дозвонились"}})
    shown = client.get(f"tasks?filter[is_completed]=1&filter[entity_type]=leads&filter[entity_id]={lead}").json()
    assert [row["result"] for row in shown["_embedded"]["tasks"]] == [{"text": "Дозвонились"}]
    assert client.get(f"leads/{lead}").json()["closest_task_at"] is None
    assert client.get(f"tasks?filter[entity_id]={lead}").status_code == 400


def test_notes_at_both_addresses(sandbox: Sandbox, client: Any) -> None:
    """Notes are written and read by record and by kind; the text belongs inside params."""
    lead = sandbox.amocrm.add_lead(name="a")
    wrong = client.post(f"leads/{lead}/notes", [{"note_type": "common", "params": {}, "text": "x"}])
    assert wrong.json()["validation-errors"][0]["errors"] == [
        {"code": "FieldMissing", "path": "params.text", "detail": "This field is missing."}
    ]
    one = client.post(f"leads/{lead}/notes", [{"note_type": "common", "params": {"text": "x"}}])
    two = client.post(
        "leads/notes", [{"entity_id": lead, "note_type": "service_message", "params": {"service": "s", "text": "y"}}]
    )
    made = [answer.json()["_embedded"]["notes"][0]["id"] for answer in (one, two)]
    assert [row["id"] for row in client.get(f"leads/{lead}/notes").json()["_embedded"]["notes"]] == made
    filtered = client.get("leads/notes?filter[note_type]=common").json()["_embedded"]["notes"]
    assert [(row["id"], row["params"], row["entity_id"]) for row in filtered] == [(made[0], {"text": "x"}, lead)]
    assert client.get("contacts/notes").status_code == 204
    assert client.patch(f"leads/notes/{made[0]}", {"params": {"text": "z"}}).status_code == 200
    assert client.get(f"leads/{lead}/notes/{made[0]}").json()["params"] == {"text": "z"}


def test_calls_land_by_ten_digits(sandbox: Sandbox, client: Any) -> None:
    """A call lands at the only active lead of the person with that phone; an unknown phone is an error of its item."""
    crm = sandbox.amocrm
    contact = crm.add_contact(name="a", phones=["8 (999) 111-22-33"])
    lonely = crm.add_contact(name="b", phones=["+79990000000"])
    lead = crm.add_lead(name="c", contacts=[contact])
    call = {"direction": "inbound", "duration": 5, "source": "pbx", "uniq": "u"}
    answer = client.post(
        "calls",
        [{**call, "phone": "+79991112233"}, {**call, "phone": "79990000000"}, {**call, "phone": "+70000000000"}],
    )
    body = answer.json()
    places = [(row["entity_type"], row["entity_id"]) for row in body["_embedded"]["calls"]]
    assert (answer.status_code, body["_total_items"], places) == (200, 2, [("lead", lead), ("contact", lonely)])
    assert body["errors"] == [
        {"request_id": "2", "title": "Entity not found", "status": 263, "detail": "Entity not found"}
    ]
    assert client.post("calls", [{**call, "phone": "+70000000000"}]).status_code == 400
    assert [(event["type"], event["created_by"]) for event in crm.events[-2:]] == [("incoming_call", 0)] * 2


def test_unsorted_is_accepted_and_declined(sandbox: Sandbox, client: Any) -> None:
    """A form makes a lead in the incoming status; accepting moves it on, declining bins it; both leave the list."""
    metadata = {"form_id": "1", "form_name": "f", "form_page": "https://a.example", "form_sent_at": 1}
    item = {
        "source_uid": "s",
        "source_name": "Сайт",
        "metadata": metadata,
        "_embedded": {"leads": [{"name": "a"}], "contacts": [{"name": "b"}]},
    }
    refused = client.post("leads/unsorted/forms", [{**item, "metadata": {}}]).json()["validation-errors"][0]["errors"]
    assert [fault["path"] for fault in refused] == [f"metadata.{name}" for name in metadata]
    made = [client.post("leads/unsorted/forms", [item]).json()["_embedded"]["unsorted"][0] for _ in range(2)]
    leads = [row["_embedded"]["leads"][0]["id"] for row in made]
    incoming = next(s["id"] for s in sandbox.amocrm.pipelines[0]["statuses"] if s["type"] == 1)
    assert [sandbox.amocrm.leads[lead]["status_id"] for lead in leads] == [incoming, incoming]
    assert len(client.get("leads/unsorted?filter[category]=forms").json()["_embedded"]["unsorted"]) == 2
    accepted = client.post(f"leads/unsorted/{made[0]['uid']}/accept", {"user_id": sandbox.amocrm.users[1]["id"]}).json()
    assert accepted["_embedded"]["contacts"][0]["is_unsorted"] is False
    assert sandbox.amocrm.leads[leads[0]]["responsible_user_id"] == sandbox.amocrm.users[1]["id"]
    assert client("DELETE", f"leads/unsorted/{made[1]['uid']}/decline").status_code == 200
    assert (client.get("leads/unsorted").status_code, leads[1] in sandbox.amocrm.leads) == (204, False)
    counted = client.get("leads/unsorted/summary").json()
    assert (counted["total"], counted["accepted"], counted["declined"]) == (2, 1, 1)
