"""How a note of a customer is written."""

from crmkit_sandbox.wire import Row

from .account import Account, Kind
from .problems import BLANK, not_loaded
from .values import check_user, linked

TITLE = "Note"


def create(account: Account, kind: Kind, given: Row, site: str | None) -> Row:
    """A new note; notes have no history and fire no trigger.

    Raises ProblemError 400 without a text or a customer.
    """
    if not isinstance(given.get("text"), str) or not given["text"]:
        raise not_loaded(TITLE, {"text": BLANK})
    if not isinstance(given.get("customer"), dict):
        raise not_loaded(TITLE, {"customer": BLANK})
    kinds = {"customers": "customer", "corporate": "customer_corporate"}
    owner = linked(account, {**given["customer"], "type": kinds[kind]}, "customer", site, TITLE)
    check_user(account, TITLE, "managerId", given.get("managerId"))
    row: Row = {
        "id": account.take_id("notes"),
        "kind": kind,
        "customer": owner["id"],
        "site": owner["site"],
        "text": given["text"],
        "createdAt": account.moment(),
        "updated_at": int(account.now()),
    }
    manager_id = given.get("managerId") or account.actor.user_id
    return account.tables["notes"].put({**row, "managerId": manager_id} if manager_id else row)
