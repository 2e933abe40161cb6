"""Cards of Bitrix24 as programs work with them: links, searches, people, batches of changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from tests.adapters.bitrix24.access import application, connected

from crmkit import (
    Call,
    CallStatus,
    Company,
    Contact,
    Crm,
    Deal,
    Direction,
    Email,
    Kind,
    Lead,
    Note,
    Outcome,
    Phone,
    Ref,
    StageRef,
    Task,
)
from crmkit.adapter import Query
from crmkit.errors import ConfigError, NotFound, Rejected, Unsupported
from crmkit.models import Recording
from crmkit.settings import AccountSettings
from crmkit.webhook import Move
from crmkit.write import Verb, Write
from crmkit_bitrix24 import Bitrix24Adapter
from crmkit_bitrix24.adapter import Bitrix24Connection
from crmkit_sandbox.bitrix24.seed import add_preset
from crmkit_testing.bitrix24 import Bitrix24Side
from crmkit_testing.side import ACCOUNT

NOON = datetime(2026, 3, 2, 9, tzinfo=UTC)
IVAN, PETR = Phone(raw="+79123456789"), Phone(raw="+79123456780")


@pytest.fixture
def connection(side: Bitrix24Side, tmp_path: Path) -> Bitrix24Connection:
    """An application in the portal."""
    return connected(side, application(side), tmp_path)


@pytest.fixture
def crm(connection: Bitrix24Connection) -> Crm:
    """The portal as a handler sees it."""
    return Crm(connection)


def test_a_company_is_made_with_its_people(crm: Crm, connection: Bitrix24Connection) -> None:
    """Each person then belongs to it, and it lists them."""
    people = tuple(crm.contacts.create(Contact(name=name)) for name in ("Иван", "Пётр"))
    company = crm.companies.create(Company(name="ООО «Свет»", site="https://svet.example", contacts=people))
    found = crm.companies.get(company)
    assert (set(found.contacts), found.site) == (set(people), "https://svet.example")
    members = connection.find(Kind.CONTACT, Query(company=company))
    assert {person.ref for person in members} == set(people)
    assert {crm.contacts.get(person).company for person in people} == {company}


def test_a_contact_leaves_its_company(crm: Crm) -> None:
    """No company is written as none, and the day of birth comes back as a day."""
    company = crm.companies.create(Company(name="ООО «Свет»"))
    person = crm.contacts.create(Contact(name="Иван", company=company, birthday=date(1990, 5, 6)))
    before = crm.contacts.get(person)
    crm.contacts.update(person, {"company": None})
    assert (before.company, before.birthday) == (company, date(1990, 5, 6))
    assert crm.contacts.get(person).company is None


def test_deals_and_leads_are_linked_with_people_and_companies(crm: Crm) -> None:
    """Every pair that the portal connects, from either side, and cut again."""
    person, company = crm.contacts.create(Contact(name="Иван")), crm.companies.create(Company(name="ООО «Свет»"))
    deal, lead = crm.deals.create(Deal(title="Окна")), crm.leads.create(Lead(title="Заявка"))
    crm.companies.link(company, deal)
    crm.leads.link(lead, person)
    crm.leads.link(lead, company)
    linked = crm.leads.get(lead)
    found = [one.ref for one in crm.deals.find(company=company)]
    crm.deals.unlink(deal, company)
    crm.leads.unlink(lead, company)
    crm.leads.unlink(lead, person)
    cut = crm.leads.get(lead)
    assert (found, linked.contact, linked.company) == ([deal], person, company)
    assert (crm.deals.get(deal).company, cut.contact, cut.company) == (None, None, None)


def test_a_pair_that_is_not_connected_is_rejected(crm: Crm, connection: Bitrix24Connection) -> None:
    """The error says which pairs are; a link of nothing is one too."""
    one, other = crm.deals.create(Deal(title="Окна")), crm.deals.create(Deal(title="Двери"))
    for write in (Write(Verb.LINK, Kind.DEAL, ref=one, others=(other,)), Write(Verb.LINK, Kind.DEAL, others=(one,))):
        with pytest.raises(Rejected) as refused:
            connection.write(write)
        assert refused.value.remedy


def test_a_deal_changes_its_pipeline_with_its_stage(side: Bitrix24Side, crm: Crm) -> None:
    """In one write; the stage of the second pipeline keeps its prefix, and its end wins."""
    deal = crm.deals.create(Deal(title="Окна"))
    crm.deals.update(deal, {"stage": StageRef(pipeline_id="1", stage_id="WON")})
    found = crm.deals.get(deal)
    pipelines = {pipeline.ref.id: pipeline for pipeline in crm.pipelines.iterate()}
    assert (found.stage, found.outcome) == (StageRef(pipeline_id="1", stage_id="C1:WON"), Outcome.WON)
    assert [stage.ref.stage_id for stage in pipelines["1"].stages] == ["C1:NEW", "C1:UC_PICK", "C1:WON", "C1:LOSE"]
    assert (pipelines["0"].is_main, pipelines["1"].is_main) == (True, False)
    assert crm.pipelines.get(crm.ref(Kind.PIPELINE, 1)) == pipelines["1"]


def test_phones_of_many_change_though_one_of_them_is_gone(crm: Crm) -> None:
    """The others get theirs; who is gone says so."""
    ivan, petr = (crm.contacts.create(Contact(name=name, phones=(IVAN,))) for name in ("Иван", "Пётр"))
    gone = crm.ref(Kind.CONTACT, 999)
    result = crm.contacts.update_many({ref: {"phones": (PETR,), "emails": ()} for ref in (ivan, gone, petr)})
    assert result.done == {0: ivan, 2: petr}
    assert [(failure.index, type(failure.error), failure.error.ref) for failure in result.failed] == [
        (1, NotFound, str(gone))
    ]
    assert [[phone.e164 for phone in crm.contacts.get(ref).phones] for ref in (ivan, petr)] == [["+79123456780"]] * 2


def test_a_change_of_phones_of_one_that_is_gone_is_not_found(crm: Crm) -> None:
    """Named by its address."""
    gone = crm.ref(Kind.CONTACT, 999)
    with pytest.raises(NotFound) as missing:
        crm.contacts.update(gone, {"phones": (IVAN,)})
    assert missing.value.ref == str(gone)


def test_a_change_that_changes_nothing_asks_for_nothing(side: Bitrix24Side, crm: Crm) -> None:
    """The same phones are no write: only the card is read."""
    person = crm.contacts.create(Contact(name="Иван", phones=(IVAN,)))
    before = side.requests()
    crm.contacts.update(person, {"phones": (IVAN,)})
    assert side.requests() - before == 1


@pytest.mark.parametrize("name", ["Мария Петровна Зимина", "мария петровна зимина", "Мария"])
def test_a_person_is_found_by_the_whole_name(crm: Crm, name: str) -> None:
    """However its parts lie in the card, in any case; a part alone is another name."""
    whole = crm.contacts.create(Contact(first_name="Мария", middle_name="Петровна", last_name="Зимина"))
    short = crm.contacts.create(Contact(first_name="Мария"))
    assert [one.ref for one in crm.contacts.find(name=name)] == [short if name == "Мария" else whole]


def test_people_are_found_by_owner(crm: Crm, connection: Bitrix24Connection) -> None:
    """Alone, or with a name."""
    mine = crm.contacts.create(Contact(name="Иван Петров", owner_id="2"))
    crm.contacts.create(Contact(name="Иван Петров", owner_id="3"))
    queries = (Query(owner_id="2"), Query(name="Иван Петров", owner_id="2"))
    assert [[one.ref for one in connection.find(Kind.CONTACT, query)] for query in queries] == [[mine], [mine]]


def test_leads_are_found_by_phone_and_mail(connection: Bitrix24Connection, crm: Crm) -> None:
    """By the same search as people."""
    lead = crm.leads.create(Lead(title="Заявка", phones=(IVAN,), emails=(Email(value="a@example.com"),)))
    found = [connection.find(Kind.LEAD, query) for query in (Query(phone="89123456789"), Query(email="A@example.com"))]
    assert [[one.ref for one in records] for records in found] == [[lead], [lead]]


def test_deals_are_found_by_name_and_owner(crm: Crm, connection: Bitrix24Connection) -> None:
    """All that is asked must match; what the portal cannot look for is refused with a way out."""
    deal = crm.deals.create(Deal(title="Окна", owner_id="2"))
    crm.deals.create(Deal(title="Окна", owner_id="3"))
    assert [one.ref for one in connection.find(Kind.DEAL, Query(name="Окна", owner_id="2"))] == [deal]
    for kind, query in ((Kind.DEAL, Query(phone="+79123456789")), (Kind.USER, Query()), (Kind.DEAL, Query())):
        with pytest.raises(Unsupported):
            connection.find(kind, query)
    with pytest.raises(Unsupported):
        connection.find(Kind.NOTE, Query(about=crm.ref(Kind.TASK, 1)))


def test_tasks_are_found_by_owner_and_state(crm: Crm) -> None:
    """Open ones of one person; a to-do that is made done is done."""
    deal = crm.deals.create(Deal(title="Окна"))
    mine = crm.tasks.create(Task(text="Раз", about=deal, due=NOON, owner_id="2"))
    done = crm.tasks.create(Task(text="Два", about=deal, due=NOON, owner_id="2", is_done=True))
    crm.tasks.create(Task(text="Три", about=deal, due=NOON, owner_id="3"))
    assert [task.ref for task in crm.tasks.find(owner_id="2", is_open=True)] == [mine]
    assert [task.ref for task in crm.tasks.find(owner_id="2", is_open=False)] == [done]


def test_calls_are_walked_from_a_moment_and_behind_a_cursor(
    side: Bitrix24Side, crm: Crm, connection: Bitrix24Connection
) -> None:
    """All calls, those since a moment, and those behind a page."""
    side.portal.call("+79123456789", duration=10)
    side.turn(3600)
    side.portal.call("+79123456780", direction="out", duration=20)
    everything = [record for page in connection.pages(Kind.CALL) for record in page.records]
    fresh = [record.ref for page in connection.pages(Kind.CALL, updated_since=NOON) for record in page.records]
    behind = [record.ref for page in connection.pages(Kind.CALL, cursor="1") for record in page.records]
    assert [(one.direction, one.talk_s) for one in everything if isinstance(one, Call)] == [
        (Direction.IN, 10),
        (Direction.OUT, 20),
    ]
    assert behind == [everything[1].ref]
    assert fresh[-1] == everything[1].ref


def test_a_call_is_logged_on_the_card_that_is_named(crm: Crm) -> None:
    """The card of the call itself is taken before any search; its recording is attached."""
    company = crm.companies.create(Company(name="ООО «Свет»", phones=(IVAN,)))
    call = Call(
        phone=PETR,
        direction=Direction.OUT,
        status=CallStatus.ANSWERED,
        talk_s=5,
        company=company,
        recording=Recording(url="https://records.example/1.mp3"),
    )
    logged = crm.calls.log(call)
    assert logged is not None
    assert (crm.calls.get(logged).company, crm.calls.get(logged).talk_s) == (company, 5)


def test_what_a_call_lacks_is_told(crm: Crm, connection: Bitrix24Connection) -> None:
    """A call without a number is refused by field; a logged call cannot be changed."""
    with pytest.raises(Rejected) as refused:
        crm.calls.log(Call(direction=Direction.IN))
    with pytest.raises(Unsupported):
        connection.write(Write(Verb.UPDATE, Kind.CALL, ref=crm.ref(Kind.CALL, "a.1"), changes={}))
    assert list(refused.value.fields) == ["phone"]


def test_what_is_no_card_cannot_be_written(crm: Crm, connection: Bitrix24Connection) -> None:
    """Users and pipelines belong to the portal's settings; a change names its record; a remark stands on a card."""
    with pytest.raises(Unsupported):
        connection.write(Write(Verb.DELETE, Kind.USER, ref=crm.ref(Kind.USER, 1)))
    with pytest.raises(Rejected):
        connection.write(Write(Verb.UPDATE, Kind.DEAL, changes={"title": "Окна"}))
    with pytest.raises(Rejected):
        connection.write(Write(Verb.CREATE, Kind.NOTE, record=Note(text="Раз")))


def test_merging_needs_cards_of_one_kind(crm: Crm, connection: Bitrix24Connection) -> None:
    """Neither to-dos nor a person and a company are merged, nor a card with nobody."""
    deal, person = crm.deals.create(Deal(title="Окна")), crm.contacts.create(Contact(name="Иван"))
    for others in ((person,), ()):
        with pytest.raises(Rejected):
            connection.write(Write(Verb.MERGE, Kind.DEAL, ref=deal, others=others))
    task = crm.ref(Kind.TASK, 1)
    with pytest.raises(Unsupported):
        connection.write(Write(Verb.MERGE, Kind.TASK, ref=task, others=(task,)))


def test_records_of_other_accounts_are_not_ours(connection: Bitrix24Connection) -> None:
    """An address of another account, a senseless id and one that is gone give nothing."""
    refs = [Ref("other", Kind.DEAL, "1"), Ref(ACCOUNT, Kind.DEAL, "abc"), Ref(ACCOUNT, Kind.NOTE, "7")]
    assert list(connection.load([*refs, Ref(ACCOUNT, Kind.TASK, "task.7"), Ref(ACCOUNT, Kind.CALL, "x.1")])) == []


def test_users_are_loaded_by_their_ids(crm: Crm) -> None:
    """With their internal number; our own one says whether it is an administrator; a stranger is nobody."""
    users = crm.users.get_many([crm.ref(Kind.USER, number) for number in (1, 2, 99)])
    assert [(user.name, user.extension, user.is_admin) for user in users.values()] == [
        ("Вера Лебедева", "101", True),
        ("Олег Нечаев", "102", False),
    ]


def test_settings_of_another_vendor_are_refused() -> None:
    """Before any call."""
    with pytest.raises(ConfigError):
        Bitrix24Adapter().limits(AccountSettings(key="okna", vendor="amocrm", base_url="https://okna.amocrm.ru"))


def test_the_feed_tells_more_than_a_page_of_moves(side: Bitrix24Side, crm: Crm, connection: Bitrix24Connection) -> None:
    """A hundred and twenty deals dragged at once: each with the stage it came from."""
    deals = [side.portal.add_deal(title=f"Сделка {number}") for number in range(120)]
    side.turn(60)
    cursor = connection.feed(None).cursor
    side.turn(10)
    for deal in deals:
        side.portal.move_deal(deal, "EXECUTING")
    side.turn(10)
    moves: dict[str, Move] = {}
    for _ in range(10):
        page = connection.feed(cursor)
        moves |= {hint.ref.id: hint.move for hint in page.hints if hint.move is not None}
        cursor = page.cursor
        if page.is_last:
            break
    assert sorted(moves) == sorted(str(deal) for deal in deals)
    assert {move.from_stage for move in moves.values()} == {("0", "NEW")}
    side.turn(timedelta(hours=1).total_seconds())
    assert [hint for hint in connection.feed(cursor).hints if hint.move is not None] == []


@pytest.mark.parametrize(("inn", "word"), [("7701234567", "COMPANY"), ("770123456789", "INDIVIDUAL")])
def test_requisites_are_made_by_the_portals_own_template(side: Bitrix24Side, crm: Crm, inn: str, word: str) -> None:
    """Templates have other numbers in each portal; organisations and people in business have one each."""
    presets = side.portal.portal.shelves["presets"]
    kept = [{**row, "id": number + 40, "ID": str(number + 40)} for number, row in presets.items()]
    presets.clear()
    presets.update({row["id"]: row for row in reversed(kept)})
    crm.companies.create(Company(name="Свет", inn=inn))
    [made] = side.portal.requisites.values()
    template = presets[int(made["PRESET_ID"])]
    assert (made["RQ_INN"], template["XML_ID"]) == (inn, f"#CRM_REQUISITE_PRESET_DEF_RU_{word}#")


def test_a_template_of_the_portals_own_making_will_do(side: Bitrix24Side, crm: Crm) -> None:
    """Where the vendor's templates were switched off, the first active one is taken; without any the reason is told."""
    presets = side.portal.portal.shelves["presets"]
    for number, row in list(presets.items()):
        presets[number] = {**row, "ACTIVE": "N"}
    company = crm.companies.create(Company(name="Свет"))
    with pytest.raises(Rejected) as refused:
        crm.companies.update(company, {"inn": "7701234567"})
    own = add_preset(side.portal.portal, "Наши реквизиты")
    crm.companies.update(company, {"inn": "7701234567"})
    assert refused.value.fields == {"inn": "the portal has no active template of requisites"}
    assert [(row["PRESET_ID"], row["RQ_INN"]) for row in side.portal.requisites.values()] == [(str(own), "7701234567")]
