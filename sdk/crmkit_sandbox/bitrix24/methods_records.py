"""Classic methods of leads, deals, contacts and companies, and of the links between them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from crmkit_sandbox.wire import Row

from .changes import create, delete, make_links, set_companies, set_contacts, update
from .kinds import COMPANY, CONTACT, DEAL, KINDS, LEAD, MULTIFIELDS, Kind
from .listing import list_table, read_filter
from .methods import Answer, Call, Registry
from .params import items_of
from .portal import Portal
from .problems import Problem, missing, not_found
from .shapes import classic_names, classic_record, classic_rows, field_rows
from .values import number_of
from .writes import read_classic

NO_LEADS = "Leads are switched off: the portal works in the simple mode."


def register(registry: Registry) -> None:
    """Declare the methods."""
    for kind in KINDS.values():
        _register_kind(registry, kind)
    for holder in (DEAL, LEAD):
        _register_links(registry, holder, _Links("CONTACT_ID", CONTACT, _contacts_of(holder)))
    _register_links(registry, CONTACT, _Links("COMPANY_ID", COMPANY, _companies_of))
    registry.add("crm.company.contact.items.get", _company_contacts)


def types_of(portal: Portal, kind: Kind) -> dict[str, str]:
    """The type of each field that classic filters know."""
    types = {name: field.type for name, field in kind.fields.items()}
    if kind.has_multifields:
        types |= dict.fromkeys(MULTIFIELDS, "crm_multifield")
    return types | {name: row["USER_TYPE_ID"] for name, row in portal.user_fields(kind).items()}


def known_row(call: Call, kind: Kind, name: str = "id") -> Row:
    """The record that a classic method is asked about.

    Raises Problem 400 when there is none.
    """
    row = call.portal.table(kind).live(call.row_id(name))
    if row is None:
        raise not_found()
    return row


def refuse_leads(portal: Portal, kind: Kind) -> None:
    """Refuse to add a lead while the portal is in the simple mode.

    Raises Problem 400.
    """
    if kind is LEAD and portal.is_simple:
        raise Problem(400, "", NO_LEADS)


def _register_kind(registry: Registry, kind: Kind) -> None:
    def get(call: Call) -> Row:
        return classic_record(call.portal, kind, known_row(call, kind))

    def list_(call: Call) -> Answer:
        return _list(call, kind)

    def add(call: Call) -> int:
        refuse_leads(call.portal, kind)
        is_import = call.map("params").get("IMPORT") == "Y"
        fields = call.get("fields")
        if fields is None:
            raise Problem(400, "", "Parameter 'fields' must be array.")
        write = read_classic(call.portal, kind, fields, is_new=True, is_import=is_import)
        return int(create(call.portal, call.events, kind, write)["id"])

    def change(call: Call) -> bool:
        row = known_row(call, kind)
        write = read_classic(call.portal, kind, call.get("fields"), is_new=False)
        _drop_foreign_stage(call.portal, kind, row, write.columns)
        update(call.portal, call.events, kind, row, write)
        return True

    def remove(call: Call) -> bool:
        delete(call.portal, call.events, kind, known_row(call, kind))
        return True

    registry.add(f"crm.{kind.key}.get", get)
    registry.add(f"crm.{kind.key}.list", list_)
    registry.add(f"crm.{kind.key}.add", add)
    registry.add(f"crm.{kind.key}.update", change)
    registry.add(f"crm.{kind.key}.delete", remove)
    registry.add(f"crm.{kind.key}.fields", lambda call: field_rows(call.portal, kind))


def _list(call: Call, kind: Kind) -> Answer:
    types = types_of(call.portal, kind)
    filter_ = call.map("filter")
    call.ignored += [key for key in filter_ if key.lstrip("!=<>@%") not in types]
    page = list_table(
        call.portal.table(kind),
        read_filter(filter_, types),
        types,
        order=call.map("order"),
        start=call.get("start", 0),
    )
    rows = classic_rows(call.portal, kind, page.rows, classic_names(call.portal, kind, call.get("select")))
    return Answer(rows, 0 if page.total is None else page.total, page.next)


def _drop_foreign_stage(portal: Portal, kind: Kind, row: Row, columns: Row) -> None:
    # A stage of another pipeline is passed over: the classic update cannot change the pipeline.
    if kind is DEAL and columns.get("STAGE_ID"):
        entity = f"DEAL_STAGE_{row['CATEGORY_ID']}" if row["CATEGORY_ID"] != "0" else "DEAL_STAGE"
        if columns["STAGE_ID"] not in {stage["STATUS_ID"] for stage in portal.stages(entity)}:
            del columns["STAGE_ID"]
    if kind.stage and kind.stage in columns and not columns[kind.stage]:
        del columns[kind.stage]


Held = tuple[list[Row], Callable[[list[Row]], None]]


@dataclass(frozen=True)
class _Links:
    """The links of one kind of record to another: `name` is the field with the other's id."""

    name: str
    other: Kind
    find: Callable[[Call], Held]

    def get(self, call: Call) -> list[Row]:
        return self.find(call)[0]

    def replace(self, call: Call) -> bool:
        given = call.get("items")
        if given is None:
            raise missing("items")
        _, save = self.find(call)
        ids = [self._asked(call, item) for item in items_of(given)]
        save(_ordered(make_links(self.name, ids), items_of(given), self.name))
        return True

    def add(self, call: Call) -> bool:
        links, save = self.find(call)
        fields = call.map("fields")
        row_id = self._asked(call, fields)
        if any(link[self.name] == row_id for link in links):
            return False
        is_primary = not links or fields.get("IS_PRIMARY") == "Y"
        if is_primary:
            links = [{**link, "IS_PRIMARY": "N"} for link in links]
        sort = number_of(fields.get("SORT")) or (len(links) + 1) * 10
        save([*links, {self.name: row_id, "SORT": sort, "ROLE_ID": 0, "IS_PRIMARY": "Y" if is_primary else "N"}])
        return True

    def remove(self, call: Call) -> bool:
        links, save = self.find(call)
        row_id = self._asked(call, call.map("fields"))
        kept = [link for link in links if link[self.name] != row_id]
        if len(kept) == len(links):
            return False
        if kept and all(link["IS_PRIMARY"] == "N" for link in kept):
            kept = [{**kept[0], "IS_PRIMARY": "Y"}, *kept[1:]]
        save(kept)
        return True

    def clear(self, call: Call) -> bool:
        self.find(call)[1]([])
        return True

    def _asked(self, call: Call, fields: Any) -> int:
        row_id = number_of(fields.get(self.name) if isinstance(fields, dict) else None)
        if call.portal.table(self.other).live(row_id) is None:
            raise Problem(400, "", f"The parameter '{self.name}' is invalid or not defined.")
        return row_id


def _contacts_of(kind: Kind) -> Callable[[Call], Held]:
    def find(call: Call) -> Held:
        row = known_row(call, kind)
        return row["contacts"], lambda links: set_contacts(call.portal, call.events, kind, row, links)

    return find


def _companies_of(call: Call) -> Held:
    row = known_row(call, CONTACT)
    return row["companies"], lambda links: set_companies(call.portal, call.events, row, links)


def _register_links(registry: Registry, holder: Kind, links: _Links) -> None:
    prefix = f"crm.{holder.key}.{links.other.key}"
    registry.add(f"{prefix}.items.get", links.get)
    registry.add(f"{prefix}.items.set", links.replace)
    registry.add(f"{prefix}.items.delete", links.clear)
    registry.add(f"{prefix}.add", links.add)
    registry.add(f"{prefix}.delete", links.remove)


def _ordered(links: list[Row], given: list[Any], name: str) -> list[Row]:
    wanted = {number_of(item.get(name)): item for item in given}
    primary = next((one for one, item in wanted.items() if item.get("IS_PRIMARY") == "Y"), None)
    for link in links:
        link["SORT"] = number_of(wanted[link[name]].get("SORT")) or link["SORT"]
        if primary is not None:
            link["IS_PRIMARY"] = "Y" if link[name] == primary else "N"
    return links


def _company_contacts(call: Call) -> list[Row]:
    company_id = known_row(call, COMPANY)["id"]
    rows = [
        row
        for row in call.portal.table(CONTACT).rows()
        if any(one["COMPANY_ID"] == company_id for one in row["companies"])
    ]
    return make_links("CONTACT_ID", [row["id"] for row in rows])
