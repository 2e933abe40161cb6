"""Integration modules over the API."""

from crmkit_sandbox.wire import Row

from .account import SCOPES
from .api import Api, ApiCall, Reply
from .problems import bad_format, problem
from .shapes import EMPTY_MAP

ACTIONS = frozenset({"activity", "settings"})
REQUIRED = ("integrationCode", "name", "clientId", "baseUrl")
FAILED = "Failed to activate module"


def register(api: Api) -> None:
    """Add the routes."""
    api.route("GET", "/integration-modules/<code>", "integration_read")(get_module)
    api.route("POST", "/integration-modules/<code>/edit", "integration_write")(edit_module)
    api.route("POST", "/integration-modules/<code>/update-scopes", "integration_write")(update_scopes)


def get_module(call: ApiCall, code: str) -> Reply:
    """One module; `freeze` is the CRM's own mark."""
    module = call.account.shelves["modules"].get(code)
    if module is None:
        raise problem(404)
    return {"integrationModule": {**module, "actions": module["actions"] or EMPTY_MAP}}


def edit_module(call: ApiCall, code: str) -> Reply:
    """Register a module, or change it."""
    given = call.entity("integrationModule")
    known = call.account.shelves["modules"].get(code)
    start: Row = {"freeze": False, "native": False, "active": False, "actions": {}, "availableCountries": []}
    module = {**(known or {"code": code, **start}), **given, "code": code}
    errors = {name: "This value should not be blank." for name in REQUIRED if not isinstance(module.get(name), str)}
    actions = module["actions"] or {}
    if not isinstance(actions, dict) or not set(actions) <= ACTIONS:
        errors["actions"] = "This value is not valid."
    integrations = module.get("integrations") or {}
    if not isinstance(integrations, dict):
        errors["integrations"] = "This value is not valid."
    if errors:
        raise problem(400, FAILED, [f"{name}: {text}" for name, text in errors.items()])
    call.account.shelves["modules"][code] = module
    telephony = integrations.get("telephony") or {}
    info: Row = {}
    users = [one.get("userId") for one in telephony.get("additionalCodes") or ()]
    lost_users = [user_id for user_id in users if user_id not in call.account.shelves["users"]]
    if lost_users:
        info["notExistUsersIds"] = lost_users
    sites = [one.get("siteCode") for one in telephony.get("externalPhones") or ()]
    lost_sites = [site for site in sites if site not in call.account.references["sites"]]
    if lost_sites:
        info["notExistSiteCodes"] = lost_sites
    if integrations.get("mgTransport"):
        info["mgTransport"] = {"endpointUrl": call.base, "token": f"mg-{code}"}
    return {"info": info or EMPTY_MAP}


def update_scopes(call: ApiCall, code: str) -> Reply:
    """Give the module a new key with other scopes; the asking key stops working."""
    if code not in call.account.shelves["modules"]:
        raise problem(404)
    scopes = call.entity("requires").get("scopes")
    if not isinstance(scopes, list) or not scopes or not set(scopes) <= set(SCOPES):
        raise bad_format({"requires.scopes": "This value is not valid."})
    fresh = call.account.issue_key(scopes, call.rights.sites)
    del call.account.keys[call.key]
    return {"apiKey": fresh}
