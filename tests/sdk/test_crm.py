"""`Crm` and its ports, on the CRM in memory."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from crmkit import (
    Account,
    Ambiguous,
    BatchResult,
    Call,
    CallStatus,
    Capability,
    Company,
    Contact,
    Deal,
    Kind,
    Level,
    Note,
    NotFound,
    Phone,
    Ref,
    Rejected,
    Task,
    Unsupported,
)
from crmkit.adapter import Failure
from crmkit.testing import MemoryCrm, MemoryWorld, Reading, connection
from crmkit.write import Verb


@pytest.fixture
def memory() -> MemoryCrm:
    """One account with nothing in it but its employees, pipelines and fields."""
    return MemoryCrm()


def test_a_record_that_does_not_exist_is_named(memory: MemoryCrm) -> None:
    """`get` raises NotFound with the address and a remedy; `get_many` leaves it out."""
    gone = memory.crm.ref(Kind.DEAL, 404)
    there = memory.person.add_deal("Окна")
    with pytest.raises(NotFound) as missing:
        memory.crm.deals.get(gone)
    assert str(missing.value) == (
        "acme/deal:404 does not exist or is not visible to us [account acme, acme/deal:404, memory]. "
        "It may have been deleted or merged; look it up by phone or name."
    )
    assert list(memory.crm.deals.get_many([gone, there, there])) == [there]


def test_a_port_reads_records_of_its_own_account_and_kind_only() -> None:
    """The same number in another account or of another kind is somebody else's record, and is not asked for."""
    world = MemoryWorld()
    acme, beta = MemoryCrm("acme", world=world), MemoryCrm("beta", world=world)
    deal = acme.person.add_deal("Окна")
    beta.person.add_deal("Двери")
    for port, ref in ((beta.crm.deals, deal), (acme.crm.contacts, deal)):
        with pytest.raises(NotFound, match=f"acme/deal:{deal.id} is no "):
            port.get(ref)
    assert beta.crm.deals.get_many([deal]) == {}
    assert world.count(Reading.LOAD) == 0


def test_a_port_writes_records_of_its_own_account_and_kind_only() -> None:
    """Every verb refuses a foreign address before anything is sent."""
    world = MemoryWorld()
    acme, beta = MemoryCrm("acme", world=world), MemoryCrm("beta", world=world)
    foreign, own = acme.person.add_deal("Окна"), beta.person.add_deal("Двери")
    deals = beta.crm.deals
    for write in (
        lambda: deals.update(foreign, {"title": "Чужое"}),
        lambda: deals.update_many({own: {"title": "Своё"}, foreign: {"title": "Чужое"}}),
        lambda: deals.delete(foreign),
        lambda: deals.link(foreign, own),
        lambda: deals.unlink(foreign, own),
        lambda: deals.merge(own, [foreign]),
        lambda: beta.crm.tasks.complete(own),
    ):
        with pytest.raises(NotFound, match="is no"):
            write()
    assert [deals.get(own).title, acme.crm.deals.get(foreign).title] == ["Двери", "Окна"]
    assert [asked.verb for asked in world.asked if asked.account == "beta"] == [Reading.LOAD]


def test_a_contact_is_found_by_any_spelling_of_the_phone(memory: MemoryCrm) -> None:
    """`find` gives all that match, `find_one` one or none."""
    maria = memory.person.add_contact("Мария", phone="8 (912) 345-67-89")
    memory.person.add_contact("Пётр", phone="+79990001122")
    contacts = memory.crm.contacts
    assert [found.ref for found in contacts.find(phone="+7 912 345 67 89")] == [maria]
    found = contacts.find_one(phone="89123456789")
    assert found is not None
    assert found.ref == maria
    assert contacts.find_one(phone="+79000000000") is None


def test_two_that_match_are_ambiguous(memory: MemoryCrm) -> None:
    """`find_one` does not choose: the error names what was asked for and everybody who matches."""
    first = memory.person.add_contact("Мария", email="m@example.com")
    second = memory.person.add_contact("Мария П.", email="M@example.com")
    with pytest.raises(Ambiguous) as several:
        memory.crm.contacts.find_one(email="m@example.com")
    assert several.value.matches == (str(first), str(second))
    assert str(several.value) == (
        "2 records of kind contact match {'email': 'm@example.com'} [account acme, memory]. "
        "Use find() and choose, or merge the duplicates."
    )


def test_a_company_is_found_by_its_tax_number(memory: MemoryCrm) -> None:
    """Leading zeros count."""
    ref = memory.crm.companies.create(Company(name="ООО", inn="0012345678"))
    found = memory.crm.companies.find_one(inn="0012345678")
    assert found is not None
    assert (found.ref, memory.crm.companies.find(inn="12345678")) == (ref, [])


def test_iterate_gives_each_record_once_while_pages_shift(memory: MemoryCrm) -> None:
    """A record that a page shows again, because it was changed meanwhile, is not given twice."""
    memory.world.page_size = 2
    start = memory.world.clock.now()
    refs = [memory.person.add_deal(f"{number}") for number in range(5)]
    seen = []
    for deal in memory.crm.deals.iterate(updated_since=start):
        seen.append(deal.ref)
        if len(seen) == 2:
            memory.advance(timedelta(seconds=5))
            memory.person.change(refs[0], {"title": "снова"})
    assert seen == refs


def test_a_moment_without_a_zone_is_refused_at_once(memory: MemoryCrm) -> None:
    """Not with the first record, when the loop may be far away."""
    with pytest.raises(ValueError, match="has no time zone"):
        memory.crm.deals.iterate(updated_since=datetime(2026, 3, 2))


def test_a_batch_says_per_record_what_became_of_it(memory: MemoryCrm) -> None:
    """A refused item does not stop the others; places are those of the input."""
    due = memory.world.clock.now()
    made = memory.crm.tasks.create_many(
        [
            Task(text="Раз", due=due),
            Task(text="Два", task_type="1", about=Ref("acme", Kind.DEAL, "404")),
            Task(text="Три"),
        ]
    )
    assert (sorted(made.done), [one.index for one in made.failed]) == ([0, 2], [1])
    assert isinstance(made.failed[0].error, Rejected)
    assert [memory.crm.tasks.get(ref).text for ref in made.done.values()] == ["Раз", "Три"]


def test_a_batch_of_changes_keeps_the_order_of_the_mapping(memory: MemoryCrm) -> None:
    """The place of a failure is the place of its record in the mapping."""
    first, gone, last = memory.person.add_deal("1"), Ref("acme", Kind.DEAL, "404"), memory.person.add_deal("3")
    result = memory.crm.deals.update_many({last: {"title": "c"}, gone: {"title": "b"}, first: {"title": "a"}})
    assert result == BatchResult({0: last, 2: first}, (Failure(1, result.failed[0].error),))
    assert isinstance(result.failed[0].error, NotFound)
    assert [memory.crm.deals.get(ref).title for ref in (first, last)] == ["a", "c"]


def test_an_empty_batch_asks_nothing(memory: MemoryCrm) -> None:
    """Nothing to do is done."""
    assert memory.crm.deals.create_many([]) == BatchResult()
    assert memory.crm.deals.get_many([]) == {}
    assert memory.world.asked == []


def test_a_task_is_done_with_what_came_of_it(memory: MemoryCrm) -> None:
    """`complete` marks the task; the result is written where there is one."""
    with_result, without = memory.person.add_task("Раз"), memory.person.add_task("Два")
    memory.crm.tasks.complete(with_result, "договорились")
    memory.crm.tasks.complete(without)
    tasks = [memory.crm.tasks.get(ref) for ref in (with_result, without)]
    assert [(task.is_done, task.result) for task in tasks] == [(True, "договорились"), (True, None)]
    assert memory.crm.tasks.find(is_open=True) == []


def test_what_is_on_a_record_is_found_by_it(memory: MemoryCrm) -> None:
    """Deals by contact, tasks, notes and calls by the record they are about."""
    crm = memory.crm
    maria = memory.person.add_contact("Мария", phone="+79123456789")
    deal = memory.person.add_deal("Окна", contact=maria)
    task = crm.tasks.create(Task(text="Раз", about=deal))
    note = crm.notes.create(Note(text="Два", about=deal))
    call = crm.calls.log(Call(phone=Phone(raw="+79123456789"), status=CallStatus.MISSED))
    found = [crm.deals.find(contact=maria, is_open=True), crm.tasks.find(about=deal), crm.notes.find(about=deal)]
    assert [[record.ref for record in records] for records in found] == [[deal], [task], [note]]
    assert [record.ref for record in crm.calls.find(about=maria)] == [call]


def test_a_call_of_a_stranger_is_not_logged(memory: MemoryCrm) -> None:
    """The CRM knows nobody with that number: there is no card to log it on."""
    assert memory.crm.calls.log(Call(phone=Phone(raw="+79990000000"))) is None


def test_links_are_made_and_undone(memory: MemoryCrm) -> None:
    """Linking twice changes nothing more; both sides show it."""
    maria, deal = memory.person.add_contact("Мария"), memory.person.add_deal("Окна")
    memory.crm.deals.link(deal, maria)
    memory.crm.deals.link(deal, maria)
    linked = memory.crm.deals.get(deal).contacts
    memory.crm.deals.unlink(deal, maria)
    assert (linked, memory.crm.deals.get(deal).contacts) == ((maria,), ())


def test_a_merge_leaves_the_survivor(memory: MemoryCrm) -> None:
    """The losers are gone, their numbers are the survivor's."""
    keep, lose = memory.person.add_contact("Мария", phone="+79123456789"), memory.person.add_contact("М.")
    memory.crm.contacts.merge(keep, [lose])
    assert list(memory.crm.contacts.get_many([keep, lose])) == [keep]


def test_a_deleted_record_is_not_found(memory: MemoryCrm) -> None:
    """`delete` deletes."""
    ref = memory.person.add_deal("Окна")
    memory.crm.deals.delete(ref)
    assert memory.crm.deals.get_many([ref]) == {}


def test_users_are_found_by_e_mail_and_by_any_spelling_of_their_phone(memory: MemoryCrm) -> None:
    """Case, blanks and the way a number is written do not matter; everything given must match."""
    state = memory.world.account("acme")
    boris = state.records[Ref("acme", Kind.USER, "2")].model_copy(update={"phone": Phone(raw="8 (912) 345-67-89")})
    state.put(boris)
    users = memory.crm.users
    ids = [
        [user.ref.id for user in found]
        for found in (
            users.find(email=" BORIS@example.com "),
            users.find(phone="+79123456789"),
            users.find(phone="8 912 345 67 89", email="boris@example.com"),
            users.find(phone="+79123456789", email="anna@example.com"),
            users.find(phone="101"),
        )
    ]
    assert ids == [["2"], ["2"], ["2"], [], []]


def test_a_capability_is_asked_for_before_it_is_used(memory: MemoryCrm, monkeypatch: pytest.MonkeyPatch) -> None:
    """`require` passes for what the account has and names what it has not."""
    without = {**connection.CAPABILITIES, Capability.FILES: Level.ABSENT}
    monkeypatch.setattr(connection, "CAPABILITIES", without)
    memory.crm.require(Capability.TASKS)
    assert (memory.crm.supports(Capability.TASKS), memory.crm.supports(Capability.FILES)) == (
        Level.NATIVE,
        Level.ABSENT,
    )
    with pytest.raises(Unsupported) as missing:
        memory.crm.require(Capability.FILES)
    assert str(missing.value) == (
        "memory cannot do files [account acme, memory]. "
        "Ask crm.supports(...) first, or name it in the extension's requires=."
    )


def test_the_native_door_and_the_account_are_the_connections(memory: MemoryCrm) -> None:
    """`call` passes through, `account` is what the CRM says of itself, `ref` makes addresses of this account."""
    deal = memory.person.add_deal("Окна")
    body = memory.crm.call("GET", f"/deal/{deal.id}")
    assert isinstance(body, dict)
    assert body["title"] == "Окна"
    account = memory.crm.account
    assert isinstance(account, Account)
    assert (account.key, account.vendor, memory.crm.ref(Kind.DEAL, int(deal.id))) == ("acme", "memory", deal)


def test_the_marker_goes_with_the_write() -> None:
    """`once=` reaches the connection: a CRM with keys of its own creates once by it."""
    world = MemoryWorld()
    world.has_native_keys = True
    crm = MemoryCrm(world=world).crm
    first = crm.contacts.create(Contact(name="Мария"), once="contact:+79123456789")
    second = crm.contacts.create(Contact(name="Мария"), once="contact:+79123456789")
    assert first == second
    assert world.count(Verb.CREATE, Kind.CONTACT) == 2


def test_what_was_created_is_read_back_by_its_address(memory: MemoryCrm) -> None:
    """`create` gives the address of the record that `get` and `find` show."""
    ref = memory.crm.deals.create(Deal(title="Окна", owner_id="2"), extra={"price": 5})
    deal = memory.crm.deals.get(ref)
    assert (deal.title, [found.ref for found in memory.crm.deals.find(owner_id="2")]) == ("Окна", [ref])
