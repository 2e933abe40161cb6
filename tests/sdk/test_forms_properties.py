"""parse_php_form on generated bodies: it agrees with a slow model and with urllib."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, quote, urlencode

from hypothesis import example, given, settings
from hypothesis import strategies as st

from crmkit.forms import FormDict, FormError, FormValue, parse_php_form

INT_MIN, INT_MAX = -(2**63), 2**63 - 1


class PhpArray:
    """An ordered PHP array with real integer keys, for the model only."""

    def __init__(self) -> None:
        self.items: list[tuple[int | str, str | PhpArray]] = []

    def get(self, key: int | str) -> str | PhpArray | None:
        return next((value for known, value in self.items if known == key), None)

    def put(self, key: int | str, value: str | PhpArray) -> None:
        for at, (known, _) in enumerate(self.items):
            if known == key:
                self.items[at] = (key, value)
                return
        self.items.append((key, value))

    def push_key(self) -> int | None:
        numbers = [key for key, _ in self.items if isinstance(key, int)]
        if not numbers:
            return 0
        return None if max(numbers) == INT_MAX else max(numbers) + 1


def php_key(text: str) -> int | str:
    if re.fullmatch(r"-?[0-9]+", text) and str(int(text)) == text and INT_MIN <= int(text) <= INT_MAX:
        return int(text)
    return text


def model_decode(part: bytes) -> bytes:
    out, at = bytearray(), 0
    digits = b"0123456789abcdefABCDEF"
    while at < len(part):
        sign = part[at]
        if sign == ord("%") and at + 2 < len(part) and part[at + 1] in digits and part[at + 2] in digits:
            out.append(int(part[at + 1 : at + 3], 16))
            at += 3
            continue
        out.append(ord(" ") if sign == ord("+") else sign)
        at += 1
    return bytes(out)


def model_key(raw: bytes) -> tuple[list[str | None], str]:
    """Give the segments of a key, and `set`, `drop`, `forget` or `arrays only`."""
    name = model_decode(raw).split(b"\0")[0].decode("utf-8", "replace").lstrip(" ")
    head, bracket, rest = name.partition("[")
    segments: list[str | None] = [re.sub("[ .]", "_", head)]
    if not head:
        return [], "drop"
    while bracket:
        if len(segments) > 64:
            break
        inside, closed, tail = rest.partition("]")
        if not closed:
            if len(segments) == 1:
                segments = [re.sub(r"[ .\[]", "_", name)]
            break
        segments.append(None if inside in ("", " ", "\t", "\n", "\v", "\f", "\r") else inside)
        bracket, rest = tail[:1], tail[1:]
        if bracket != "[":
            break
    deep = len(segments) > 64 and bracket == "["
    for at, segment in enumerate(segments[:64] if deep else segments):
        for prefix in ("__Host-", "__Secure-"):
            if segment is not None and segment.startswith(prefix) and not name.startswith(prefix):
                return segments[:at], "arrays only" if at else "drop"
    return (segments[:1], "forget") if deep else (segments, "set")


def model_put(root: PhpArray, segments: list[str | None], rule: str, value: str) -> None:
    array = root
    last = len(segments) - 1
    for at, segment in enumerate(segments):
        key = array.push_key() if segment is None else php_key(segment)
        if key is None:
            return
        if rule == "set" and at == last:
            array.put(key, value)
            return
        child = array.get(key)
        if not isinstance(child, PhpArray):
            child = PhpArray()
            array.put(key, child)
        array = child


def model_value(value: str | PhpArray) -> FormValue:
    if isinstance(value, str):
        return value
    if [key for key, _ in value.items] == list(range(len(value.items))):
        return [model_value(item) for _, item in value.items]
    return {str(key): model_value(item) for key, item in value.items}


def model(body: bytes) -> FormDict:
    """Read a body sign by sign, as PHP's sources describe it, with no thought of speed."""
    root = PhpArray()
    for pair in body.split(b"&"):
        raw_key, _, raw_value = pair.partition(b"=")
        segments, rule = model_key(raw_key)
        if rule == "forget":
            root.items = [item for item in root.items if item[0] != php_key(str(segments[0]))]
        elif rule != "drop":
            model_put(root, segments, rule, model_decode(raw_value).decode("utf-8", "replace"))
    return {str(key): model_value(value) for key, value in root.items}


PIECES = [
    *("a", "b", "[", "]", "[]", "[0]", "[1]", "[2]", "[k]", "[-2]", "[01]", "[-0]", "[ ]", "[+x]"),
    *("&", "&", "&", "=", "=", "=1", "a=", "a[]=", "a[k]=", "b[0][]=", "&a[]", "&a[k]", ".", "+", "_"),
    *("%", "%4", "%zz", "%41", "%5B", "%5D", "%00", "%0A", "%1E", "%1F", "%26", "%3D", "%D0%96", "%2B"),
    *(";", "\n", "\r", "\x1e", "\x1f", "__Host-", "_Host-", "__Secure-", "[x]" * 62, "[y]" * 63, "[]" * 64),
    *("[9223372036854775807]", "[9223372036854775806]", "[-9223372036854775808]", "[9223372036854775808]"),
]
php_like = st.lists(st.sampled_from(PIECES), max_size=30).map("".join).map(str.encode)


@settings(max_examples=400, deadline=None)
@given(php_like)
@example(b"a[x]=1&a=2&a[]=3&a[x][]=4")
def test_agrees_with_the_model(body: bytes) -> None:
    """Any mixture of brackets, escapes, numbers and conflicts is read as the slow model reads it."""
    parsed, expected = parse_php_form(body), model(body)
    assert repr(parsed) == repr(expected)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400) | st.lists(st.sampled_from(b"a[]=&%+0\xff\x00"), max_size=300).map(bytes))
def test_agrees_with_the_model_on_any_bytes(body: bytes) -> None:
    """Bytes without any form are read as the slow model reads them, and nothing is raised."""
    assert repr(parse_php_form(body)) == repr(model(body))


@settings(max_examples=200, deadline=None)
@given(php_like, st.integers(0, 60), st.integers(1, 6))
def test_raises_form_error_only(body: bytes, max_bytes: int, max_pairs: int) -> None:
    """Under tight caps a body is either read or refused with FormError, by its size alone."""
    refused = len(body) > max_bytes or body.count(b"&") + 1 > max_pairs
    try:
        parsed = parse_php_form(body, max_bytes=max_bytes, max_pairs=max_pairs)
    except FormError:
        assert refused
    else:
        assert not refused
        assert parsed == parse_php_form(body)


flat_letters = st.characters(exclude_characters="[. \0", exclude_categories=["Cs"])
flat_names = st.text(flat_letters, min_size=1).filter(lambda name: not name.startswith("__"))


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(flat_names, st.text(), max_size=12))
def test_flat_keys_agree_with_urllib(pairs: dict[str, str]) -> None:
    """What urllib writes and reads back flat, we read the same."""
    body = urlencode(pairs)
    assert parse_php_form(body.encode()) == dict(parse_qsl(body, keep_blank_values=True)) == pairs


leaves = st.text(max_size=8)
letters = st.characters(exclude_characters="[]\0 -_", exclude_categories=["Cs", "Nd"])
names = st.text(letters, min_size=2, max_size=6)
trees = st.recursive(
    leaves,
    lambda inner: st.lists(inner, min_size=1, max_size=4) | st.dictionaries(names, inner, min_size=1, max_size=4),
    max_leaves=20,
)


def written(prefix: str, value: FormValue) -> list[str]:
    if isinstance(value, str):
        return [f"{quote(prefix)}={quote(value)}"]
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    return [pair for key, item in inner for pair in written(f"{prefix}[{key}]", item)]


@settings(max_examples=200, deadline=None)
@given(trees)
def test_reads_back_what_php_writes(tree: FormValue) -> None:
    """A tree written the way of http_build_query comes back as the same tree."""
    assert parse_php_form("&".join(written("data", tree)).encode()) == {"data": tree}
