"""Methods of product rows, requisites and bank details."""

from typing import Any

from crmkit_sandbox.wire import Row

from .changes import tell_update
from .kinds import BY_CODE, DEAL, LEAD, Kind
from .listing import list_rows, list_table, matches, read_filter, sort_rows
from .methods import Answer, Call, Registry
from .methods_records import known_row
from .params import items_of
from .problems import Problem, not_found
from .requisites import save_row, types_of
from .values import number_of, read_number

# The tables' names inside names of events.
NAMES = {"requisites": "REQUISITE", "bank_details": "BANKDETAIL"}
PRIVATE = ("id", "updated_at", "is_deleted")
PRESET_TYPES = {
    **dict.fromkeys(("ID", "ENTITY_TYPE_ID", "COUNTRY_ID", "SORT"), "integer"),
    **dict.fromkeys(("NAME", "XML_ID"), "string"),
    "ACTIVE": "char",
}


def register(registry: Registry) -> None:
    """Declare the methods."""
    for kind in (DEAL, LEAD):
        _register_rows(registry, kind)
    registry.add("crm.item.productrow.list", _item_rows)
    registry.add("crm.item.productrow.set", _set_item_rows)
    registry.add("crm.requisite.preset.list", _presets)
    _register_table(registry, "crm.requisite", "requisites")
    _register_table(registry, "crm.requisite.bankdetail", "bank_details")


def _register_rows(registry: Registry, kind: Kind) -> None:
    def get(call: Call) -> list[Row]:
        return _rows(call, kind, known_row(call, kind)["id"])

    def replace(call: Call) -> bool:
        _save(call, kind, known_row(call, kind), items_of(call.get("rows")))
        return True

    registry.add(f"crm.{kind.key}.productrows.get", get)
    registry.add(f"crm.{kind.key}.productrows.set", replace)


def _rows(call: Call, kind: Kind, owner_id: int) -> list[Row]:
    found = call.portal.shelves["product_rows"].get((kind.key, owner_id), {})
    return list(found.get("rows", []))


def _save(call: Call, kind: Kind, row: Row, given: list[Any]) -> list[Row]:
    rows = [_product_row(call, kind, row["id"], one) for one in given if isinstance(one, dict)]
    call.portal.shelves["product_rows"][(kind.key, row["id"])] = {"rows": rows}
    if row["IS_MANUAL_OPPORTUNITY"] != "Y" and rows:
        total = sum(one["PRICE"] * one["QUANTITY"] for one in rows)
        stamp = {"OPPORTUNITY": f"{total:.2f}", "DATE_MODIFY": call.portal.stamp(), "updated_at": call.portal.now()}
        call.portal.table(kind).put({**row, **stamp})
    tell_update(call.events, kind, row["id"])
    return rows


def _product_row(call: Call, kind: Kind, owner_id: int, given: Row) -> Row:
    price, quantity = read_number("PRICE", given.get("PRICE") or 0), read_number("QUANTITY", given.get("QUANTITY") or 1)
    return {
        "ID": str(call.portal.take_id("product_rows")),
        "OWNER_ID": str(owner_id),
        "OWNER_TYPE": kind.code,
        "PRODUCT_ID": number_of(given.get("PRODUCT_ID")),
        "PRODUCT_NAME": str(given.get("PRODUCT_NAME") or ""),
        "PRICE": price,
        "QUANTITY": quantity,
        "DISCOUNT_TYPE_ID": number_of(given.get("DISCOUNT_TYPE_ID")) or 2,
        "TAX_RATE": given.get("TAX_RATE"),
        "MEASURE_CODE": "796",
        "MEASURE_NAME": "шт",
    }


def _holder(call: Call, type_: Any, owner_id: Any) -> tuple[Kind, Row]:
    kind = BY_CODE.get(str(type_))
    row = call.portal.live(kind.type_id, number_of(owner_id)) if kind is not None and kind.stage else None
    if kind is None or row is None:
        raise Problem(400, "OWNER_NOT_FOUND", "Owner not found")
    return kind, row


def _camel_rows(rows: list[Row]) -> Row:
    names = {"ID": "id", "OWNER_ID": "ownerId", "OWNER_TYPE": "ownerType", "PRODUCT_ID": "productId"}
    names |= {"PRODUCT_NAME": "productName", "PRICE": "price", "QUANTITY": "quantity", "TAX_RATE": "taxRate"}
    shown = [{camel: row[name] for name, camel in names.items()} for row in rows]
    return {"productRows": [row | {"id": int(row["id"]), "ownerId": int(row["ownerId"])} for row in shown]}


def _item_rows(call: Call) -> Answer:
    filter_ = {str(key).lstrip("="): value for key, value in call.map("filter").items()}
    kind, row = _holder(call, filter_.get("ownerType"), filter_.get("ownerId"))
    rows = _rows(call, kind, row["id"])
    return Answer(_camel_rows(rows), len(rows))


def _set_item_rows(call: Call) -> Row:
    kind, row = _holder(call, call.need("ownerType"), call.need("ownerId"))
    upper = {"productId": "PRODUCT_ID", "productName": "PRODUCT_NAME", "price": "PRICE", "quantity": "QUANTITY"}
    upper |= {"taxRate": "TAX_RATE", "discountTypeId": "DISCOUNT_TYPE_ID"}
    given = [
        {upper.get(name, name): value for name, value in one.items()}
        for one in items_of(call.get("productRows"))
        if isinstance(one, dict)
    ]
    return _camel_rows(_save(call, kind, row, given))


def _presets(call: Call) -> Answer:
    rows = list(call.portal.shelves["presets"].values())
    tests = [matches(one, PRESET_TYPES[one.name]) for one in read_filter(call.map("filter"), PRESET_TYPES)]
    kept = [row for row in rows if all(test(row) for test in tests)]
    page = list_rows(sort_rows(kept, call.map("order") or {"ID": "ASC"}, PRESET_TYPES), call.get("start", 0))
    select = [str(name) for name in items_of(call.get("select"))]
    return Answer([_shown(row, select) for row in page.rows], page.total, page.next)


def _register_table(registry: Registry, prefix: str, table: str) -> None:
    types = types_of(table)

    def one(call: Call) -> Row:
        row = call.portal.tables[table].live(call.row_id())
        if row is None:
            raise not_found()
        return row

    def list_(call: Call) -> Answer:
        filter_ = call.map("filter")
        call.ignored += [key for key in filter_ if key.lstrip("!=<>@%") not in types]
        page = list_table(
            call.portal.tables[table],
            read_filter(filter_, types),
            types,
            order=call.map("order"),
            start=call.get("start", 0),
        )
        select = [str(name) for name in items_of(call.get("select"))]
        rows = [_shown(row, select) for row in page.rows]
        return Answer(rows, 0 if page.total is None else page.total, page.next)

    def add(call: Call) -> int:
        fields = call.map("fields")
        if not fields.get("ENTITY_ID") or not fields.get("NAME"):
            raise Problem(400, "", "ENTITY_ID is not defined or invalid. NAME is required.")
        if (
            table == "requisites"
            and call.portal.live(number_of(fields.get("ENTITY_TYPE_ID")), number_of(fields["ENTITY_ID"])) is None
        ):
            raise Problem(400, "", "ENTITY_ID is not defined or invalid.")
        if table == "requisites" and number_of(fields.get("PRESET_ID")) not in call.portal.shelves["presets"]:
            raise Problem(400, "", "PRESET_ID is not defined or invalid.")
        row = save_row(call.portal, table, fields)
        tell(call, row, "ADD")
        return int(row["id"])

    def update(call: Call) -> bool:
        tell(call, save_row(call.portal, table, call.map("fields"), one(call)), "UPDATE")
        return True

    def delete(call: Call) -> bool:
        row = one(call)
        call.portal.tables[table].put({**row, "is_deleted": True, "updated_at": call.portal.now()})
        tell(call, row, "DELETE")
        return True

    def tell(call: Call, row: Row, act: str) -> None:
        call.events.emit(f"ONCRM{NAMES[table]}{act}", {"FIELDS": {"ID": row["id"]}}, row["id"])

    registry.add(f"{prefix}.get", lambda call: _shown(one(call), []))
    registry.add(f"{prefix}.list", list_)
    registry.add(f"{prefix}.add", add)
    registry.add(f"{prefix}.update", update)
    registry.add(f"{prefix}.delete", delete)


def _shown(row: Row, select: list[str]) -> Row:
    is_all = not select or "*" in select
    return {name: value for name, value in row.items() if name not in PRIVATE and (is_all or name in {*select, "ID"})}
