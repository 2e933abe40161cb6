"""Parameters of calls: PHP brackets, JSON, and `$result[...]` references of a batch."""

import json
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl, quote_plus

from werkzeug.wrappers import Request

from crmkit_sandbox.wire import Row

from .problems import Problem

BRACKETS = re.compile(r"\[([^\]]*)\]")
REFERENCE = re.compile(r"\$result((?:\[[^\]]*\])+)")
DEEPEST, MOST_INDEXED = 32, 10_000


def read_params(request: Request) -> Row:
    """The parameters of query and body, the body's winning.

    Raises Problem 400 for a body that is not JSON though it says so.
    """
    params = parse_php(parse_qsl(request.query_string.decode("utf-8", "replace"), keep_blank_values=True))
    if request.mimetype == "application/json":
        data = request.get_data()
        if data:
            params |= _read_json(data)
    else:
        params |= parse_php(request.form.items(multi=True))
    return params


def parse_query(query: str) -> Row:
    """The parameters of one command of a batch."""
    return parse_php(parse_qsl(query, keep_blank_values=True))


def parse_php(pairs: Iterable[tuple[str, str]]) -> Row:
    """Pairs with PHP brackets as nested maps; a map with keys 0..n-1 becomes a list, as PHP arrays are both."""
    tree: Row = {}
    for name, value in pairs:
        head, _, rest = name.partition("[")
        path = [head, *BRACKETS.findall(f"[{rest}")] if rest else [head]
        _plant(tree, path[:DEEPEST], value)
    return {name: _lists(node) for name, node in tree.items()}


def encode_php(data: Row) -> str:
    """`data` as a form with percent-encoded brackets; nothing for None."""
    return "&".join(f"{quote_plus(name)}={quote_plus(text)}" for name, text in _flat("", data))


def resolve(node: Any, results: Row) -> Any:
    """`node` with references to earlier results put in; one that leads nowhere becomes an empty string."""
    if isinstance(node, dict):
        return {name: resolve(inner, results) for name, inner in node.items()}
    if isinstance(node, list):
        return [resolve(inner, results) for inner in node]
    if not isinstance(node, str) or "$result" not in node:
        return node
    whole = REFERENCE.fullmatch(node)
    if whole:
        return _follow(whole[1], results)
    return REFERENCE.sub(lambda match: _text(_follow(match[1], results)), node)


def items_of(value: Any) -> list[Any]:
    """The items of a PHP array, which comes as a list or as a map."""
    if isinstance(value, dict):
        return list(value.values())
    if isinstance(value, list):
        return value
    return [] if value in (None, "", False) else [value]


def _read_json(data: bytes) -> Row:
    try:
        body = json.loads(data)
    except ValueError:
        raise Problem(400, "INVALID_REQUEST", "Invalid JSON") from None
    return body if isinstance(body, dict) else {}


def _plant(tree: Row, path: list[str], value: str) -> None:
    node: Row = tree
    for name, after in zip(path, [*path[1:], None], strict=True):
        key = name or str(len(node))
        if after is None:
            node[key] = value
            return
        inner = node.get(key)
        if not isinstance(inner, dict):
            inner = node[key] = {}
        node = inner


def _lists(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    filled = {name: _lists(inner) for name, inner in node.items()}
    if len(filled) < MOST_INDEXED and list(filled) == [str(index) for index in range(len(filled))]:
        return list(filled.values())
    return filled


def _follow(path: str, results: Row) -> Any:
    node: Any = results
    for name in BRACKETS.findall(path):
        if isinstance(node, dict):
            node = node.get(name)
        elif isinstance(node, list) and name.isdecimal() and int(name) < len(node):
            node = node[int(name)]
        else:
            return ""
    return "" if node is None else node


def _text(value: Any) -> str:
    return "" if isinstance(value, dict | list) else str(value)


def _flat(path: str, node: Any) -> list[tuple[str, str]]:
    if isinstance(node, dict):
        pairs = ((f"{path}[{name}]" if path else str(name), inner) for name, inner in node.items())
        return [pair for name, inner in pairs for pair in _flat(name, inner)]
    if isinstance(node, list):
        return [pair for index, inner in enumerate(node) for pair in _flat(f"{path}[{index}]", inner)]
    return [] if node is None else [(path, str(node))]
