"""Parameters with PHP's brackets, as nested objects."""

import re
from collections.abc import Iterable

from crmkit_sandbox.wire import Row

PARTS = re.compile(r"\[([^\]]*)\]")
DEPTH = 8


def nest(pairs: Iterable[tuple[str, str]]) -> Row:
    """`a[b][]=1&a[b][]=2` as `{"a": {"b": {"0": "1", "1": "2"}}}`; what is nested too deep is left out."""
    found: Row = {}
    for name, value in pairs:
        head, bracket, _ = name.partition("[")
        path = [head, *PARTS.findall(name[len(head) :])] if bracket else [name]
        if len(path) <= DEPTH:
            _put(found, path, value)
    return found


def values(node: object) -> list[str]:
    """The strings of a list parameter; a single value is a list of one."""
    if isinstance(node, dict):
        return [value for value in node.values() if isinstance(value, str)]
    return [node] if isinstance(node, str) else []


def _put(found: Row, path: list[str], value: str) -> None:
    node = found
    for part in path[:-1]:
        key = part or str(len(node))
        if not isinstance(node.get(key), dict):
            node[key] = {}
        node = node[key]
    node[path[-1] or str(len(node))] = value
