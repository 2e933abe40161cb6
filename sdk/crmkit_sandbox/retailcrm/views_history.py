"""The history feeds over the API."""

from bisect import bisect_right
from collections.abc import Callable

from crmkit_sandbox.wire import Row

from .account import Kind
from .api import ApiCall, Reply
from .history import ENTITY, shown
from .listing import dated, filter_of, limit_of, page_of, pagination
from .problems import bad_input, problem

SHIFT = "Use the shift of the `filter[sinceId]` instead of `page` parameter"


def history(kind: Kind) -> Callable[[ApiCall], Reply]:
    """The view of one feed: oldest first, after `sinceId`, from `startDate` to `endDate`."""

    def view(call: ApiCall) -> Reply:
        given = filter_of(call)
        rows = _after(call, kind, given)
        for name, value in given.items():
            if name != "sinceId":
                rows = _filtered(kind, name, value, rows)
        rows = [row for row in rows if call.sees(row[ENTITY[kind]])]
        if "sinceId" in given:
            chosen, head = rows[: limit_of(call)], pagination(len(rows), limit_of(call))
        else:
            places, head = page_of(call, range(len(rows)))
            chosen = [rows[place] for place in places]
        told = [shown(row, call.key) for row in chosen]
        return {"generatedAt": call.account.moment(), "history": told, **head}

    return view


def _after(call: ApiCall, kind: Kind, given: Row) -> list[Row]:
    rows = call.account.history[kind]
    if "sinceId" not in given:
        return rows
    page = call.query.get("page")
    if page is not None and (page != "1" or call.account.switches.refuses_first_page_since_id):
        raise problem(400, SHIFT)
    text = given["sinceId"]
    if not (isinstance(text, str) and text.isascii() and text.isdigit()):
        raise bad_input("children[sinceId]", "This value is not valid.")
    return rows[bisect_right(rows, int(text), key=lambda row: row["id"]) :]


def _filtered(kind: Kind, name: str, value: object, rows: list[Row]) -> list[Row]:
    entity = ENTITY[kind]
    if name in ("startDate", "endDate"):
        try:
            edge = dated(value)
        except ValueError:
            raise bad_input(f"children[{name}]", "Значение недопустимо.") from None
        if name == "startDate":
            return [row for row in rows if row["createdAt"] >= edge]
        return [row for row in rows if row["createdAt"][: len(edge)] <= edge]
    fields = {f"{entity}Id": "id", f"{entity}ExternalId": "externalId"}
    if name not in fields:
        raise bad_input(f"children[{name}]", "This form should not contain extra fields.")
    return [row for row in rows if str(row[entity].get(fields[name])) == str(value)]
