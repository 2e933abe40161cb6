"""Corporate customers over the API, with their companies, addresses and contacts."""

from collections.abc import Mapping

from crmkit_sandbox.wire import Row

from . import changes, corporate, shapes
from .account import Account
from .api import Api, ApiCall, Reply
from .listing import Filter, Test, holds, listed, paged
from .query import values
from .uploads import fix_external_ids, upload
from .views_customers import DOCUMENTED, PERSON_FILTERS, combine_people
from .views_history import history


def _with_contacts(_: Account, value: object) -> Test:
    wanted = {int(text) for text in values(value)}
    return lambda row: any(contact["customer"] in wanted for contact in row["customerContacts"])


def _of_company(branch: str | None, field: str) -> Filter:
    def make(_: Account, value: object) -> Test:
        wanted = str(value).casefold()

        def text(company: Row) -> str:
            return str(((company.get(branch) or {}) if branch else company).get(field, "")).casefold()

        return lambda row: any(wanted in text(company) for company in row["companies"])

    return make


FILTERS: Mapping[str, Filter] = {
    **PERSON_FILTERS,
    "nickName": holds("nickName"),
    "contactIds": _with_contacts,
    "companyName": _of_company(None, "name"),
    "contragentName": _of_company("contragent", "legalName"),
    "contragentInn": _of_company("contragent", "INN"),
    "contragentKpp": _of_company("contragent", "KPP"),
}
SHELF = "<any(addresses,companies,contacts):shelf>"
ROOT = "/customers-corporate"


def register(api: Api) -> None:
    """Add the routes."""
    api.route("GET", ROOT, "customer_read")(list_corporate)
    api.route("GET", f"{ROOT}/history", "customer_read")(history("corporate"))
    api.route("GET", f"{ROOT}/<address>", "customer_read")(get_corporate)
    api.route("POST", f"{ROOT}/create", "customer_write")(create_corporate)
    api.route("POST", f"{ROOT}/upload", "customer_write")(
        lambda call: upload(call, "customersCorporate", "Customers", corporate.create)
    )
    api.route("POST", f"{ROOT}/combine", "customer_write")(
        lambda call: combine_people(call, "corporate", "resultCustomer")
    )
    api.route("POST", f"{ROOT}/fix-external-ids", "customer_write")(
        lambda call: fix_external_ids(call, "corporate", "customersCorporate")
    )
    api.route("POST", f"{ROOT}/<address>/edit", "customer_write")(edit_corporate)
    api.route("GET", f"{ROOT}/<address>/{SHELF}", "customer_read")(list_parts)
    api.route("POST", f"{ROOT}/<address>/{SHELF}/create", "customer_write")(create_part)
    api.route("POST", f"{ROOT}/<address>/{SHELF}/<part>/edit", "customer_write")(edit_part)


def list_corporate(call: ApiCall) -> Reply:
    """A page of corporate customers."""
    rows, head = listed(call, call.account.tables["corporate"], FILTERS, DOCUMENTED)
    return {**head, "customersCorporate": [shapes.corporate(call.account, row) for row in rows]}


def get_corporate(call: ApiCall, address: str) -> Reply:
    """One corporate customer."""
    return {"customerCorporate": shapes.corporate(call.account, call.find("corporate", address))}


def create_corporate(call: ApiCall) -> Reply:
    """Make a corporate customer."""
    given = call.entity("customerCorporate")
    return {"id": corporate.create(call.account, given, call.site() or "", call.ignored)["id"]}, 201


def edit_corporate(call: ApiCall, address: str) -> Reply:
    """Change a corporate customer."""
    given = call.entity("customerCorporate")
    row = call.find("corporate", address)
    return {"id": corporate.update(call.account, row, given, call.ignored)["id"]}


def list_parts(call: ApiCall, address: str, shelf: str) -> Reply:
    """A page of companies, addresses or contacts."""
    row = call.find("corporate", address)
    parts = row[corporate.SHELVES[shelf][1]][::-1]
    if shelf == "companies":
        parts = [shapes.company(call.account, row, part) for part in parts]
    if shelf == "contacts":
        parts = [shapes.contact(call.account, row, part) for part in parts]
    return paged(call, shelf, parts)


def create_part(call: ApiCall, address: str, shelf: str) -> Reply:
    """Add a company, an address or a contact."""
    name, field, _ = corporate.SHELVES[shelf]
    given = call.entity(name)
    row = call.find("corporate", address)
    after = corporate.with_part(call.account, row, shelf, given, None, call.ignored)
    corporate.enlist(call.account, changes.change(call.account, "corporate", row, after))
    return {"id": after[field][-1]["id"]}, 201


def edit_part(call: ApiCall, address: str, shelf: str, part: str) -> Reply:
    """Change a company, an address or a contact."""
    given = call.entity(corporate.SHELVES[shelf][0])
    row = call.find("corporate", address)
    entity_by = call.word("entityBy") or "externalId"
    known = corporate.part_of(call.account, row, shelf, part, entity_by)
    after = corporate.with_part(call.account, row, shelf, given, known, call.ignored)
    changes.change(call.account, "corporate", row, after)
    return {"id": known["customer"] if shelf == "contacts" else known["id"]}
