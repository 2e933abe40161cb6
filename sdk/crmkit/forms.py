"""parse_php_form: the nested form bodies that amoCRM and Bitrix24 send, read as PHP itself reads them."""

from __future__ import annotations

import re
from binascii import a2b_qp
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import count
from operator import eq
from typing import NamedTuple, TypeAlias

from crmkit.errors import BadPayload

MAX_BYTES = 4 * 1024 * 1024
"""Longest body that is read, in bytes."""

MAX_PAIRS = 20_000
"""Most pairs in a body; PHP's own 1,000 would cut honest bulk hooks."""

MAX_ARRAYS = 100_000
"""Most arrays that one body may open: `[][][]…` buys an array for two bytes, honest senders need few."""

FormValue: TypeAlias = "str | list[FormValue] | dict[str, FormValue]"
"""What a key holds: a text, a list (PHP keys 0..n-1 in that order) or a dict (every other array)."""

FormDict: TypeAlias = dict[str, FormValue]
"""A whole body by its top-level names."""


class FormError(BadPayload):
    """The body is larger than what may be read: in bytes, in pairs or in arrays."""


def parse_php_form(body: bytes, *, max_bytes: int = MAX_BYTES, max_pairs: int = MAX_PAIRS) -> FormDict:
    """Give the body as PHP 8 would put it into `$_POST`, with every key a `str`.

    Arrays whose keys are exactly 0..n-1 in that order come as lists, all others as dicts in the order sent;
    the result itself is always a dict. Nothing malformed is refused: broken percents stay as text, pairs that
    PHP drops are dropped. Bytes that are not UTF-8 become U+FFFD, so that the text can be stored and sent on
    (PHP would keep the bytes; keys that differ only in them meet): keep the body where they matter. Linear in
    the length of the body.

    Raises FormError when the body is over `max_bytes`, has more than `max_pairs` pairs (empty ones count), or
    opens more than MAX_ARRAYS arrays. Raises nothing else.
    Source: PHP 8 `parse_str`, compared with PHP 8.2 on random bodies.
    """
    if len(body) > max_bytes:
        raise FormError(
            f"The form body has {len(body):,} bytes, {max_bytes:,} are read at most.",
            remedy="Raise max_bytes if the sender is honest.",
        )
    pairs = body.count(b"&") + 1
    if pairs > max_pairs:
        raise FormError(
            f"The form body has {pairs:,} pairs, {max_pairs:,} are read at most.",
            remedy="Raise max_pairs if the sender is honest.",
        )
    form = _Form()
    form.fill(_pairs(body))
    return form.settled()


# The separators and the escape sign are swapped for signs that a2b_qp and UTF-8 leave alone: one pass of C
# code then decodes the whole body, keys and values together.
_PAIR_END, _KEY_END = "\x1e", "\x1f"
_SWAP = bytes.maketrans(b"&=+%", b"\x1e\x1f =")
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


def _pairs(body: bytes) -> Iterator[tuple[str, str]]:
    decoded = a2b_qp(body.translate(_SWAP))
    is_exact = (
        # Each escape gives one byte for three, else a2b_qp met a broken one and did with it as it liked.
        len(decoded) == len(body) - 2 * body.count(b"%")
        # A separator that came in as data cannot be told from a real one.
        and decoded.count(b"\x1e") == body.count(b"&")
        and decoded.count(b"\x1f") == body.count(b"=")
        # a2b_qp takes a line break after an escape sign for a folded line.
        and b"\n" not in body
        and b"\r" not in body
    )
    if not is_exact:
        yield from _pairs_one_by_one(body)
        return
    for pair in decoded.decode("utf-8", "replace").split(_PAIR_END):
        key, _, value = pair.partition(_KEY_END)
        yield key, value.replace(_KEY_END, "=") if _KEY_END in value else value


def _pairs_one_by_one(body: bytes) -> Iterator[tuple[str, str]]:
    # As text, because joining bytes costs 80 bytes of memory a piece, and `%%%%…` gives millions of pieces.
    mended = _BROKEN_ESCAPE.sub("%25", body.decode("latin-1")).encode("latin-1")
    for pair in mended.replace(b"+", b" ").split(b"&"):
        key, _, value = pair.partition(b"=")
        yield _text(key), _text(value)


def _text(part: bytes) -> str:
    # What a2b_qp has a meaning of its own for goes in escaped.
    escaped = part.replace(b"=", b"%3D").replace(b"\n", b"%0A").replace(b"\r", b"%0D")
    return a2b_qp(escaped.replace(b"%", b"=")).decode("utf-8", "replace")


class _Step(NamedTuple):
    """One bracket of a key: the text in it, and the same as PHP's integer key; no text pushes."""

    text: str | None
    number: int | None


class _Path(NamedTuple):
    """Where a key leads: through `arrays` to `leaf`."""

    arrays: tuple[_Step, ...]
    leaf: _Step
    parent: str | None  # one text for `arrays`; None when a push makes them others each time
    rule: str


_NAMED, _NUMBERED, _NOTHING, _FORGET = "named", "numbered", "nothing", "forget"

_MAX_DEPTH = 64  # PHP's max_input_nesting_level
_SPACES = frozenset(" \t\n\v\f\r")
_MANGLED = str.maketrans(" .[", "___")
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,18}", re.ASCII)
_INT_MIN, _INT_MAX = -(2**63), 2**63 - 1

# Longer keys are hostile or rare: they are worked out each time, so that the cache stays small.
_CACHED_KEY = 256


def _path(key: str) -> _Path | None:
    name = key.partition("\0")[0].lstrip(" ")
    bracket = name.find("[")
    if bracket == 0 or not name:
        return None
    segments = _segments(name, bracket)
    rule = _FORGET if len(segments) > _MAX_DEPTH + 1 else ""
    for depth, segment in enumerate(segments[:_MAX_DEPTH] if rule else segments):
        if segment is not None and _is_forbidden(segment, name):
            if depth == 0:
                return None
            segments, rule = segments[: depth + 1], _NOTHING
            break
    steps = tuple(_Step(segment, _integer(segment)) for segment in segments)
    if rule is _FORGET:
        return _Path((), steps[0], "", rule)
    arrays, leaf = steps[:-1], steps[-1]
    texts = [step.text for step in arrays if step.text is not None]
    parent = "\0".join(texts) if len(texts) == len(arrays) else None
    is_named = leaf.text is not None and leaf.number is None
    return _Path(arrays, leaf, parent, rule or (_NAMED if is_named else _NUMBERED))


_cached_path = lru_cache(maxsize=4096)(_path)


def _segments(name: str, bracket: int) -> tuple[str | None, ...]:
    if bracket < 0:
        return (name.translate(_MANGLED),)
    segments: list[str | None] = [name[:bracket].translate(_MANGLED)]
    at = bracket
    while name[at : at + 1] == "[" and len(segments) <= _MAX_DEPTH + 1:
        end = name.find("]", at)
        if end < 0 and at == bracket:
            return (name.translate(_MANGLED),)
        if end < 0 and len(segments) <= _MAX_DEPTH:
            break
        segment = name[at + 1 : end]
        segments.append(None if not segment or segment in _SPACES else segment)
        at = end + 1
    return tuple(segments)


def _is_forbidden(segment: str, name: str) -> bool:
    # PHP guards two cookie prefixes in every input, arrays' keys included: none may come by mangling.
    return any(segment.startswith(prefix) and not name.startswith(prefix) for prefix in ("__Host-", "__Secure-"))


def _integer(key: str | None) -> int | None:
    if key is None or _INTEGER.fullmatch(key) is None:
        return None
    number = int(key)
    return number if _INT_MIN <= number <= _INT_MAX else None


class _Array(dict[str, FormValue]):
    """An array being filled; its push counter lives and dies with it."""

    __slots__ = ("next_push",)

    def __init__(self) -> None:
        self.next_push = _INT_MIN

    def count_in(self, number: int) -> None:
        if number >= self.next_push:
            self.next_push = min(number + 1, _INT_MAX)

    def pushed_key(self) -> str | None:
        number = 0 if self.next_push == _INT_MIN else self.next_push
        key = str(number)
        if number == _INT_MAX and key in self:
            return None
        self.count_in(number)
        return key

    def settled(self) -> FormValue:
        # next_push is a quick way to say no; the keys are compared only when they may be 0..n-1.
        is_list = self.next_push == len(self) and all(map(eq, self, map(str, count())))
        return list(self.values()) if is_list or not self else dict(self)


class _Form:
    """The tree of one body: each array made once, found again by its keys, settled at the end."""

    def __init__(self) -> None:
        self._root = _Array()
        self._known: dict[str | None, _Array] = {"": self._root}
        self._made: list[tuple[_Array, str, _Array]] = []

    def fill(self, pairs: Iterable[tuple[str, str]]) -> None:
        known = self._known
        for key, value in pairs:
            path = _cached_path(key) if len(key) <= _CACHED_KEY else _path(key)
            if path is None:
                continue
            array = known.get(path[2])
            if array is None:
                array = self._reach(path)
                if array is None:
                    continue
            name = path[1][0]
            if path[3] is _NAMED and name is not None and name not in array:
                array[name] = value
            else:
                self._put(array, path, value)

    def settled(self) -> FormDict:
        for holder, key, array in reversed(self._made):  # the inner ones were made after the outer ones
            if holder.get(key) is array:
                holder[key] = array.settled()
        return dict(self._root)

    def _reach(self, path: _Path) -> _Array | None:
        array = self._root
        for text, number in path.arrays:
            key = array.pushed_key() if text is None else text
            if key is None:
                return None
            child = array.get(key)
            if not isinstance(child, _Array):
                child = self._opened(array, key)
                if number is not None:
                    array.count_in(number)
            array = child
        if path.parent is not None:
            self._known[path.parent] = array
        return array

    def _opened(self, holder: _Array, key: str) -> _Array:
        if len(self._made) >= MAX_ARRAYS:
            raise FormError(f"The form body opens more than {MAX_ARRAYS:,} arrays; no honest sender does.")
        array = _Array()
        holder[key] = array
        self._made.append((holder, key, array))
        return array

    def _put(self, array: _Array, path: _Path, value: str) -> None:
        (text, number), rule = path.leaf, path.rule
        key = array.pushed_key() if text is None else text
        if key is None or rule is _NOTHING:
            return
        if isinstance(array.get(key), _Array):
            # The array goes with all that it holds, and so must every name it was known by.
            self._known.clear()
            self._known[""] = self._root
        if rule is _FORGET:
            array.pop(key, None)
            return
        array[key] = value
        if number is not None:
            array.count_in(number)
