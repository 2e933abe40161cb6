"""Requests of retailCRM's triggers, with the names an administrator typed, and of its modules: bytes to hints; pure."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from urllib.parse import urlsplit

from crmkit.errors import BadPayload, WebhookRejected
from crmkit.forms import parse_php_form
from crmkit.settings import AccountSettings
from crmkit.values import Kind, Ref
from crmkit.webhook import Action, Delivery, Hint, WebhookRequest
from crmkit_retailcrm.errors.refusals import VENDOR

_ENTITIES: Mapping[str, Kind] = {
    "order": Kind.DEAL,
    "customer": Kind.CONTACT,
    "customer_corporate": Kind.COMPANY,
    "corporate": Kind.COMPANY,
    "task": Kind.TASK,
}
_ACTIONS: Mapping[str, Action] = {
    "create": Action.ADDED,
    "created": Action.ADDED,
    "add": Action.ADDED,
    "delete": Action.DELETED,
    "deleted": Action.DELETED,
}
_CALLBACKS: Mapping[str, str] = {
    "register": "a request to connect belongs to the install address of a service, not to an account's hooks",
    "activity": "the module was switched on, off or frozen; nothing has changed in the records",
    "settings": "settings of the account have changed; crmkit reads them anew by itself",
    "phone": "a wish to be called belongs to the telephony",
    "userId": "a user's status has changed; nothing has changed in the records",
}
"""What the CRM sends to modules. Source: retailCRM, page "Integration modules", callbacks."""


def parse(request: WebhookRequest, settings: AccountSettings) -> Delivery:
    """The record that a trigger names, as a hint; other requests are named in `refusals`.

    Raises BadPayload for a body that is no form, WebhookRejected for a wrong token or another module's client.
    Source: retailCRM, page "Triggers", action "HTTP request".
    """
    form = _form(request)
    _check_sender(form, settings)
    for name, meaning in _CALLBACKS.items():
        if name in form and (name == "register" or "clientId" in form):
            return Delivery(refusals=(f"{name}: {meaning}",))
    entity, _, event = form.get("event", "").partition(".")
    named = form.get("entity") or entity or ("order" if "status" in form else "")
    kind = _ENTITIES.get(named.lower())
    if kind is None:
        return Delivery(refusals=(f"{named or 'no entity'}: send entity = order, customer or task from the trigger",))
    if kind is Kind.CONTACT and form.get("type") == "customer_corporate":
        kind = Kind.COMPANY
    record_id = form.get("id", "")
    if not (record_id.isascii() and record_id.isdigit() and record_id != "0"):
        what = "a template that was not filled in" if "{{" in record_id else "no id"
        return Delivery(refusals=(f"{named}: {what}; correct the parameter id in the trigger",))
    action = _ACTIONS.get(event.rpartition(".")[2] or event, Action.CHANGED)
    return Delivery((Hint(Ref(settings.key, kind, record_id), action),))


def _form(request: WebhookRequest) -> dict[str, str]:
    """The parameters that are texts, of the query and the body; the body's win."""
    if request.headers.get("content-type", "").startswith("application/json") or request.body[:1] in (b"{", b"["):
        raise BadPayload(
            "the hook's body is JSON, not a form",
            remedy="Let the trigger send parameters, not a body.",
        )
    found = {**parse_php_form(request.query.encode()), **parse_php_form(request.body)}
    form = {name: value.strip() for name, value in found.items() if isinstance(value, str)}
    if not form:
        raise BadPayload("the hook says nothing", remedy="Give the trigger the parameters entity and id.")
    return form


def _check_sender(form: Mapping[str, str], settings: AccountSettings) -> None:
    token = getattr(settings, "trigger_token", None)
    if token is not None and "clientId" not in form:
        wanted = token.get_secret_value().encode()
        if not hmac.compare_digest(wanted, form.get("token", "").encode()):
            raise WebhookRejected(
                "the trigger's token is wrong or missing",
                account=settings.key,
                vendor=VENDOR,
                remedy="Let the trigger send the parameter token with the account's trigger_token.",
            )
    if "clientId" in form and not hmac.compare_digest(form["clientId"].encode(), settings.key.encode()):
        raise WebhookRejected(
            "the request is for another module's client",
            account=settings.key,
            vendor=VENDOR,
            remedy="Register the module anew; its clientId is the account's key.",
        )
    system = form.get("systemUrl")
    if system and urlsplit(system).hostname != urlsplit(settings.base_url).hostname:
        raise WebhookRejected(
            f"the request comes from another account ({urlsplit(system).hostname})",
            account=settings.key,
            vendor=VENDOR,
            remedy="Remove the module from the other account, or correct base_url.",
        )
