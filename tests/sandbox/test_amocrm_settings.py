"""Pipelines, fields, sources, catalogs, tags and the rarer writes of the emulated amoCRM."""

from typing import Any

from crmkit_sandbox import Sandbox


def embedded(answer: Any, kind: str) -> list[Any]:
    assert answer.status_code in (200, 201), answer.text
    rows: list[Any] = answer.json()["_embedded"][kind]
    return rows


def test_pipelines_change_and_go(sandbox: Sandbox, client: Any) -> None:
    """A pipeline is renamed and made the main one; an empty one can be removed, the main one cannot."""
    old = sandbox.amocrm.pipelines[0]["id"]
    body = [{"name": "Сервис", "sort": 5, "_embedded": {"statuses": [{"name": "Приём"}, {"name": "Ремонт"}]}}]
    made = embedded(client.post("leads/pipelines", body), "pipelines")[0]
    names = [status["name"] for status in made["_embedded"]["statuses"]]
    assert names == ["Неразобранное", "Приём", "Ремонт", "Успешно реализовано", "Закрыто и не реализовано"]
    changed = client.patch(f"leads/pipelines/{made['id']}", {"name": "Мастерская", "is_main": True}).json()
    assert (changed["name"], changed["is_main"]) == ("Мастерская", True)
    assert client.get(f"leads/pipelines/{old}").json()["is_main"] is False
    codes = [client("DELETE", f"leads/pipelines/{row_id}").status_code for row_id in (made["id"], old, 5)]
    assert codes == [400, 204, 404]


def test_statuses_change_and_go(sandbox: Sandbox, client: Any) -> None:
    """An ordinary status changes name and colour, a closing one only its name and never goes."""
    pipeline = sandbox.amocrm.pipelines[0]
    at, ordinary = f"leads/pipelines/{pipeline['id']}/statuses", pipeline["statuses"][1]["id"]
    changed = client.patch(f"{at}/{ordinary}", {"name": "Новый", "color": "#ffffff"}).json()
    assert (changed["name"], changed["color"]) == ("Новый", "#ffffff")
    won = client.patch(f"{at}/142", {"name": "Ура", "color": "#000000"}).json()
    assert (won["name"], won["color"]) == ("Ура", "#CCFF66")
    codes = [client("DELETE", f"{at}/{status}").status_code for status in (ordinary, 142, 5)]
    assert codes == [204, 400, 404]
    assert client.get(f"{at}/142", **{"with": "descriptions"}).json()["descriptions"] == []
    assert len(embedded(client.get(at), "statuses")) == 6


def test_options_sent_without_id_are_made_anew(sandbox: Sandbox, client: Any) -> None:
    """Editing options keeps those sent with their id, makes those without, drops those left out."""
    source = sandbox.amocrm.field_id("leads", "Источник")
    before = client.get(f"leads/custom_fields/{source}").json()["enums"]
    sent = [{"id": before[0]["id"], "value": "Сайт"}, {"value": "Звонок"}]
    after = client.patch(f"leads/custom_fields/{source}", {"enums": sent}).json()["enums"]
    assert [enum["value"] for enum in after] == ["Сайт", "Звонок"]
    assert (after[0]["id"] == before[0]["id"], after[1]["id"] == before[1]["id"]) == (True, False)
    many = embedded(client.patch("leads/custom_fields", [{"id": source, "name": "Канал"}]), "custom_fields")
    assert [field["name"] for field in many] == ["Канал"]
    phone = sandbox.amocrm.field_id("contacts", "PHONE")
    codes = [client("DELETE", f"{kind}/{row}").status_code for kind, row in (("contacts/custom_fields", phone),)]
    assert (codes, client("DELETE", f"leads/custom_fields/{source}").status_code) == ([400], 204)


def test_a_page_of_fields_holds_fifty(client: Any) -> None:
    """Custom fields come 50 to a page whatever the limit, with totals and the last page."""
    client.post("leads/custom_fields", [{"name": f"f{i}", "type": "text"} for i in range(40)])
    answer = client.get("leads/custom_fields", limit=250).json()
    assert (len(answer["_embedded"]["custom_fields"]), answer["_total_items"], answer["_page_count"]) == (50, 58, 2)
    assert {"self", "next", "last"} == set(answer["_links"])
    texts = embedded(client.get("leads/custom_fields?filter[type]=url"), "custom_fields")
    assert [field["name"] for field in texts] == ["Сайт"]


def test_groups_of_fields(client: Any) -> None:
    """Groups of fields are text ids beside the general one."""
    made = embedded(client.post("leads/custom_fields/groups", [{"name": "Доставка"}]), "custom_field_groups")[0]
    listed = embedded(client.get("leads/custom_fields/groups"), "custom_field_groups")
    assert [group["id"] for group in listed] == ["default", made["id"]]


def test_sources_live(client: Any) -> None:
    """A source is made, read, changed and removed."""
    made = embedded(client.post("sources", [{"name": "Виджет", "external_id": "w"}]), "sources")[0]["id"]
    assert client.patch(f"sources/{made}", {"name": "Чат"}).json()["name"] == "Чат"
    assert [row["external_id"] for row in embedded(client.get("sources"), "sources")] == ["w"]
    assert client("DELETE", f"sources/{made}").status_code == 204
    assert client.get(f"sources/{made}").status_code == 204


def test_tags_are_made_once(sandbox: Sandbox, client: Any) -> None:
    """Posting a known name gives the known tag; tags are found by name and text."""
    first, second = (embedded(client.post("leads/tags", [{"name": "Горячий"}]), "tags")[0]["id"] for _ in range(2))
    client.post("leads/tags", [{"name": "Холодный"}])
    assert first == second
    assert [tag["name"] for tag in embedded(client.get("leads/tags?filter[name]=Горячий"), "tags")] == ["Горячий"]
    assert [tag["name"] for tag in embedded(client.get("leads/tags", query="холод"), "tags")] == ["Холодный"]
    lead = sandbox.amocrm.add_lead(name="a")
    client.patch(f"leads/{lead}", {"_embedded": {"tags": [{"id": first}]}})
    assert [tag["name"] for tag in sandbox.amocrm.leads[lead]["_embedded"]["tags"]] == ["Горячий"]
    assert client.patch(f"leads/{lead}", {"tags_to_add": [{"id": 5}]}).status_code == 400


def test_loss_reasons_live(client: Any) -> None:
    """A loss reason is made, read and removed."""
    made = embedded(client.post("leads/loss_reasons", [{"name": "Передумал"}]), "loss_reasons")[0]["id"]
    assert client.get(f"leads/loss_reasons/{made}").json()["name"] == "Передумал"
    assert len(embedded(client.get("leads/loss_reasons"), "loss_reasons")) == 4
    assert client("DELETE", f"leads/loss_reasons/{made}").status_code == 204
    assert client.get(f"leads/loss_reasons/{made}").status_code == 404


def test_roles_and_users_are_read_one_by_one(sandbox: Sandbox, client: Any) -> None:
    """Roles name their users; a removed user answers 404 and leaves the list while records keep the id."""
    manager = sandbox.amocrm.users[1]["id"]
    lead = sandbox.amocrm.add_lead(name="a", responsible_user_id=manager)
    role = embedded(client.get("roles"), "roles")[0]["id"]
    assert manager in client.get(f"roles/{role}", **{"with": "users"}).json()["_embedded"]["users"]
    assert client.get(f"users/{manager}", **{"with": "role"}).json()["_embedded"]["roles"][0]["id"] == role
    sandbox.amocrm.remove_user(manager)
    assert (client.get(f"users/{manager}").status_code, client.get("users").json()["_total_items"]) == (404, 3)
    assert client.get(f"leads/{lead}").json()["responsible_user_id"] == manager
    assert client.patch(f"leads/{lead}", {"responsible_user_id": manager}).status_code == 400


def test_elements_change_and_hang_on_leads(sandbox: Sandbox, client: Any) -> None:
    """Elements have fields of their catalog, change, and are linked to leads with a quantity."""
    catalog = embedded(client.post("catalogs", [{"name": "Товары"}]), "catalogs")[0]["id"]
    field = embedded(
        client.post(f"catalogs/{catalog}/custom_fields", [{"name": "SKU", "type": "text"}]), "custom_fields"
    )
    values = [{"field_id": field[0]["id"], "values": [{"value": "S-1"}]}]
    body = [{"name": "Стол", "custom_fields_values": values}]
    element = embedded(client.post(f"catalogs/{catalog}/elements", body), "elements")[0]["id"]
    changed = client.patch(f"catalogs/{catalog}/elements/{element}", {"name": "Стул"}).json()
    assert (changed["name"], changed["custom_fields_values"][0]["values"]) == ("Стул", [{"value": "S-1"}])
    lead = sandbox.amocrm.add_lead(name="a")
    metadata = {"quantity": 3, "catalog_id": catalog}
    client.post(
        f"leads/{lead}/link", [{"to_entity_id": element, "to_entity_type": "catalog_elements", "metadata": metadata}]
    )
    shown = client.get(f"leads/{lead}", **{"with": "catalog_elements"}).json()["_embedded"]["catalog_elements"]
    assert shown == [{"id": element, "metadata": metadata}]
    assert client.patch(f"catalogs/{catalog}", {"name": "Мебель"}).json()["name"] == "Мебель"


def test_links_of_many_records(sandbox: Sandbox, client: Any) -> None:
    """Links are read and made for many records at once; a bad pair refuses the request."""
    crm = sandbox.amocrm
    leads, contact = [crm.add_lead(name="a"), crm.add_lead(name="b")], crm.add_contact(name="c")
    body = [{"entity_id": lead, "to_entity_id": contact, "to_entity_type": "contacts"} for lead in leads]
    assert client.post("leads/link", [*body, {**body[0], "to_entity_id": 5}]).status_code == 400
    assert client.get(f"leads/{leads[0]}/links").status_code == 204
    assert len(embedded(client.post("leads/link", body), "links")) == 2
    query = "&".join(f"filter[entity_id][]={lead}" for lead in leads)
    assert [row["entity_id"] for row in embedded(client.get(f"leads/links?{query}"), "links")] == leads
    narrowed = f"filter[to_entity_id]={contact}&filter[to_entity_type]=contacts"
    assert len(embedded(client.get(f"leads/{leads[0]}/links?{narrowed}"), "links")) == 1
    assert client.post("contacts/5/link", body).status_code == 400


def test_batches_of_tasks_and_notes(sandbox: Sandbox, client: Any) -> None:
    """Tasks and notes change in batches, all or none."""
    crm = sandbox.amocrm
    lead = crm.add_lead(name="a")
    task, note = crm.add_task("x"), crm.add_note("leads", lead, "x")
    refused = client.patch("tasks", [{"id": task, "text": "y"}, {"id": 5, "text": "y"}])
    assert (refused.status_code, crm.tasks[task]["text"]) == (400, "x")
    assert embedded(client.patch("tasks", [{"id": task, "text": "y", "task_type_id": 2}]), "tasks")[0]["id"] == task
    assert (crm.tasks[task]["text"], crm.tasks[task]["task_type_id"]) == ("y", 2)
    params = {"text": "y"}
    assert client.patch("leads/notes", [{"id": note, "params": params}, {"id": 5}]).status_code == 400
    client.patch("leads/notes", [{"id": note, "params": params}])
    assert crm.notes[note]["params"] == params
    assert client.post(f"leads/{lead}/notes/{note}/pin", None).status_code == 204
    assert client.get(f"leads/notes/{note}", **{"with": "is_pinned"}).json()["is_pinned"] is True


def test_files_and_other_notes(sandbox: Sandbox, client: Any) -> None:
    """A file is read back in another shape than written; unknown types and states are refused."""
    lead = sandbox.amocrm.add_lead(name="a")
    params = {"file_uuid": "f", "version_uuid": "v", "file_name": "a.pdf"}
    client.post(f"leads/{lead}/notes", [{"note_type": "attachment", "params": params}])
    shown = embedded(client.get(f"leads/{lead}/notes"), "notes")[0]["params"]
    assert shown == {**params, "is_drive_attachment": True, "text": "a.pdf", "original_name": "a.pdf"}
    wrong = [
        {"note_type": "chat", "params": {}},
        {"note_type": "message_cashier", "params": {"status": "odd", "text": "x"}},
        {"note_type": "common"},
    ]
    faults = client.post(f"leads/{lead}/notes", wrong).json()["validation-errors"]
    paths = [[fault["path"] for fault in item["errors"]] for item in faults]
    assert paths == [["note_type"], ["params.status"], ["params"]]


def test_incoming_leads_of_telephony_and_linking(sandbox: Sandbox, client: Any) -> None:
    """A call without a lead becomes an incoming one and can be joined to a lead that exists."""
    lead = sandbox.amocrm.add_lead(name="a")
    metadata = {"from": "pbx", "phone": "+79991112233", "called_at": 1, "duration": 5}
    metadata |= {"link": "https://a.example", "service_code": "s", "uniq": "u"}
    item = {"source_uid": "s", "source_name": "АТС", "metadata": metadata, "_embedded": {"contacts": [{"name": "b"}]}}
    made = embedded(client.post("leads/unsorted/sip", [item]), "unsorted")[0]
    assert client.get(f"leads/unsorted/{made['uid']}").json()["category"] == "sip"
    link = {"link": {"entity_id": lead, "entity_type": "leads"}, "user_id": sandbox.amocrm.users[0]["id"]}
    assert client.post(f"leads/unsorted/{made['uid']}/link", link).status_code == 200
    contact = made["_embedded"]["contacts"][0]["id"]
    shown = client.get(f"leads/{lead}", **{"with": "contacts"}).json()["_embedded"]["contacts"]
    assert ([row["id"] for row in shown], client.get("leads/unsorted").status_code) == ([contact], 204)
    assert client.post(f"leads/unsorted/{made['uid']}/accept", {}).status_code == 404


def test_incoming_leads_by_complex(sandbox: Sandbox, client: Any) -> None:
    """`leads/complex` with metadata makes an incoming lead; without its fields it is refused."""
    metadata = {"category": "forms", "form_id": 1, "form_name": "f", "form_page": "p", "form_sent_at": 1}
    body = [{"name": "a", "_embedded": {"metadata": metadata}}]
    lead = client.post("leads/complex", body).json()[0]["id"]
    incoming = sandbox.amocrm.pipelines[0]["statuses"][0]["id"]
    assert sandbox.amocrm.leads[lead]["status_id"] == incoming
    refused = client.post("leads/complex", [{"name": "a", "_embedded": {"metadata": {"category": "sip"}}}])
    assert refused.json()["validation-errors"][0]["errors"][0]["path"] == "_embedded.metadata.from"


def test_a_moved_account_can_be_asked_for(sandbox: Sandbox, client: Any) -> None:
    """The account's address is told to who holds a token of it."""
    crm = sandbox.amocrm
    where = client.session.get(f"{crm.base_url}/oauth2/account/subdomain", timeout=5)
    refresh = {"X-Refresh-Token": crm.issue_tokens()["refresh_token"]}
    again = client.session.get(f"{crm.base_url}/oauth2/account/current/subdomain", headers=refresh, timeout=5)
    unknown = client.session.get(f"{crm.base_url}/oauth2/account/current/subdomain", timeout=5)
    expected = {
        "id": crm.account_id,
        "subdomain": "romashka",
        "domain": "romashka.amocrm.ru",
        "top_level_domain": "ru",
    }
    assert (where.json(), again.json(), unknown.status_code) == (expected, expected, 401)
    crm.oauth.revoke_all()
    assert client.get("account").status_code == 401
