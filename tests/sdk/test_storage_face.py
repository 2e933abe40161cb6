"""What a handler keeps and looks up beside the CRM, as the context of a test gives it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from crmkit import Contact, Context, Deal, Extension, Kind, Ref
from crmkit.settings import NoSettings
from crmkit.testing import MemoryCrm, context

shop = Extension("shop")


@pytest.fixture
def memory() -> MemoryCrm:
    """An empty account."""
    return MemoryCrm()


@pytest.fixture
def ctx(memory: MemoryCrm) -> Context[NoSettings]:
    """A context of the extension in that account."""
    return context(shop, memory)


def test_the_mirror_has_the_records_without_a_request(memory: MemoryCrm, ctx: Context[NoSettings]) -> None:
    """Get, scan, columns and count agree, and none of them asks the CRM."""
    first = memory.person.add_contact("Мария")
    second = memory.person.add_contact("Пётр")
    memory.person.add_deal("Окна")
    memory.world.asked.clear()
    maria = ctx.mirror.get(Contact, first)
    assert maria is not None
    assert (maria.name, ctx.mirror.get(Contact, Ref("acme", Kind.CONTACT, "404"))) == ("Мария", None)
    assert [contact.ref for contact in ctx.mirror.scan(Contact)] == [first, second]
    assert [contact.ref for contact in ctx.mirror.scan(Contact, after=first.id)] == [second]
    assert list(ctx.mirror.columns(Contact, "name")) == [(first.id, "Мария"), (second.id, "Пётр")]
    assert ctx.mirror.get_many(Contact, [second, Ref("acme", Kind.CONTACT, "404")]) == {
        second: ctx.mirror.get(Contact, second)
    }
    assert (ctx.mirror.count(Contact), ctx.mirror.count(Deal)) == (2, 1)
    assert memory.world.asked == []


def test_the_index_finds_records_by_their_keys(ctx: Context[NoSettings]) -> None:
    """Putting again replaces the keys, no keys forget the record, and one key gives at most `limit` of them."""
    first, second = Ref("acme", Kind.CONTACT, "1"), Ref("acme", Kind.CONTACT, "2")
    ctx.index.put(first, ["+79123456789", "maria"])
    ctx.index.put(second, ["maria"])
    assert ctx.index.find(["maria", "+79123456789", "nobody"]) == {"maria": [first, second], "+79123456789": [first]}
    assert ctx.index.counts(["maria", "nobody"]) == {"maria": 2, "nobody": 0}
    assert ctx.index.find(["maria"], limit=1) == {"maria": [first]}
    ctx.index.put(first, ["peter"])
    ctx.index.put(second, [])
    assert ctx.index.find(["maria", "peter"]) == {"peter": [first]}


def test_records_are_put_together_and_missed(memory: MemoryCrm, ctx: Context[NoSettings]) -> None:
    """Of many only those with other keys count; whoever was never put is told, page by page."""
    people = [memory.person.add_contact(name) for name in ("Мария", "Пётр", "Олег")]
    assert ctx.index.missing(Kind.CONTACT) == people
    written = [ctx.index.put_many((ref, ["all", ref.id]) for ref in people[:2]) for _ in range(2)]
    ctx.index.put(people[2], [])
    memory.person.add_contact("Анна")
    assert written == [2, 0]
    assert ctx.index.find(["all"]) == {"all": people[:2]}
    assert len(ctx.index.missing(Kind.CONTACT)) == 1
    assert ctx.index.missing(Kind.CONTACT, after=ctx.index.missing(Kind.CONTACT)[0].id) == []


def test_many_documents_are_kept_and_forgotten_together(ctx: Context[NoSettings]) -> None:
    """What is not to be replaced stays, and is not counted."""
    ctx.store.put("calls", "a", {"n": 1})
    written = [
        ctx.store.put_many("calls", [("a", {"n": 2}), ("b", {"n": 3})], replace=False),
        ctx.store.put_many("calls", [("b", {"n": 4}), ("c", {"n": 5})]),
    ]
    ctx.store.delete_many("calls", ["c", "never"])
    assert written == [1, 2]
    assert list(ctx.store.scan("calls")) == [("a", {"n": 1}), ("b", {"n": 4})]


def test_documents_are_read_by_their_ranks(ctx: Context[NoSettings]) -> None:
    """From any place on; a document without a rank is left out, a new rank is a new place."""
    store = ctx.store
    store.put_many("calls", [("a", {"rank": "2"}), ("b", {"rank": "11"}), ("c", {}), ("d", {"rank": "12"})])
    store.put("calls", "b", {"rank": "3"})
    assert list(store.ranked("calls")) == [("d", {"rank": "12"}), ("a", {"rank": "2"}), ("b", {"rank": "3"})]
    assert [key for key, _ in store.ranked("calls", after="12")] == ["a", "b"]
    assert [key for key, _ in store.ranked("calls", prefix="1")] == ["d"]
    assert (store.count_ranked("calls"), store.count_ranked("calls", prefix="1")) == (3, 1)


def test_the_store_keeps_documents_by_collection_and_key(ctx: Context[NoSettings]) -> None:
    """Put replaces, add does not, delete forgets, scan goes by key and prefix."""
    store = ctx.store
    store.put("calls", "+7912", {"count": 1})
    store.put("calls", "+7912", {"count": 2, "list": [None, True, "ё"]})
    assert store.add("calls", "+7912", {"count": 9}) is False
    assert store.add("calls", "+7911", {"count": 1}) is True
    store.put("other", "+7912", {})
    assert store.get("calls", "+7912") == {"count": 2, "list": [None, True, "ё"]}
    assert list(store.scan("calls")) == [("+7911", {"count": 1}), ("+7912", {"count": 2, "list": [None, True, "ё"]})]
    assert [key for key, _ in store.scan("calls", prefix="+7912")] == ["+7912"]
    store.delete("calls", "+7912")
    store.delete("calls", "+7912")
    assert (store.get("calls", "+7912"), store.get("other", "+7912")) == (None, {})


def test_what_was_read_is_not_what_is_kept(ctx: Context[NoSettings]) -> None:
    """A document that a handler changes in its hands stays as it was until it is put."""
    document: dict[str, list[int]] = {"list": [1]}
    ctx.store.put("calls", "a", document)
    document["list"].append(2)
    assert ctx.store.get("calls", "a") == {"list": [1]}


def test_extensions_and_accounts_do_not_share(memory: MemoryCrm, ctx: Context[NoSettings]) -> None:
    """Another extension and another account have desks of their own; the same one finds its things again."""
    ctx.store.put("calls", "a", {"n": 1})
    neighbour = context(Extension("neighbour"), memory)
    elsewhere = context(shop, MemoryCrm("beta", world=memory.world))
    assert [one.store.get("calls", "a") for one in (neighbour, elsewhere, context(shop, memory))] == [
        None,
        None,
        {"n": 1},
    ]


def test_decisions_and_timers_are_kept_with_the_run(memory: MemoryCrm, ctx: Context[NoSettings]) -> None:
    """Reasons stand in their order; a timer is moved and cancelled by its key."""
    ctx.explain("сначала")
    assert ctx.decisions.skipped is False
    ctx.skip("потом")
    assert (ctx.decisions.reasons, ctx.decisions.skipped) == (["сначала", "потом"], True)
    at = datetime(2026, 3, 3, tzinfo=UTC)
    ctx.later(datetime(2026, 3, 2, 10, tzinfo=UTC), "call-back")
    ctx.later(at, "call-back")
    ctx.later(at, "other")
    ctx.cancel("other")
    ctx.cancel("never set")
    with pytest.raises(ValueError, match="has no time zone"):
        ctx.later(datetime(2026, 3, 4), "naive")
    assert memory.desk("shop").timers == {(None, "call-back"): at}
