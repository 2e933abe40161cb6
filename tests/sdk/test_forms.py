"""parse_php_form, rule by rule: what PHP makes of each kind of key and value."""

from __future__ import annotations

import pytest

from crmkit.errors import BadPayload
from crmkit.forms import MAX_ARRAYS, MAX_BYTES, MAX_PAIRS, FormDict, FormError, parse_php_form


def nested(levels: int) -> str:
    return "a" + "[x]" * levels


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(b"", {}, id="empty body"),
        pytest.param(b"a=1&b=2", {"a": "1", "b": "2"}, id="flat"),
        pytest.param(b"a", {"a": ""}, id="no equals sign"),
        pytest.param(b"a=", {"a": ""}, id="empty value"),
        pytest.param(b"&&a=1&&", {"a": "1"}, id="empty pairs"),
        pytest.param(b"a=1;b=2", {"a": "1;b=2"}, id="semicolon is data"),
        pytest.param(b"a=b=c==", {"a": "b=c=="}, id="later equals signs are data"),
        pytest.param(b"a=x+y%2Bz", {"a": "x y+z"}, id="plus is a space"),
        pytest.param(b"a=%2541", {"a": "%41"}, id="decoded once"),
        pytest.param(b"a=%zz%4&b=%&c=%%41", {"a": "%zz%4", "b": "%", "c": "%A"}, id="broken escapes stay"),
        pytest.param(b"a=%D0%96+%d0%B6", {"a": "Ж ж"}, id="UTF-8 in escapes"),
        pytest.param("имя=Ёж".encode(), {"имя": "Ёж"}, id="UTF-8 unescaped"),
        pytest.param(b"a=\xd0%96", {"a": "Ж"}, id="half a letter escaped"),
        pytest.param(b"a=%D0x%FF", {"a": "\ufffdx\ufffd"}, id="not UTF-8"),
        pytest.param(b"a=%26%3D%1E%1F", {"a": "&=\x1e\x1f"}, id="separators as data"),
        pytest.param(b"a=x\x1ey\x1fz&b=1", {"a": "x\x1ey\x1fz", "b": "1"}, id="control signs as data"),
        pytest.param(b"a=x\r\ny=%0D%0A", {"a": "x\r\ny=\r\n"}, id="line breaks as data"),
        pytest.param(b"a=%00x", {"a": "\x00x"}, id="NUL in a value"),
        pytest.param(b"a=%\n=\n%0A", {"a": "%\n=\n\n"}, id="broken escape before a line break"),
    ],
)
def test_value(body: bytes, expected: FormDict) -> None:
    """Values are decoded once, and nothing in them is lost or refused."""
    assert parse_php_form(body) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(b"=1&a=2", {"a": "2"}, id="empty key dropped"),
        pytest.param(b"[a]=1&b=2", {"b": "2"}, id="leading bracket dropped"),
        pytest.param(b"%00a=1&b%00c=2&d[x%00]=3", {"b": "2", "d_x": "3"}, id="cut at NUL"),
        pytest.param(b"++a=1&%20b=2&%09c=3", {"a": "1", "b": "2", "\tc": "3"}, id="leading spaces cut"),
        pytest.param(b"a.b+c=1&.=2", {"a_b_c": "1", "_": "2"}, id="space and dot in a name"),
        pytest.param(b"a.b[c.d+e]=1", {"a_b": {"c.d e": "1"}}, id="space and dot in brackets stay"),
        pytest.param(b"a]b=1", {"a]b": "1"}, id="closing bracket alone"),
        pytest.param(b"a%5Bb%5D=1", {"a": {"b": "1"}}, id="escaped brackets"),
        pytest.param(b"a[b]c[d]=1", {"a": {"b": "1"}}, id="text after a bracket ends the key"),
        pytest.param(b"a[[b]]=1", {"a": {"[b": "1"}}, id="bracket in brackets"),
        pytest.param(b"a[b", {"a_b": ""}, id="unclosed first bracket"),
        pytest.param(b"a[b.c+[d=1", {"a_b_c__d": "1"}, id="unclosed first bracket mangles the rest"),
        pytest.param(b"a[b][c=1", {"a": {"b": "1"}}, id="unclosed later bracket"),
        pytest.param(b"a[x]=1&A[X]=2", {"a": {"x": "1"}, "A": {"X": "2"}}, id="case matters"),
        pytest.param(b"..Host-x=1&b=2", {"b": "2"}, id="guarded prefix by mangling"),
        pytest.param(b"__Host-x=1", {"__Host-x": "1"}, id="guarded prefix as sent"),
        pytest.param(b"a[b][__Secure-x][c]=1", {"a": {"b": []}}, id="guarded prefix in brackets"),
    ],
)
def test_key(body: bytes, expected: FormDict) -> None:
    """Keys are cut, mangled and dropped as PHP does it."""
    assert parse_php_form(body) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(b"a[]=1&a[]=2", {"a": ["1", "2"]}, id="push"),
        pytest.param(b"a[+]=1&a[%09]=2&a[++]=3", {"a": {"0": "1", "1": "2", "  ": "3"}}, id="white push"),
        pytest.param(b"a[0]=x&a[1]=y", {"a": ["x", "y"]}, id="list by index"),
        pytest.param(b"a[1]=y&a[0]=x", {"a": {"1": "y", "0": "x"}}, id="order decides"),
        pytest.param(b"a[1]=x&a[2]=y", {"a": {"1": "x", "2": "y"}}, id="from one is no list"),
        pytest.param(b"a[0]=x&a[2]=y", {"a": {"0": "x", "2": "y"}}, id="gap is no list"),
        pytest.param(b"a[00]=x", {"a": {"00": "x"}}, id="leading zero is no number"),
        pytest.param(b"0=x&1=y", {"0": "x", "1": "y"}, id="the body itself is a dict"),
        pytest.param(b"a[7]=x&a[]=y", {"a": {"7": "x", "8": "y"}}, id="push after a number"),
        pytest.param(b"a[07]=x&a[1.5]=y&a[]=z", {"a": {"07": "x", "1.5": "y", "0": "z"}}, id="no numbers"),
        pytest.param(b"a[-5]=x&a[]=y", {"a": {"-5": "x", "-4": "y"}}, id="push after a negative"),
        pytest.param(b"a[-0]=x&a[]=y", {"a": {"-0": "x", "0": "y"}}, id="minus zero is no number"),
        pytest.param(b"a[k]=x&a[]=y", {"a": {"k": "x", "0": "y"}}, id="push beside names"),
        pytest.param(b"a[][k]=1&a[][k]=2", {"a": [{"k": "1"}, {"k": "2"}]}, id="each push is new"),
        pytest.param(b"a[5][k]=1&a[][k]=2", {"a": {"5": {"k": "1"}, "6": {"k": "2"}}}, id="arrays count"),
        pytest.param(
            b"a[9223372036854775807]=1&a[]=2&a[][b]=3",
            {"a": {"9223372036854775807": "1"}},
            id="push after the largest is dropped",
        ),
        pytest.param(
            b"a[9223372036854775808]=1&a[]=2",
            {"a": {"9223372036854775808": "1", "0": "2"}},
            id="larger than the largest is a name",
        ),
    ],
)
def test_array(body: bytes, expected: FormDict) -> None:
    """Numbers, pushes and lists come out as PHP counts them."""
    assert parse_php_form(body) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(b"a=1&a=2", {"a": "2"}, id="last wins"),
        pytest.param(b"a[x]=1&a[x]=2", {"a": {"x": "2"}}, id="last wins inside"),
        pytest.param(b"a=1&a[x]=2", {"a": {"x": "2"}}, id="array over scalar"),
        pytest.param(b"a[x][y]=1&a[x]=2", {"a": {"x": "2"}}, id="scalar over array"),
        pytest.param(b"a[x]=1&a=2&a[y]=3", {"a": {"y": "3"}}, id="the old array is gone"),
        pytest.param(b"a[5]=1&a=2&a[]=3", {"a": ["3"]}, id="its counter is gone"),
        pytest.param(b"a[x][]=1&a=2&a[x][]=3", {"a": {"x": ["3"]}}, id="inner counters are gone"),
        pytest.param(b"a=1&b=2&a=3", {"a": "3", "b": "2"}, id="the first place stays"),
    ],
)
def test_conflict(body: bytes, expected: FormDict) -> None:
    """The later pair decides what a key holds, and nothing of what it replaced comes back."""
    parsed = parse_php_form(body)
    assert parsed == expected
    assert list(parsed) == list(expected)


def test_depth() -> None:
    """64 levels are read; a deeper key takes its whole top-level name with it, as in PHP."""
    value = parse_php_form(f"{nested(64)}=1".encode())["a"]
    for _ in range(64):
        assert isinstance(value, dict)
        value = value["x"]
    assert value == "1"
    assert parse_php_form(f"a=1&b=2&{nested(65)}=3".encode()) == {"b": "2"}
    assert parse_php_form(f"a=1&b=2&{nested(64)}[=3".encode()) == {"b": "2"}
    assert parse_php_form(f"{nested(65)}=1&a[y]=2".encode()) == {"a": {"y": "2"}}


def test_long_keys_read_alike() -> None:
    """Keys too long to be remembered are read like short ones."""
    long = "k" * 5_000
    body = f"a[{long}][x]=1&a[{long}][]=2&{long}=3".encode()
    assert parse_php_form(body) == {"a": {long: {"x": "1", "0": "2"}}, long: "3"}


def test_lead_hook() -> None:
    """A hook of two leads becomes lists of dicts, with brackets escaped or not."""
    expected = {
        "leads": {
            "status": [
                {"id": "71", "status_id": "142", "tags": [{"id": "5", "name": "опт"}]},
                {"id": "72", "status_id": "143"},
            ]
        },
        "account": {"subdomain": "utro", "_links": {"self": "https://utro.amocrm.ru"}},
    }
    plain = (
        "leads[status][0][id]=71&leads[status][0][status_id]=142&leads[status][0][tags][0][id]=5"
        "&leads[status][0][tags][0][name]=%D0%BE%D0%BF%D1%82"
        "&leads[status][1][id]=72&leads[status][1][status_id]=143"
        "&account[subdomain]=utro&account[_links][self]=https%3A%2F%2Futro.amocrm.ru"
    )
    escaped = plain.replace("[", "%5B").replace("]", "%5D")
    assert parse_php_form(plain.encode()) == expected
    assert parse_php_form(escaped.encode()) == expected


def test_result_is_plain() -> None:
    """Arrays come as plain dicts and lists, whatever they were while the body was read."""
    parsed = parse_php_form(b"a[x][0][y]=1&b[]=2")
    assert [type(value) for value in (parsed, parsed["a"], parsed["b"])] == [dict, dict, list]


def test_too_many_bytes() -> None:
    """A body over the cap is refused before anything of it is read; one at the cap is read."""
    assert parse_php_form(b"a=12", max_bytes=4) == {"a": "12"}
    with pytest.raises(FormError, match=r"^The form body has 5 bytes, 4 are read at most\."):
        parse_php_form(b"a=123", max_bytes=4)
    with pytest.raises(FormError):
        parse_php_form(b"x" * (MAX_BYTES + 1))


def test_too_many_pairs() -> None:
    """20,000 pairs are read, one more is refused; the caller may allow more."""
    body = b"&".join(b"a[]=1" for _ in range(MAX_PAIRS))
    assert parse_php_form(body) == {"a": ["1"] * MAX_PAIRS}
    with pytest.raises(FormError, match=r"^The form body has 20,001 pairs, 20,000 are read at most\."):
        parse_php_form(body + b"&a[]=1")
    assert parse_php_form(body + b"&a[]=1", max_pairs=MAX_PAIRS + 1) == {"a": ["1"] * (MAX_PAIRS + 1)}


def test_too_many_arrays() -> None:
    """A body that buys arrays at two bytes each is refused before they fill the memory."""
    body = b"&".join([b"a" + b"[]" * 51] * (MAX_ARRAYS // 50))
    with pytest.raises(FormError, match=r"opens more than 100,000 arrays"):
        parse_php_form(body)


def test_error_is_a_value_error() -> None:
    """A caller that knows only the standard library still catches the refusal."""
    assert issubclass(FormError, BadPayload)
    assert issubclass(FormError, ValueError)
