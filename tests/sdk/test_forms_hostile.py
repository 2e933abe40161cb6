"""parse_php_form against bodies made to hurt: each is read or refused within bounded time and memory."""

from __future__ import annotations

import threading
import time
import tracemalloc

import pytest

from crmkit.forms import MAX_BYTES, FormDict, FormError, parse_php_form

SIZE = 1024 * 1024
PAIRS = 20_000
KEYS = 5_000  # more than the cache of key paths holds

# Far over what is needed (0.2 s and 60 MB for 4 MiB); a quadratic step or a copy for each pair is over these.
SECONDS = 10.0
MEMORY_PER_BYTE = 60
MEMORY_FLOOR = 60_000_000


def pairs(*texts: str) -> bytes:
    return "&".join(texts).encode()[:SIZE]


HOSTILE: dict[str, bytes] = {
    "opening brackets": b"[" * SIZE,
    "a name and opening brackets": b"a" + b"[" * SIZE,
    "closing brackets": b"a" + b"]" * SIZE,
    "one key of pushes": b"a" + b"[]" * (SIZE // 2),
    "one key of names": b"a" + b"[x]" * (SIZE // 3),
    "brackets in escapes": b"a" + b"%5B%5D" * (SIZE // 6),
    "deepest allowed pushes": pairs(*["a" + "[]" * 64] * PAIRS),
    "deepest allowed names": pairs(*(f"a{at}" + "[x]" * 64 for at in range(PAIRS))),
    "deep keys that are forgotten": pairs(*["a" + "[x]" * 65] * PAIRS),
    "deep keys too long to remember": pairs(*("a" + "[x]" * 60 + f"[{'y' * 100}{at}]" for at in range(PAIRS))),
    "broken escapes": b"%" * SIZE,
    "half escapes": b"a=" + b"%4" * (SIZE // 2),
    "escaped NULs": b"a=" + b"%00" * (SIZE // 3),
    "escaped rubbish": b"a=" + b"%FF" * (SIZE // 3),
    "half letters": b"a=" + b"%D0" * (SIZE // 3),
    "raw rubbish": b"\xff" * SIZE,
    "raw NULs": b"\0" * SIZE,
    "NULs in keys": pairs(*("a\0" + "b" * 40 for _ in range(PAIRS))),
    "ampersands": b"&" * (PAIRS - 1),
    "ampersands over the cap": b"&" * SIZE,
    "equals signs": b"=" * SIZE,
    "pairs of equals signs": pairs(*["=" * 50] * PAIRS),
    "plus signs": b"+" * SIZE + b"a=1",
    "dots": b"." * SIZE,
    "semicolons": b"a=1;" * (SIZE // 4),
    "line breaks": b"a=\r\n" + b"%41\n" * (SIZE // 4),
    "our own control signs": b"a=\x1e\x1f" * (SIZE // 4),
    "huge number as a key": b"a[" + b"9" * SIZE + b"]=1",
    "huge negative number": b"a[-" + b"9" * SIZE + b"]=1",
    "white key": b"a[" + b"+" * SIZE + b"]=1",
    "huge indexes": pairs(*(f"a[{2**62 + at * 2**40}]=1" for at in range(PAIRS))),
    "indexes that collide as integers": pairs(*(f"a[{at * (2**61 - 1)}]=1" for at in range(PAIRS))),
    "negative indexes": pairs(*(f"a[-{at}]=1" for at in range(PAIRS))),
    "pushes after the largest integer": pairs("a[9223372036854775807]=1", *["a[]=1"] * (PAIRS - 1)),
    "array over scalar over array": pairs(*["a[x][y]=1", "a=1"] * (PAIRS // 2)),
    "deep array over scalar": pairs(*["a" + "[x]" * 60 + "=1", "a=1"] * (PAIRS // 2)),
    "conflicts beside many arrays": pairs(
        *(f"b{at}[x]=1" for at in range(PAIRS // 2)), *["a[y]=1", "a=2"] * (PAIRS // 4)
    ),
    "pushes between names": pairs(*(text for at in range(PAIRS // 2) for text in ("a[]=1", f"a[x{at}]=1"))),
    "pushes into a replaced array": pairs(*["a[]=1", "a[]=2", "a=3"] * (PAIRS // 3)),
    "one key again and again": pairs(*["a=1"] * PAIRS),
    "list backwards": pairs(*(f"a[{at}]=1" for at in reversed(range(PAIRS)))),
    "list with a last odd key": pairs(*(f"a[{at}]=1" for at in range(PAIRS - 1)), "a[x]=1"),
    "long keys": pairs(*(f"k{at}" + "x" * 300 for at in range(PAIRS))),
    "one long key": b"k" * SIZE,
    "guarded prefixes": pairs(*["a[__Host-x]" + "[y]" * 10] * PAIRS),
}


def read(body: bytes) -> FormDict | None:
    try:
        return parse_php_form(body)
    except FormError:
        return None


@pytest.mark.parametrize("name", HOSTILE)
def test_bounded(name: str) -> None:
    """The body is read or refused with FormError, in seconds and in memory proportional to its length."""
    body = HOSTILE[name]
    started = time.process_time()
    read(body)
    assert time.process_time() - started < SECONDS
    tracemalloc.start()
    try:
        read(body)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < MEMORY_FLOOR + MEMORY_PER_BYTE * len(body)


def test_refused_kinds() -> None:
    """Of all hostile bodies only those that open too many arrays or hold too many pairs are refused."""
    refused = {name for name, body in HOSTILE.items() if read(body) is None}
    assert refused == {
        "deepest allowed pushes",
        "deepest allowed names",
        "deep array over scalar",
        "ampersands over the cap",
    }


def test_bodies_over_the_cap_cost_nothing() -> None:
    """A body over the byte cap is refused without a copy of it being made."""
    body = b"[" * (MAX_BYTES + 1)
    tracemalloc.start()
    try:
        assert read(body) is None
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 100_000


def test_small_stack() -> None:
    """Nesting does not use the stack: the deepest body is read in a thread with a stack of 256 kB."""
    body = ("a" + "[x]" * 64 + "=1").encode()
    results: list[FormDict | None] = []
    before = threading.stack_size(256 * 1024)
    try:
        thread = threading.Thread(target=lambda: results.append(read(body)))
        thread.start()
    finally:
        threading.stack_size(before)
    thread.join()
    assert results == [parse_php_form(body)]


def test_hostile_keys_do_not_stay_in_memory() -> None:
    """After a stream of ever new keys no more is held than the bounded cache of key paths."""

    def stream(part: int) -> None:
        parse_php_form(pairs(*(f"k{part}x{at}[a][b][c]=1" for at in range(KEYS))))

    stream(0)
    tracemalloc.start()
    try:
        stream(1)
        first = tracemalloc.get_traced_memory()[0]
        for part in range(2, 5):
            stream(part)
        held = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert held < first + 1_000_000
