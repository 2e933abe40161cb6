"""E-mail addresses: one text for a mailbox however it is spelled, and what the box tells of its reader."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from crmkit.identity import mail_host
from crmkit.identity.spelling import one_script


class Mailbox(NamedTuple):
    """An address, and what it tells of whoever reads it.

    - `address`: in lower case, the domain in ASCII; `key`: one text for all spellings that reach the same box;
    - `local`, `domain`: the two halves of the key;
    - `is_role`: a box that a firm's people share (`info@`, `buh@`): it tells of the firm, never of the person;
    - `is_stub`: an address typed where there is none (`no@no.ru`): nobody's;
    - `is_free`: the provider gives a box to anybody, so the domain tells nothing of a firm;
    - `suggestion`: the key that was probably meant when the domain is a slip (`gmial.com`), else None. Likely, not
      certain. A slip that leaves no valid domain (`mailru`) still gives a mailbox, by this field only to be used.
    """

    address: str
    key: str
    local: str
    domain: str
    is_role: bool
    is_stub: bool
    is_free: bool
    suggestion: str | None


def parse_email(raw: str) -> Mailbox | None:
    """Give the one mailbox that the text names, or None: for no address, and for several (`parse_emails`)."""
    found = parse_emails(raw)
    return found[0] if len(found) == 1 else None


def parse_emails(raw: str) -> tuple[Mailbox, ...]:
    """Give each mailbox that the field holds once, in the order written.

    Reads lists, remarks, `ivan собака mail.ru`, `ivan(at)mail.ru`, Cyrillic look-alikes of Latin letters, a comma for
    the dot of a domain. What has no box in it is left out.
    """
    if len(raw) > _LONGEST_FIELD:
        return ()
    found: dict[str, Mailbox] = {}
    whole = normalize_email(raw) if raw.count("@") == 1 else None
    if whole is not None and whole.isascii():
        return (_mailbox(whole),)
    text = _AT.sub("@", _SPACED_AT.sub("@", _SPELLED_AT.sub("@", raw)))
    for piece in _BETWEEN.split(_DOMAIN_COMMA.sub(r"\1.\2", text)):
        address = _address(piece) if "@" in piece else None
        if address is not None:
            box = _mailbox(address)
            found.setdefault(box.key, box)
    return tuple(found.values())


def normalize_email(raw: str) -> str | None:
    """Give the address in lower case with its domain in ASCII, or None when the text is not one address.

    Takes off what surrounds an address in a field: spaces, `mailto:`, `Name <…>`, closing dots and commas.
    """
    bracketed = _BRACKETED.search(raw) if ">" in raw else None
    text = (bracketed[1] if bracketed else raw).strip().lower().removeprefix("mailto:").rstrip(" \t\r\n.,;")
    local, at, domain = text.rpartition("@")
    if not at or len(text) > 254 or len(local) > 64 or not _LOCAL.fullmatch(local):
        return None
    place = _in_ascii(domain)
    return f"{local}@{place}" if place else None


def email_key(raw: str) -> str | None:
    """Give one text for all spellings that reach the same mailbox, or None when the text is not an address.

    Gmail and Yandex ignore some signs and have several domains; `+tag` goes where the provider is known to drop
    it. Equal keys mean one mailbox; it may still be shared by people.
    """
    address = normalize_email(raw)
    return _key(address) if address else None


_BRACKETED = re.compile(r"<([^<>]*)>\s*$")
_LOCAL = re.compile(r"""[^\s@"<>(),:;\\\[\].]+(?:\.[^\s@"<>(),:;\\\[\].]+)*""")
_DOMAIN = re.compile(r"(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?:[a-z]{2,63}|xn--[a-z0-9-]{1,59})")
_GMAIL = frozenset({"gmail.com", "googlemail.com"})
_YANDEX = frozenset({"yandex.ru", "ya.ru", "yandex.com", "yandex.by", "yandex.kz"})
_TAGGED = frozenset({"outlook.com", "hotmail.com", "live.com", "icloud.com", "fastmail.com", "fastmail.fm"})


_LONGEST_FIELD = 1_000
_SPELLED_AT = re.compile(r"\s*(?:[(\[{]\s*(?:at|собака|эт)\s*[)\]}]|\s(?:собака|собачка|at)\s)\s*", re.IGNORECASE)
_SPACED_AT = re.compile(r"(?<=[\w.-])\s*@\s*(?=\w)")
# Shift+2 of the Russian layout.
_AT = re.compile(r"(?<=\w)\"(?=(?:gmail|mail|yandex|ya|bk|list|inbox|rambler)\.)")
_DOMAIN_COMMA = re.compile(r"(@[\w-]+)\s?,\s?((?:ru|com|net|ua|by|kz|рф)\b)", re.IGNORECASE)
_BETWEEN = re.compile(r"[\s;,|/<>()\[\]\"«»]+")
_EDGE = " \t\r\n.,;:'\"!?*_-"
_ROLE_TAIL = "0123456789._-"
_SHORTEST_CORRECTED = 7


@lru_cache(maxsize=1 << 12)
def _in_ascii(domain: str) -> str:
    """The domain as servers know it; empty when it is none."""
    try:
        place = domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return ""
    return place if _DOMAIN.fullmatch(place) else ""


@lru_cache(maxsize=1 << 12)
def _address(piece: str) -> str | None:
    text = piece.strip(_EDGE).lower().removeprefix("mailto:")
    local, at, domain = text.rpartition("@")
    if not at:
        return None
    local = local.replace("@", "") if domain.count("@") else local
    latin = one_script(local)
    local = latin if latin.isascii() else "".join(map(_latin_twin, local))
    if not domain.isascii() and any("a" <= sign <= "z" for sign in domain):
        domain = "".join(map(_latin_twin, domain))
    address = normalize_email(f"{local.rstrip('.')}@{domain.strip(_EDGE)}")
    if address is not None:
        return address
    is_near = domain in mail_host.SLIPS and _LOCAL.fullmatch(local) is not None
    return f"{local}@{domain}" if is_near else None


def _latin_twin(sign: str) -> str:
    return _TWINS.get(sign, sign)


_TWINS = dict(zip("аеорсухкмтвнзі", "aeopcyxkmtbh3i", strict=True))


def _key(address: str) -> str:
    local, _, domain = address.rpartition("@")
    if domain in _GMAIL:
        short, domain = local.partition("+")[0].replace(".", ""), "gmail.com"
    elif domain in _YANDEX:
        short, domain = local.partition("+")[0].replace(".", "-"), "yandex.ru"
    elif domain in _TAGGED:
        short = local.partition("+")[0]
    else:
        return address
    return f"{short or local}@{domain}"


def _mailbox(address: str) -> Mailbox:
    key = _key(address)
    local, _, domain = key.rpartition("@")
    bare = local.replace(".", "-")
    is_stub = bare in mail_host.STUBS or domain in mail_host.STUB_HOSTS or (bare == bare[:1] * len(bare) != bare[:1])
    is_role = bare in mail_host.ROLES or bare.rstrip(_ROLE_TAIL) in mail_host.ROLES
    meant = _meant(domain)
    suggestion = _key(f"{local}@{meant}") if meant else None
    return Mailbox(address, key, local, domain, is_role, is_stub, domain in mail_host.FREE, suggestion)


@lru_cache(maxsize=1 << 12)
def _meant(domain: str) -> str | None:
    if domain in mail_host.FREE or domain in mail_host.REAL_NEIGHBOURS:
        return None
    if domain in mail_host.SLIPS:
        return mail_host.SLIPS[domain]
    for provider in mail_host.CORRECTED:
        if len(provider) >= _SHORTEST_CORRECTED and _is_one_edit(domain, provider):
            return provider
    return None


def _is_one_edit(one: str, other: str) -> bool:
    if abs(len(one) - len(other)) > 1 or one == other:
        return False
    head = 0
    while head < min(len(one), len(other)) and one[head] == other[head]:
        head += 1
    left, right = one[head:], other[head:]
    if len(left) == len(right):
        is_swap = len(left) > 1 and left[0] == right[1] and left[1] == right[0] and left[2:] == right[2:]
        return is_swap or left[1:] == right[1:]
    return left[1:] == right if len(left) > len(right) else left == right[1:]
