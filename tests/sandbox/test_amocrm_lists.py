"""Lists of the emulated amoCRM: pages, filters, orders, empty answers."""

from typing import Any

from crmkit_sandbox import Sandbox


def ids(response: Any, kind: str = "leads") -> list[int]:
    return [row["id"] for row in response.json()["_embedded"][kind]]


def test_pages_follow_next_to_the_end(sandbox: Sandbox, client: Any) -> None:
    """Following `_links.next` gives every lead once, in the order of ids, and keeps the caller's parameters."""
    made = list(sandbox.amocrm.bulk_leads(601))
    seen, url, pages = [], "leads?limit=250&order[id]=asc&with=contacts", 0
    while url:
        answer = client.get(url)
        assert answer.headers["Content-Type"].startswith("application/hal+json")
        seen += ids(answer)
        assert all("contacts" in row["_embedded"] for row in answer.json()["_embedded"]["leads"])
        url, pages = answer.json()["_links"].get("next", {}).get("href"), pages + 1
    assert (seen, pages) == (made, 3)


def test_the_usual_page_holds_fifty(sandbox: Sandbox, client: Any) -> None:
    """Without `limit` a page holds 50 records and says that there is another."""
    sandbox.amocrm.bulk_leads(51)
    answer = client.get("leads").json()
    assert (answer["_page"], len(answer["_embedded"]["leads"]), "next" in answer["_links"]) == (1, 50, True)
    second = client.get("leads", page=2).json()
    assert set(second["_links"]) == {"self", "first", "prev"}


def test_nothing_is_204_without_a_body(client: Any) -> None:
    """Empty lists, pages past the end and unknown ids answer 204 without a body."""
    for path in ("leads", "leads?page=7", "leads/1", "contacts/1", "tasks/1", "leads/notes", "leads/notes/1", "events"):
        answer = client.get(path)
        assert (path, answer.status_code, answer.content) == (path, 204, b"")


def test_more_than_250_on_a_page_is_refused(sandbox: Sandbox, client: Any) -> None:
    """A limit above 250 answers 422 as a write of too many items does."""
    sandbox.amocrm.bulk_leads(1)
    answer = client.get("leads", limit=251)
    assert (answer.status_code, answer.json()["detail"]) == (422, "Limit 250 per page")


def test_filters_choose_and_combine(frozen: Sandbox, client: Any) -> None:
    """Documented filters narrow the list, together they narrow it further."""
    crm = frozen.amocrm
    main, other = crm.pipelines
    stages = [status["id"] for status in main["statuses"] if status["type"] == 0]
    users = [user["id"] for user in crm.users]
    first = crm.add_lead(name="a", price=100, status_id=stages[0], responsible_user_id=users[0])
    frozen.clock.advance(10)
    second = crm.add_lead(name="b", price=200, status_id=stages[1], responsible_user_id=users[1])
    frozen.clock.advance(10)
    third = crm.add_lead(name="c", price=300, pipeline_id=other["id"], responsible_user_id=users[1])
    start = 1_760_000_000
    cases: list[tuple[str, list[int]]] = [
        (f"filter[id][]={first}&filter[id][]={third}&filter[id][]=5", [first, third]),
        (f"filter[id]={first},{second}", [first, second]),
        (f"filter[updated_at][from]={start + 1}&filter[updated_at][to]={start + 10}", [second]),
        (f"filter[updated_at]={start + 10}", [second, third]),
        ("filter[price][from]=150", [second, third]),
        ("filter[price]=100", [first]),
        (f"filter[responsible_user_id][]={users[1]}", [second, third]),
        (f"filter[responsible_user_id]={users[1]}&filter[pipeline_id]={main['id']}", [second]),
        (f"filter[statuses][0][pipeline_id]={main['id']}&filter[statuses][0][status_id]={stages[1]}", [second]),
        ("filter[name]=c", [third]),
        ("order[updated_at]=desc", [third, second, first]),
        ("order[id]=desc&limit=1", [third]),
        ("query=B", [second]),
    ]
    found = [(query, ids(client.get(f"leads?{query}"))) for query, _ in cases]
    assert found == cases
    assert client.get("leads?filter[id]=5").status_code == 204


def test_custom_field_filters(sandbox: Sandbox, client: Any) -> None:
    """Custom fields filter by value and by range."""
    crm = sandbox.amocrm
    city, sum_ = crm.field_id("leads", "Город"), crm.field_id("leads", "Сумма предоплаты")
    kazan = crm.add_lead(name="a", custom_fields={"Город": "Казань", "Сумма предоплаты": 10})
    omsk = crm.add_lead(name="b", custom_fields={"Город": "Омск", "Сумма предоплаты": 90})
    assert ids(client.get(f"leads?filter[custom_fields_values][{city}][]=Омск")) == [omsk]
    assert ids(client.get(f"leads?filter[custom_fields_values][{sum_}][to]=50")) == [kazan]


def test_an_unknown_filter_does_nothing_and_is_noted(sandbox: Sandbox, client: Any) -> None:
    """A parameter that means nothing is ignored, and the log of calls says so."""
    made = sandbox.amocrm.add_lead(name="a")
    assert ids(client.get("leads?filter[colour]=red&sort=up")) == [made]
    assert sandbox.amocrm.requests[-1].ignored == ("filter[colour]", "sort")


def test_search_finds_phones_by_digits(sandbox: Sandbox, client: Any) -> None:
    """A phone is found however it is typed, also among records that were made in bulk."""
    typed = sandbox.amocrm.add_contact(name="Пётр", phones=["8 (999) 111-22-33"], emails=["p@mail.example"])
    bulk = sandbox.amocrm.bulk_contacts(1000)
    assert ids(client.get("contacts", query="+79991112233"), "contacts") == [typed]
    assert ids(client.get("contacts", query="9991112233"), "contacts") == [typed]
    assert ids(client.get("contacts", query="p@mail.example"), "contacts") == [typed]
    assert ids(client.get("contacts", query="+79210000777"), "contacts") == [bulk[777]]
    sandbox.amocrm.update_contact(typed, phones=["+7 900 000-00-01"])
    assert client.get("contacts", query="9991112233").status_code == 204


def test_deleted_records_are_only_listed_on_demand(sandbox: Sandbox, client: Any) -> None:
    """A deleted lead answers 204 and appears, shortened, under `with=only_deleted`."""
    lead = sandbox.amocrm.add_lead(name="a")
    sandbox.amocrm.delete_lead(lead)
    assert (client.get("leads").status_code, client.get(f"leads/{lead}").status_code) == (204, 204)
    row = client.get("leads", **{"with": "only_deleted"}).json()["_embedded"]["leads"][0]
    assert (set(row), row["id"], row["is_deleted"]) == (
        {"id", "updated_at", "updated_by", "is_deleted", "_links"},
        lead,
        True,
    )


def test_a_change_moves_a_record_in_lists_by_time(frozen: Sandbox, client: Any) -> None:
    """After a change a record made in bulk comes last by `updated_at`."""
    made = frozen.amocrm.bulk_leads(300)
    frozen.clock.advance(60)
    frozen.amocrm.update_lead(made[5], price=1)
    answer = client.get(f"leads?filter[updated_at][from]={1_760_000_000 - 7}&order[updated_at]=asc")
    assert ids(answer) == [made[299], made[5]]
    assert answer.json()["_embedded"]["leads"][1]["price"] == 1
