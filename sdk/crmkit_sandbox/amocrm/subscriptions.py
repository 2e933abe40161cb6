"""Subscriptions to webhooks, as the account keeps them."""

from crmkit_sandbox.wire import Row

from .account import Account
from .problems import problem

MOST = 100


def add_webhook(account: Account, destination: str, settings: list[str], *, sort: int = 10) -> Row:
    """Store a subscription; a known address keeps its id, is enabled again and listens to the new settings.

    Raises ProblemError 422 above 100 subscriptions.
    """
    shelf, now = account.shelves["webhooks"], account.now()
    known = next((row for row in shelf.values() if row["destination"] == destination), None)
    if known is None and len(shelf) >= MOST:
        raise problem(422, f"An account has at most {MOST} webhooks")
    row: Row = {
        "id": known["id"] if known else account.take_id("webhooks"),
        "destination": destination,
        "created_at": known["created_at"] if known else now,
        "updated_at": now,
        "created_by": account.actor.user_id,
        "sort": sort,
        "disabled": False,
        "settings": list(dict.fromkeys(settings)),
    }
    shelf[row["id"]] = row
    return row
