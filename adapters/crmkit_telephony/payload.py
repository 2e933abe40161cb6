"""A delivery's fields as text, whatever form the sender gave them: query, form, JSON, JSON-RPC, headers."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping

from crmkit.errors import BadPayload
from crmkit.forms import parse_php_form
from crmkit.webhook import WebhookRequest

Fields = Mapping[str, str]
"""Name (folded, see `fold`) to text; empty where the sender sent the field without a value."""

DEEPEST = 4
"""How far nested objects are looked into."""


def fold(name: str) -> str:
    """The name as it is compared: lower case, `-` as `_`, because header names come in both spellings."""
    return name.strip().lower().replace("-", "_")


def read_fields(request: WebhookRequest, *, nested: Collection[str] = (), header_names: Collection[str] = ()) -> Fields:
    """Give every field of the delivery; the body wins over the query, both win over headers.

    `nested` names objects whose fields count as the delivery's own (an outer field wins), also when they come as a
    JSON text inside a form. `header_names` are the header fields to take: the others are the transport's own.

    Raises BadPayload when the body is neither JSON nor a form.
    """
    inner = {fold(name) for name in nested} | {"params"}
    found: dict[str, str] = {}
    for fields in (
        _flat(_body(request), inner),
        _flat(parse_php_form(request.query.encode()), inner),
        _header_fields(request, {fold(name) for name in header_names}),
    ):
        _fill(found, fields)
    return found


def _fill(found: dict[str, str], fields: Fields) -> None:
    """Take over the fields that have no value so far."""
    for name, text in fields.items():
        found[name] = found.get(name) or text


def _header_fields(request: WebhookRequest, names: Collection[str]) -> dict[str, str]:
    return {fold(name): _text(_unmangled(value)) for name, value in request.headers.items() if fold(name) in names}


def _unmangled(value: str) -> str:
    # Servers hand headers on as Latin-1, senders write them in UTF-8.
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return value


def _body(request: WebhookRequest) -> object:
    body = request.body.strip()
    if not body:
        return {}
    is_json = "json" in request.headers.get("content-type", "") or body[:1] in (b"{", b"[")
    if not is_json:
        return parse_php_form(body)
    try:
        found: object = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadPayload(
            f"the body of {len(body)} bytes begins like JSON and is none: {type(error).__name__}: {error}",
            remedy="Look at the template in the telephony's settings: texts need quotes, the last field no comma.",
        ) from error
    # One call may come alone in a list, as JSON-RPC gives positional parameters.
    return found[0] if isinstance(found, list) and len(found) == 1 else found


def _flat(data: object, nested: Collection[str]) -> dict[str, str]:
    """The fields of all levels, an outer one winning over an inner one of the same name."""
    if not isinstance(data, Mapping):
        raise BadPayload(
            f"the body is a {type(data).__name__}, expected an object with one call",
            remedy="Send one call a delivery, as an object.",
        )
    found: dict[str, str] = {}
    for level in _levels(data, nested, DEEPEST):
        _fill(found, {fold(str(name)): _text(value) for name, value in level.items()})
    return found


def _levels(data: Mapping[object, object], nested: Collection[str], depth: int) -> Iterator[Mapping[object, object]]:
    yield data
    if not depth:
        return
    for name, value in data.items():
        if fold(str(name)) in nested:
            inner = _opened(value)
            if isinstance(inner, Mapping):
                yield from _levels(inner, nested, depth - 1)


def _opened(value: object) -> object:
    if isinstance(value, list) and len(value) == 1:
        return value[0]
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return None
    return value


def _text(value: object) -> str:
    match value:
        case bool():
            return str(int(value))
        case str():
            # Neither half a character nor NUL can be stored by every database.
            return value.encode(errors="replace").decode().replace("\0", "").strip()
        case int() | float():
            return str(value)
    return ""
