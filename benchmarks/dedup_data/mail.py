"""Mailboxes made from names, and what becomes of them when typed again."""

from __future__ import annotations

import random

from benchmarks.dedup_data.draw import Draw
from benchmarks.dedup_data.roman import CHAT, ICAO, MVD, YANDEX, romanise

FREE = Draw(
    ("mail.ru", "yandex.ru", "gmail.com", "bk.ru", "list.ru", "inbox.ru", "rambler.ru", "ya.ru", "icloud.com",
    "outlook.com", "tut.by", "ukr.net", "hotmail.com"),
    (36, 24, 22, 4, 3, 3, 3, 3, 2, 1.5, 0.7, 0.7, 0.5),
)  # fmt: skip
_SLIPS = {"gmail.com": ("gmial.com", "gmail.con", "gmai.com", "gmail.ru"), "mail.ru": ("mail.ry", "mal.ru",
    "mai.ru", "mail.ri"),
          "yandex.ru": ("yandex.ry", "yandx.ru", "yadex.ru", "jandex.ru"), "bk.ru": ("bk.ry",),
          "list.ru": ("lis.ru",)}  # fmt: skip
ROLES = ("info", "office", "sales", "zakaz", "mail", "admin", "buh", "manager", "support", "order", "hr", "shop")
STUBS = (
    "test@test.ru",
    "no@mail.ru",
    "1@1.ru",
    "net@net.ru",
    "нет",
    "-",
    "a@a.ru",
    "no@no.ru",
    "noemail@mail.ru",
    "test@mail.ru",
)
_NICKS = ("kotik", "lisa", "dragon", "wolf", "solnce", "zvezda", "boss", "sport", "auto", "master", "lady",
          "angel", "fox", "rock", "tiger",
          "vesna", "more", "luna", "sever", "best", "king", "queen", "panda", "tigra", "vip", "baikal", "ural",
          "don", "neva")  # fmt: skip


def mailbox(first: str, last: str, middle: str, year: int, picked: random.Random, *, domain: str = "") -> str:
    """Give an address from a name; common names meet, as they do where addresses are made up or misheard."""
    scheme = (ICAO, MVD, YANDEX, CHAT)[int(picked.random() * 4)]
    one, two = romanise(first, scheme).lower(), romanise(last, scheme).lower()
    one, two = one.replace("'", "").replace("’", ""), two.replace("'", "").replace("’", "").replace("-", "")
    roll = picked.random()
    if roll < 0.16:
        local = f"{one[:1]}.{two}"
    elif roll < 0.32:
        local = f"{one}.{two}" if picked.random() < 0.5 else f"{two}.{one}"
    elif roll < 0.46:
        local = f"{two}{year % 100:02d}"
    elif roll < 0.58:
        local = f"{one}{year}"
    elif roll < 0.70:
        local = f"{two}_{one[:1]}{romanise(middle[:1], scheme).lower()}"
    elif roll < 0.82:
        local = f"{one}_{two}{year % 100:02d}"
    else:
        glue, part = picked.choice(("", "_", ".", "-")), picked.choice((one, two))
        local = f"{picked.choice(_NICKS)}{glue}{part}{int(picked.random() * 3000)}"
    return f"{local}@{domain or FREE.one(picked)}"


def retyped(address: str, picked: random.Random) -> str:
    """Give the same mailbox in another shape: case, an alias of the provider, a tag, a stray sign."""
    local, _, domain = address.partition("@")
    kind = picked.random()
    if domain == "gmail.com" and kind < 0.6:
        shape = picked.random()
        if shape < 0.4 and len(local) > 4:
            at = len(local) // 2
            return f"{local[:at]}.{local[at:]}@{domain}"
        return (
            f"{local}+{picked.choice(('crm', 'shop', 'work', '1'))}@{domain}"
            if shape < 0.7
            else f"{local}@googlemail.com"
        )
    if domain in ("yandex.ru", "ya.ru") and kind < 0.6:
        other = picked.choice(("ya.ru", "yandex.ru", "yandex.com", "yandex.by", "yandex.kz"))
        return f"{local.replace('.', '-') if picked.random() < 0.5 else local}@{other}"
    if kind < 0.5:
        return address.upper() if picked.random() < 0.4 else address.capitalize()
    return picked.choice(
        (address + " ", " " + address, address + ".", address + ",", f"mailto:{address}", f"<{address}>")
    )


def slipped(address: str, picked: random.Random) -> str:
    """Give the address with a slip: in the domain, or a letter of the box."""
    local, _, domain = address.partition("@")
    if domain in _SLIPS and picked.random() < 0.6:
        return f"{local}@{picked.choice(_SLIPS[domain])}"
    if len(local) < 4:
        return address
    at = picked.randrange(1, len(local) - 1)
    if picked.random() < 0.5:
        return f"{local[:at]}{local[at + 1 :]}@{domain}"
    return f"{local[:at]}{local[at + 1]}{local[at]}{local[at + 2 :]}@{domain}"
