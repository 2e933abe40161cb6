"""E-mail addresses: as one text for a mailbox, however it is spelled."""

from __future__ import annotations

import re


def normalize_email(raw: str) -> str | None:
    """Give the address in lower case with its domain in ASCII, or None when the text is not one address.

    Takes off what surrounds an address in a field: spaces, `mailto:`, `Name <…>`, closing dots and commas.
    """
    bracketed = _BRACKETED.search(raw)
    text = (bracketed[1] if bracketed else raw).strip().lower().removeprefix("mailto:").rstrip(" \t\r\n.,;")
    local, at, domain = text.rpartition("@")
    if not at or len(text) > 254 or len(local) > 64 or not _LOCAL.fullmatch(local):
        return None
    try:
        ascii_domain = domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return None
    return f"{local}@{ascii_domain}" if _DOMAIN.fullmatch(ascii_domain) else None


def email_key(raw: str) -> str | None:
    """Give one text for all spellings that reach the same mailbox, or None when the text is not an address.

    Gmail and Yandex ignore some signs and have several domains; `+tag` goes where the provider is known to drop
    it. Equal keys mean one mailbox; it may still be shared by people.
    """
    address = normalize_email(raw)
    if address is None:
        return None
    local, _, domain = address.rpartition("@")
    if domain in _GMAIL:
        short, domain = local.partition("+")[0].replace(".", ""), "gmail.com"
    elif domain in _YANDEX:
        short, domain = local.partition("+")[0].replace(".", "-"), "yandex.ru"
    elif domain in _TAGGED:
        short = local.partition("+")[0]
    else:
        short = local
    return f"{short or local}@{domain}"


_BRACKETED = re.compile(r"<([^<>]*)>\s*$")
_LOCAL = re.compile(r"""[^\s@"<>(),:;\\\[\].]+(?:\.[^\s@"<>(),:;\\\[\].]+)*""")
_DOMAIN = re.compile(r"(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?:[a-z]{2,63}|xn--[a-z0-9-]{1,59})")
_GMAIL = frozenset({"gmail.com", "googlemail.com"})
_YANDEX = frozenset({"yandex.ru", "ya.ru", "yandex.com", "yandex.by", "yandex.kz"})
_TAGGED = frozenset({"outlook.com", "hotmail.com", "live.com", "icloud.com", "fastmail.com", "fastmail.fm"})
