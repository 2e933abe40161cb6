"""amoCRM's hooks, in the vendor's old format: bytes to hints; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from crmkit.errors import BadPayload, WebhookRejected
from crmkit.forms import FormDict, FormValue, parse_php_form
from crmkit.settings import AccountSettings
from crmkit.values import Kind, Ref
from crmkit.webhook import Action, Delivery, Hint, WebhookRequest
from crmkit_amocrm.errors.refusals import VENDOR
from crmkit_amocrm.wire import ELEMENT_TYPES, PARENTS

_ACTIONS: Mapping[str, Action] = {
    "add": Action.ADDED,
    "update": Action.CHANGED,
    "status": Action.CHANGED,
    "responsible": Action.CHANGED,
    "restore": Action.CHANGED,
    "delete": Action.DELETED,
    # Sent by stages of the digital pipeline, with a few keys of the deal only.
    "mail_in": Action.CHANGED,
    "call_in": Action.CHANGED,
    "chat": Action.CHANGED,
    "site_visit": Action.CHANGED,
}
"""Source: amoCRM, pages "Webhooks format" and "Digital pipeline webhooks"."""

_ENTITIES: Mapping[str, Kind] = {
    "leads": Kind.DEAL,
    "contacts": Kind.CONTACT,
    "companies": Kind.COMPANY,
    "task": Kind.TASK,
    "tasks": Kind.TASK,
}
_STRANGERS: Mapping[str, str] = {
    "message": "messages belong to the chats API",
    "talk": "talks belong to the chats API",
    "catalogs": "elements of lists are no records of crmkit",
    "customers": "customers are no records of crmkit",
    "catalog_elements": "elements of lists are no records of crmkit",
    "chat_template": "chat templates belong to the chats API",
}
_CALL_NUMBERS = {"10", "11", "call_in", "call_out"}
_NAMES_OF_KINDS = {Kind.DEAL: "leads", Kind.CONTACT: "contacts", Kind.COMPANY: "companies"}
_DEEPEST = 4
"""Levels of indexes between an action and its items; one is documented, two were seen."""

Item = Mapping[str, Any]


def parse(request: WebhookRequest, settings: AccountSettings) -> Delivery:
    """Every item of a hook as a hint; what crmkit has no kind for is named in `refusals`.

    Raises BadPayload for a body that is no hook form, WebhookRejected for one of another account.
    Source: amoCRM, page "Webhooks format".
    """
    form = _form(request)
    account_id = _check_account(form, settings)
    hints: list[Hint] = []
    refusals: list[str] = []
    reader = _Reader(settings.key)
    for entity, actions in form.items():
        if entity == "account":
            continue
        if not isinstance(actions, dict):
            refusals.append(f"{entity}: not the shape of a hook")
            continue
        for action, node in actions.items():
            _read(reader, entity, action, node, hints, refusals)
    if not hints and not refusals:
        refusals.append("the body names no record")
    return Delivery(tuple(dict.fromkeys(hints)), (), tuple(dict.fromkeys(refusals)), account_id)


def _form(request: WebhookRequest) -> FormDict:
    if request.headers.get("content-type", "").startswith("application/json") or request.body[:1] in (b"{", b"["):
        raise BadPayload(
            "the hook's body is JSON, not a form",
            remedy="Account hooks are forms; salesbot and widget requests do not belong to this address.",
        )
    form = parse_php_form(request.body)
    if not any(form.values()):
        raise BadPayload("the hook's body is empty", remedy="Check that a proxy does not drop it.")
    return form


def _check_account(form: FormDict, settings: AccountSettings) -> str | None:
    """The vendor's id of the sending account, once it is known to be ours.

    The account's id decides where the settings name it, else the subdomain of its own address.
    """
    block = form.get("account")
    sent: Mapping[str, Any] = block if isinstance(block, dict) else {}
    sent_id, subdomain = _text(sent.get("id")), _text(sent.get("subdomain"))
    ours = getattr(settings, "account_id", None)
    host = urlsplit(settings.base_url).hostname or ""
    own_name = host.partition(".")[0] if host.endswith((".amocrm.ru", ".amocrm.com", ".kommo.com")) else None
    if ours and sent_id:
        is_foreign = sent_id != str(ours)
    else:
        is_foreign = bool(own_name and subdomain and subdomain.lower() != own_name.lower())
    if is_foreign:
        raise WebhookRejected(
            f"the hook comes from another account ({subdomain or 'no subdomain'}, {sent_id or 'no id'})",
            account=settings.key,
            vendor=VENDOR,
            remedy="Delete this address from the other account's webhooks, or correct account_id and base_url.",
        )
    return sent_id


def _read(reader: _Reader, entity: str, action: str, node: FormValue, hints: list[Hint], refusals: list[str]) -> None:
    if entity in _STRANGERS:
        refusals.append(f"{entity}.{action}: {_STRANGERS[entity]}")
        return
    read = reader.reader_of(entity, action)
    if read is None:
        refusals.append(f"{entity}.{action}: crmkit does not know this hook")
        return
    found = 0
    for item in _items(node, _DEEPEST):
        before = len(hints)
        hints.extend(read(item))
        found += 1
        if len(hints) == before:
            refusals.append(f"{entity}.{action}: an item without a usable id or card")
    if not found:
        refusals.append(f"{entity}.{action}: no items")


def _items(node: FormValue, depth: int) -> Iterator[Item]:
    """The items under an action, however many indexes lie between; a bare text is an id."""
    if isinstance(node, str):
        if node:
            yield {"id": node}
    elif isinstance(node, dict) and _is_item(node):
        yield node
    elif depth:
        for one in _indexed(node) if isinstance(node, dict) else node:
            yield from _items(one, depth - 1)


def _indexed(node: Item) -> list[FormValue]:
    """What lies under indexes, which may be sparse or names; beside a text, a name is a field and no index."""
    has_fields = any(isinstance(one, str) for key, one in node.items() if not key.isdigit())
    return [one for key, one in node.items() if key.isdigit() or (isinstance(one, dict) and not has_fields)]


def _is_item(node: Item) -> bool:
    return isinstance(node.get("note"), dict | str) or any(isinstance(node.get(key), str) for key in ("id", "uid"))


class _Reader:
    """Reads items into hints of one account."""

    def __init__(self, account: str) -> None:
        self._account = account

    def reader_of(self, entity: str, action: str) -> Callable[[Item], Iterator[Hint]] | None:
        """What reads the items of a hook; None when nothing does."""
        if entity == "unsorted":
            if action == "delete":
                return self._settled
            return (lambda item: self._incoming(_ACTIONS[action], item)) if action in ("add", "update") else None
        kind = _ENTITIES.get(entity)
        if kind is None:
            return None
        if action == "note":
            return lambda item: self._note(entity, item)
        if action not in _ACTIONS:
            return None
        return lambda item: self._record(kind, _ACTIONS[action], item)

    def _record(self, kind: Kind, action: Action, item: Item) -> Iterator[Hint]:
        # Companies come under `contacts`; their type tells.
        if kind is Kind.CONTACT and item.get("type") == "company":
            kind = Kind.COMPANY
        record_id = _id(item.get("id"))
        if record_id is None:
            return
        made = _moment(item.get("created_at")) or _moment(item.get("date_create"))
        changed = _moment(item.get("updated_at")) or _moment(item.get("last_modified")) or made
        actor = _actor(item, action)
        yield Hint(Ref(self._account, kind, record_id), action, changed, actor, None, made)

    def _note(self, entity: str, item: Item) -> Iterator[Hint]:
        inner = item.get("note")
        note: Item = inner if isinstance(inner, dict) else item
        note_id = _id(note.get("id"))
        parent = ELEMENT_TYPES.get(_text(note.get("element_type")) or "")
        if parent is None:
            is_company = entity == "contacts" and item.get("type") == "company"
            parent = "companies" if is_company else entity
        if note_id is None or parent not in PARENTS:
            return
        kind = Kind.CALL if _text(note.get("note_type")) in _CALL_NUMBERS else Kind.NOTE
        made = _moment(note.get("created_at"))
        changed = _moment(note.get("updated_at")) or made
        action = Action.ADDED if made == changed else Action.CHANGED
        ref = Ref(self._account, kind, f"{parent}.{note_id}")
        yield Hint(ref, action, changed, _actor(note, action), None, made)

    def _incoming(self, action: Action, item: Item) -> Iterator[Hint]:
        """An incoming lead, and the deal and people that already exist for it."""
        uid = _text(item.get("uid"))
        if not uid:
            return
        made = _moment(item.get("created_at")) or _moment(item.get("date_create"))
        yield Hint(Ref(self._account, Kind.LEAD, uid), action, made, None, None, made)
        if deal_id := _id(item.get("lead_id")):
            yield Hint(Ref(self._account, Kind.DEAL, deal_id), Action.CHANGED, made)
        data = item.get("data")
        for name, kind in _ENTITIES.items():
            node = data.get(name) if isinstance(data, dict) else None
            for inner in _items(node, 2) if node is not None else ():
                if record_id := _id(inner.get("id")):
                    yield Hint(Ref(self._account, kind, record_id), Action.CHANGED, made)

    def _settled(self, item: Item) -> Iterator[Hint]:
        """An incoming lead that was accepted or declined is gone; its deal has changed."""
        uid = _text(item.get("uid"))
        if not uid:
            return
        actor = _id(item.get("modified_user_id"))
        yield Hint(Ref(self._account, Kind.LEAD, uid), Action.DELETED, None, actor)
        for name in ("accept_result", "decline_result"):
            result = item.get(name)
            for kind, path in _NAMES_OF_KINDS.items():
                node = result.get(path) if isinstance(result, dict) else None
                for inner in _items(node, 2) if node is not None else ():
                    if record_id := _id(inner.get("id")):
                        yield Hint(Ref(self._account, kind, record_id), Action.CHANGED, None, actor)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _id(value: Any) -> str | None:
    text = _text(value)
    # No vendor counts further than 64 bits, and one senseless id would spoil the request for a whole batch.
    is_number = text is not None and len(text) <= 19 and text.isascii() and text.isdigit()
    return text if is_number and text != "0" else None


def _moment(value: Any) -> datetime | None:
    """A Unix time; the date texts of tasks and notes are in zones of their own and are not read."""
    text = _id(value)
    if text is None:
        return None
    with suppress(OverflowError, ValueError, OSError):
        return datetime.fromtimestamp(int(text), UTC)
    return None


def _actor(item: Item, action: Action) -> str | None:
    """Who did it: the user in the item, or in a note's metadata; 0 is a robot and no user."""
    names = ("modified_user_id", "modified_by", "updated_by")
    made = ("created_user_id", "created_by")
    for name in (*names, *made) if action is Action.ADDED else names:
        if found := _id(item.get(name)):
            return found
    return None
