"""The desk: what a handler keeps and looks up beside the CRM."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from crmkit.assignment import Choice
from crmkit.events import DealCreated
from crmkit.extension import Context, Extension
from crmkit.models import Contact, Task
from crmkit.settings import NoSettings
from crmkit.values import Kind, Ref
from crmkit_runtime import mirror
from crmkit_runtime.desk import DeskMirror, DeskStore
from crmkit_runtime.index import DeskIndex

House = Callable[..., Any]
Ctx = Context[NoSettings]


def happen(house: Any, number: int = 1) -> None:
    """A deal appeared."""
    deal = house.deal(number)
    house.publish(DealCreated(ref=deal.ref, occurred_at=house.clock.now(), deal=deal))
    house.work()


def person(number: int) -> Ref:
    """A contact's address."""
    return Ref("acme", Kind.CONTACT, str(number))


def test_the_index_finds_records_by_any_of_their_keys(house: House) -> None:
    """Keys are replaced as a whole, counted, limited, and belong to one extension and one account."""
    database = house(Extension("any")).service.database
    index = DeskIndex(database, "acme", "dedup")
    for number in (1, 2, 3):
        index.put(person(number), ["phone:+7999", f"name:{number}", f"name:{number}"])
    index.put(person(2), ["phone:+7888"])
    index.put(person(3), [])

    assert index.find(["phone:+7999", "phone:+7888", "nothing"]) == {
        "phone:+7999": [person(1)],
        "phone:+7888": [person(2)],
    }
    assert index.counts(["phone:+7999", "nothing"]) == {"phone:+7999": 1, "nothing": 0}
    index.put(person(4), ["phone:+7999"])
    assert index.find(["phone:+7999"], limit=1) == {"phone:+7999": [person(1)]}
    assert DeskIndex(database, "acme", "other").find(["phone:+7999"]) == {}
    assert DeskIndex(database, "best", "dedup").find(["phone:+7999"]) == {}


def test_many_records_are_put_together(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over the ends of heaps and transactions; the last keys of a record count, equal ones are not written again."""
    monkeypatch.setattr("crmkit_runtime.index.RUN_KEYS", 7)
    monkeypatch.setattr("crmkit_runtime.index.PART_ROWS", 2)
    index = DeskIndex(house(Extension("any")).service.database, "acme", "dedup")
    people = [(person(number), ["all", f"own:{number}", f"odd:{number % 2}"]) for number in range(1, 10)]

    written = [index.put_many(iter(people)), index.put_many(people), index.put_many([(person(3), ["all", "new:3"])])]

    assert written == [9, 0, 1]
    assert index.counts(["all", "odd:0", "odd:1", "own:3", "new:3"]) == {
        "all": 9, "odd:0": 4, "odd:1": 4, "own:3": 0, "new:3": 1,
    }  # fmt: skip
    assert index.find(["all", "new:3"], limit=2) == {"all": [person(1), person(2)], "new:3": [person(3)]}
    index.put_many([(person(3), [])])
    assert index.find(["new:3"]) == {}


def test_records_that_were_never_put_are_told(house: House) -> None:
    """A record without keys has been looked at; one that is gone is not missed; other extensions have their own."""
    at = house(Extension("any"))
    with at.service.database.write() as tx:
        mirror.put_unseen(tx, at.service, [at.contact(number) for number in range(1, 6)])
        mirror.bury(tx, person(4), seen=1)
    index = DeskIndex(at.service.database, "acme", "dedup")
    index.put(person(1), ["phone:+7999"])
    index.put_many([(person(2), [])])

    assert index.missing(Kind.CONTACT) == [person(3), person(5)]
    assert index.missing(Kind.CONTACT, limit=1) == [person(3)]
    assert index.missing(Kind.CONTACT, after="3") == [person(5)]
    assert index.missing(Kind.COMPANY) == []
    assert len(DeskIndex(at.service.database, "acme", "other").missing(Kind.CONTACT)) == 4


def test_the_store_keeps_documents_by_collection_and_key(house: House) -> None:
    """Put replaces, add does not, scan is in the order of keys, names of others are not seen."""
    database = house(Extension("any")).service.database
    store = DeskStore(database, "acme", "hygiene")
    store.put("findings", "a", {"n": 1})
    store.put("findings", "a", {"n": 2})

    assert store.get("findings", "a") == {"n": 2}
    assert (store.add("findings", "a", {"n": 3}), store.add("findings", "b:1", {"n": 4})) == (False, True)
    store.put("findings", "b:2", {"имя": "Пётр"})
    store.put("findings", "c", {})
    store.put("other", "b:3", {})
    store.delete("findings", "c")
    store.delete("findings", "never")
    assert list(store.scan("findings")) == [("a", {"n": 2}), ("b:1", {"n": 4}), ("b:2", {"имя": "Пётр"})]
    assert [key for key, _ in store.scan("findings", prefix="b:")] == ["b:1", "b:2"]
    assert DeskStore(database, "best", "hygiene").get("findings", "a") is None
    assert DeskStore(database, "acme", "dedup").get("findings", "a") is None


def test_a_long_collection_is_scanned_in_pieces(house: House) -> None:
    """All documents come, each once, in order."""
    store = DeskStore(house(Extension("any")).service.database, "acme", "any")
    with store._database.write() as tx:
        for number in range(1_201):
            store.keep(tx, "many", f"{number:05}", {})

    assert [key for key, _ in store.scan("many")] == [f"{number:05}" for number in range(1_201)]


def test_many_documents_are_kept_and_forgotten_together(house: House) -> None:
    """Over the ends of chunks; what is not to be replaced stays, and is not counted."""
    store = DeskStore(house(Extension("any")).service.database, "acme", "any")
    store.put("many", "00007", {"n": -1})

    written = [
        store.put_many("many", ((f"{number:05}", {"n": number}) for number in range(1_200)), replace=False),
        store.put_many("many", [("00001", {"n": 100})]),
    ]
    store.delete_many("many", (f"{number:05}" for number in range(10, 1_200)))

    assert written == [1_199, 1]
    assert [document["n"] for _, document in store.scan("many")] == [0, 100, 2, 3, 4, 5, 6, -1, 8, 9]


def test_a_long_collection_is_read_by_rank(house: House) -> None:
    """In the order of the ranks from any place on, over the ends of chunks; what has none is left out."""
    database = house(Extension("any")).service.database
    store = DeskStore(database, "acme", "any")
    store.put_many("many", ((f"k{number}", {"rank": f"{number % 2}:{number:05}"}) for number in range(1_300)))
    store.put("many", "unranked", {"rank": 7})
    store.put("many", "k0", {"rank": "2:late"})
    store.delete("many", "k1")
    store.put("other", "a", {"rank": "0:00001"})

    assert [key for key, _ in store.ranked("many")][:2] == ["k2", "k4"]
    assert [key for key, _ in store.ranked("many", after="0:01294")][:3] == ["k1296", "k1298", "k3"]
    assert [key for key, _ in store.ranked("many", prefix="1:")] == [f"k{number}" for number in range(3, 1_300, 2)]
    assert [store.count_ranked("many", prefix=rank) for rank in ("", "0:", "2:l", "9")] == [1_299, 649, 1, 0]
    with database.read() as connection:
        plan = connection.execute(
            text("explain query plan select count(*) from document where account = 'acme' and extension = 'any' "
                 "and collection = 'many' and rank is not null and rank >= '0:' and rank < '0:~'")
        ).all()  # fmt: skip
    assert "USING COVERING INDEX ix_document_account_extension_collection_rank" in str(plan)


def test_the_mirror_gives_what_was_last_seen(house: House) -> None:
    """One record, all of a kind, and columns of them."""
    at = house(Extension("any"))
    with at.service.database.write() as tx:
        mirror.put_unseen(tx, at.service, [at.contact(1), at.contact(2)])
    desk = DeskMirror(at.service.database, "acme")

    assert desk.get(Contact, person(1)) == at.contact(1)
    assert desk.get(Contact, person(9)) is None
    wanted = [person(2), person(9), Ref("best", Kind.CONTACT, "1"), Ref("acme", Kind.DEAL, "1"), person(1)]
    assert desk.get_many(Contact, wanted) == {person(1): at.contact(1), person(2): at.contact(2)}
    assert list(desk.scan(Contact)) == [at.contact(1), at.contact(2)]
    assert list(desk.scan(Contact, after="1")) == [at.contact(2)]
    assert list(desk.columns(Contact, "name", "owner_id")) == [("1", "Человек 1", None), ("2", "Человек 2", None)]
    assert (desk.count(Contact), desk.count(Task)) == (2, 0)


def test_turns_pass_over_runs_and_restarts(house: House) -> None:
    """Each new deal goes to the next active user, also after the service was opened anew."""
    choices: list[Choice] = []
    extension = Extension("turns")

    @extension.on(DealCreated)
    def handle(event: DealCreated, ctx: Ctx) -> None:
        choices.append(ctx.assign("round_robin", among=["1", "2", "4"]))

    one = house(extension)
    happen(one, 1)
    happen(one, 2)
    two = house(extension, world=one.world)
    happen_again = two.deal(3)
    two.publish(DealCreated(ref=happen_again.ref, occurred_at=two.clock.now(), deal=happen_again), "third")
    two.work()

    assert choices == [Choice("1", "next in turn"), Choice("2", "next in turn"), Choice("1", "next in turn")]


def test_an_attempt_repeated_chooses_the_same_owner(house: House) -> None:
    """The turn is used up once, and the task that names the owner is made once."""
    extension, tries = Extension("turns"), []

    @extension.on(DealCreated)
    def handle(event: DealCreated, ctx: Ctx) -> None:
        choice = ctx.assign("round_robin")
        ctx.crm.tasks.create(Task(text="позвонить", owner_id=choice.user_id))
        tries.append(choice.user_id)
        if len(tries) == 1:
            raise RuntimeError("fault")

    at = house(extension)
    happen(at)
    at.advance(timedelta(seconds=5))
    happen(at, 2)

    assert (tries, at.tasks()) == (["1", "1", "2"], ["позвонить", "позвонить"])
    assert list(DeskStore(at.service.database, "acme", "turns").scan("crmkit.choices")) == []


def test_the_least_loaded_is_who_has_the_fewest_open_tasks(house: House) -> None:
    """As the mirror counts them; done tasks do not weigh."""
    choices: list[Choice] = []
    extension = Extension("fair", reads={Kind.TASK})

    @extension.on(DealCreated)
    def handle(event: DealCreated, ctx: Ctx) -> None:
        choices.append(ctx.assign("least_loaded", among=["1", "2", "3"]))

    at = house(extension)
    tasks = [
        Task(ref=Ref("acme", Kind.TASK, str(number)), owner_id=owner, is_done=is_done)
        for number, (owner, is_done) in enumerate((("1", False), ("2", True), ("3", False), ("3", False)))
    ]
    with at.service.database.write() as tx:
        mirror.put_unseen(tx, at.service, tasks)
    happen(at)

    assert choices == [Choice("2", "fewest open tasks (0)")]


def test_an_owner_keeps_the_work_while_active(house: House) -> None:
    """Who has left does not."""
    choices: list[Choice] = []
    extension = Extension("owner")

    @extension.on(DealCreated)
    def handle(event: DealCreated, ctx: Ctx) -> None:
        choices.append(ctx.assign("owner", owner_id="2"))
        choices.append(ctx.assign("owner", owner_id="4", among=["3"]))
        choices.append(ctx.assign("fixed", fixed="3"))
        choices.append(ctx.assign("round_robin", among=["4"]))

    happen(house(extension))

    assert choices == [
        Choice("2", "owner of the record"),
        Choice("3", "next in turn; 4 is not active"),
        Choice("3", "fixed by the settings"),
        Choice(None, "nobody of the candidates is active"),
    ]
