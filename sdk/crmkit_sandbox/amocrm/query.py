"""The vendor's query strings: PHP brackets to nested values."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

Nested = dict[str, Any]


class Query:
    """A parsed query; `used` names the parameters that had an effect."""

    def __init__(self, query_string: str) -> None:
        self.tree: Nested = {}
        self.used: set[str] = set()
        self._given: list[tuple[str, str]] = parse_qsl(query_string, keep_blank_values=True)
        for key, value in self._given:
            _place(self.tree, _steps(key), value)

    def text(self, name: str) -> str | None:
        """A scalar parameter."""
        self.used.add(name)
        value = self.tree.get(name)
        return value if isinstance(value, str) else None

    def number(self, name: str, default: int) -> int:
        """A scalar parameter as a positive integer, else `default`."""
        value = self.text(name)
        return int(value) if value and value.isascii() and value.isdigit() and int(value) > 0 else default

    def words(self, name: str) -> frozenset[str]:
        """A parameter that lists words by commas."""
        return frozenset((self.text(name) or "").replace(" ", "").split(",")) - {""}

    def group(self, name: str) -> Nested:
        """The branch of a bracketed parameter such as `filter` or `order`."""
        value = self.tree.get(name)
        return value if isinstance(value, dict) else {}

    def pairs(self) -> list[tuple[str, str]]:
        """The parameters as given."""
        return list(self._given)

    def unused(self) -> Iterator[str]:
        """Names of parameters that nothing has looked at."""
        for name, value in self.tree.items():
            if isinstance(value, dict):
                yield from (f"{name}[{inner}]" for inner in value if f"{name}[{inner}]" not in self.used)
            elif name not in self.used:
                yield name


def values(node: object) -> list[str]:
    """The plain values below `node`; texts are split by commas, as the vendor does for lists of ids."""
    if isinstance(node, dict):
        return [value for inner in node.values() for value in values(inner)]
    return [] if node is None else [part.strip() for part in str(node).split(",") if part.strip()]


def numbers(node: object) -> set[int]:
    """The integers below `node`; other texts match nothing."""
    found = set()
    for value in values(node):
        digits = value.removeprefix("-")
        if digits.isascii() and digits.isdigit():
            found.add(int(value))
    return found


def span(node: object) -> tuple[float, float]:
    """The range of `[from]`/`[to]`; a bare value means "from"."""
    if isinstance(node, dict):
        return _float(node.get("from"), float("-inf")), _float(node.get("to"), float("inf"))
    return _float(node, float("-inf")), float("inf")


def _float(value: object, default: float) -> float:
    try:
        return float(str(value)) if value is not None else default
    except ValueError:
        return default


def _steps(key: str) -> list[str]:
    head, *rest = key.split("[")
    return [head, *(step.rstrip("]") for step in rest)]


def _place(tree: Nested, steps: list[str], value: str) -> None:
    for step in steps[:-1]:
        inner = tree.get(step)
        if not isinstance(inner, dict):
            inner = tree[step] = {}
        tree = inner
    last = steps[-1]
    tree[last or str(len(tree))] = value
