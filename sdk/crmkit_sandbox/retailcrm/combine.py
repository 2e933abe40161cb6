"""Merges: customers some time after the answer, orders at once."""

from crmkit_sandbox.wire import Row

from . import changes
from .account import Account, Combine, Kind
from .corporate import enlist
from .order_lines import settle
from .problems import bad_input


def queue(account: Account, kind: Kind, winner: int, losers: list[int]) -> None:
    """Let `losers` become part of `winner` after the account's delay."""
    due = account.now() + account.switches.combine_delay_s
    account.combines.append(Combine(kind, winner, tuple(losers), due, account.actor))


def catch_up(account: Account) -> None:
    """Make the merges that have fallen due by the clock."""
    with account.world.lock:
        now = account.now()
        due = [one for one in account.combines if one.due <= now]
        if not due:
            return
        account.combines = [one for one in account.combines if one.due > now]
        for one in due:
            with account.acting(one.actor):
                _combine(account, one)


def orders(account: Account, winner: Row, loser: Row, technique: str) -> Row:
    """Two orders as one: the fields of `winner`, the items as `technique` says.

    Raises ProblemError 400 for an unknown technique.
    """
    chosen = {"ours": winner["items"], "theirs": loser["items"], "merge": [*winner["items"], *loser["items"]]}
    if technique == "summ":
        chosen["summ"] = _summed(winner["items"], loser["items"])
    if technique not in chosen:
        raise bad_input("technique", "The value you selected is not a valid choice.")
    after = {**winner, "items": chosen[technique], "payments": [*winner["payments"], *loser["payments"]]}
    made = changes.change(account, "orders", winner, settle(account, after))
    changes.delete(account, "orders", loser, made)
    return made


def _combine(account: Account, one: Combine) -> None:
    table = account.tables[one.kind]
    for loser_id in one.losers:
        loser, winner = table.live(loser_id), table.live(one.winner)
        # The vendor says nothing of a merge that has become impossible; nothing happens.
        if loser is None or winner is None or loser_id == one.winner:
            continue
        _move(account, loser_id, one.winner)
        winner = table.live(one.winner) or winner
        after = _joined(account, one.kind, winner, loser)
        made = changes.change(account, one.kind, winner, after)
        changes.delete(account, one.kind, loser, made)


def _move(account: Account, loser: int, winner: int) -> None:
    for kind, ids in (("orders", account.orders_of.ids(loser)), ("tasks", account.tasks_of["customer"].ids(loser))):
        for row_id in ids:
            row = account.tables[kind].live(row_id)
            if row is not None:
                moved = {name: winner for name in ("customer", "contact") if row.get(name) == loser}
                changes.change(account, kind, row, {**row, **moved})  # type: ignore[arg-type]  # both are kinds
    for name in ("notes", "calls"):
        for row in list(account.tables[name].rows()):
            if row.get("customer") == loser:
                account.tables[name].put({**row, "customer": winner})
    for firm in list(account.tables["corporate"].rows()):
        contacts = firm["customerContacts"]
        if any(contact["customer"] == loser for contact in contacts):
            has_winner = any(contact["customer"] == winner for contact in contacts)
            kept = [
                {**contact, "customer": winner} if contact["customer"] == loser else contact
                for contact in contacts
                if not (has_winner and contact["customer"] == loser)
            ]
            enlist(account, changes.change(account, "corporate", firm, {**firm, "customerContacts": kept}))


def _joined(account: Account, kind: Kind, winner: Row, loser: Row) -> Row:
    if kind == "corporate":
        parts = {name: [*winner[name]] for name in ("companies", "addresses", "customerContacts")}
        for name, kept in parts.items():
            known = {part.get("customer") for part in kept} - {None}
            fresh = [part for part in loser[name] if part.get("customer") not in known]
            kept.extend({**part, "isMain": part["isMain"] and not kept} for part in fresh)
        return {**winner, **parts}
    if not account.switches.joins_phones_on_combine:
        return winner
    known_phones = [phone["number"] for phone in winner["phones"]]
    return {**winner, "phones": [*winner["phones"], *(p for p in loser["phones"] if p["number"] not in known_phones)]}


def _summed(ours: list[Row], theirs: list[Row]) -> list[Row]:
    made = [dict(item) for item in ours]
    for item in theirs:
        offer = item.get("offer", {}).get("id")
        same = next((one for one in made if offer is not None and one.get("offer", {}).get("id") == offer), None)
        if same is None:
            made.append(item)
        else:
            same["quantity"] += item["quantity"]
    return made
