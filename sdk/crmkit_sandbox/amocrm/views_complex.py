"""`leads/complex`: a lead with its contact and company in one call, with duplicate control."""

from collections.abc import Collection

from crmkit_sandbox.wire import Row

from . import changes
from .account import Account, Kind
from .api import Api, ApiCall, Reply
from .problems import Check, invalid
from .unsorted import METADATA, create_unsorted
from .writes import Write, read_write

MOST, MOST_VALUES = 50, 40
PARTNERS: tuple[Kind, ...] = ("contacts", "companies")


def register(api: Api) -> None:
    """Add the route."""
    api.route("POST", "/leads/complex")(create_complex)


def create_complex(call: ApiCall) -> Reply:
    """Make leads with their contacts and companies, all or none; the answer is a bare array."""
    account = call.account
    plans, faults = [], []
    for index, item in enumerate(call.items(MOST)):
        request_id = str(item.get("request_id", index))
        plan, errors = _read(account, item, request_id)
        plans.append((item, request_id, plan))
        faults.append((request_id, errors))
    if any(errors for _, errors in faults):
        raise invalid(faults)
    # Duplicate control looks at what earlier requests made, not at this batch.
    known = frozenset(account.tables["contacts"].ids) if account.has_duplicate_control else frozenset()
    return [_create(call, item, request_id, plan, known) for item, request_id, plan in plans]


def _read(account: Account, item: Row, request_id: str) -> tuple[dict[Kind, Write | int], list[Row]]:
    check = Check()
    embedded = check.branch(item, "_embedded")
    lead = {**item, "_embedded": {"tags": embedded["tags"]} if "tags" in embedded else {}}
    plan: dict[Kind, Write | int] = {}
    plan["leads"], errors = read_write(account, "leads", lead, request_id)
    check.errors += errors
    for kind in PARTNERS:
        given = check.objects(embedded, kind, f"_embedded.{kind}")
        if len(given) > 1:
            check.fault("TooManyElements", f"_embedded.{kind}", "This collection should contain 1 element or less.")
        for partner in given[:1]:
            plan[kind] = _read_partner(account, kind, partner, request_id, check)
        for part in (item, *given):
            values = part.get("custom_fields_values")
            if isinstance(values, list) and len(values) > MOST_VALUES:
                check.fault("TooManyElements", "custom_fields_values", f"At most {MOST_VALUES} elements are allowed.")
    if embedded.get("metadata"):
        _read_metadata(embedded, check)
    return plan, check.errors


def _read_metadata(embedded: Row, check: Check) -> None:
    metadata = check.branch(embedded, "metadata")
    if check.is_choice({"category": None, **metadata}, "category", METADATA, "_embedded.metadata.category"):
        for name in METADATA[str(metadata["category"])]:
            if name not in metadata:
                check.missing(f"_embedded.metadata.{name}")


def _read_partner(account: Account, kind: Kind, partner: Row, request_id: str, check: Check) -> Write | int:
    if isinstance(partner.get("id"), int):
        if account.tables[kind].live(partner["id"]) is None:
            check.choice(f"_embedded.{kind}.0.id")
        return int(partner["id"])
    write, errors = read_write(account, kind, partner, request_id)
    for error in errors:
        check.fault(error["code"], f"_embedded.{kind}.0.{error['path']}", error["detail"])
    return write


def _create(call: ApiCall, item: Row, request_id: str, plan: dict[Kind, Write | int], known: Collection[int]) -> Row:
    account, hooks = call.account, call.hooks
    is_merged = False
    made: dict[Kind, int | None] = {}
    for kind in PARTNERS:
        partner = plan.get(kind)
        if isinstance(partner, Write):
            twin = _twin(account, partner, known) if kind == "contacts" else None
            is_merged = is_merged or twin is not None
            made[kind] = twin if twin is not None else changes.create(account, hooks, partner)["id"]
        else:
            made[kind] = partner
    lead = plan["leads"]
    assert isinstance(lead, Write)  # noqa: S101  a lead is always a write
    metadata = (item.get("_embedded") or {}).get("metadata")
    if metadata:
        incoming = {**item, "metadata": metadata, "source_uid": "", "source_name": ""}
        incoming["pipeline_id"] = lead.columns["pipeline_id"]
        row_id = create_unsorted(account, hooks, metadata["category"], incoming, {"leads": lead})["made"]["leads"]
    else:
        row_id = changes.create(account, hooks, lead)["id"]
    for kind in PARTNERS:
        partner_id = made[kind]
        if partner_id is not None:
            link_data = {"main_contact": True} if kind == "contacts" else {}
            changes.link(account, ("leads", row_id), (kind, partner_id), link_data)
    contact_id, company_id = made["contacts"], made["companies"]
    if contact_id is not None and company_id is not None:
        changes.link(account, ("contacts", contact_id), ("companies", company_id), {})
    return {
        "id": row_id,
        "contact_id": contact_id,
        "company_id": company_id,
        "request_id": [request_id],
        "merged": is_merged,
    }


def _twin(account: Account, write: Write, known: Collection[int]) -> int | None:
    for value in write.fields.values():
        if value is None or value["field_code"] not in ("PHONE", "EMAIL"):
            continue
        for item in value["values"]:
            search = account.search["contacts"]
            is_phone = value["field_code"] == "PHONE"
            found = search.by_phone(item["value"]) if is_phone else search.find(item["value"])
            twin = next((row_id for row_id in found if row_id in known), None)
            if twin is not None:
                return twin
    return None
