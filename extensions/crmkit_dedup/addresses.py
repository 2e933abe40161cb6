"""Addresses as compared: the street and the house, whatever is written around them."""

from __future__ import annotations

import re
from functools import lru_cache

from crmkit.identity import skeleton

_TOKEN = re.compile(r"[а-яa-z]+|\d+(?:[-/]\d+)*[а-яa-z]?(?![а-яa-z])")
_HOUSE = re.compile(r"\d{1,4}(?![\d])")
_AROUND_WORDS = """
ул улица пр кт прт пркт просп проспект пер переулок проезд прзд ш шоссе наб набережная б р бул бульвар пл площадь мкр
мкрн микрорайон тракт аллея линия тупик д дом влад владение зд здание str street st ave
г гор город пгт п пос поселок с село дер деревня обл область край респ республика н район рн рф россия
эт этаж оф офис кв ком комната пом помещ помещение корп корпус к стр строение лит литера литер
"""
_AROUND = frozenset(_AROUND_WORDS.split())
"""Words that say what a part of an address is, and are no part of its name."""


@lru_cache(maxsize=1 << 13)
def address_code(text: str) -> str:
    """The code of a street with its house; empty when the text has none of the two.

    `г. Казань, ул. Баумана, д. 5, оф. 3` and `Баумана 5` have one code; towns are compared apart.
    """
    street: list[str] = []
    for part in text.lower().replace("ё", "е").split(","):
        tokens = _TOKEN.findall(part)
        before: list[str] = []
        for at, token in enumerate(tokens):
            if not token[0].isdecimal():
                before += [token] if token not in _AROUND else []
                continue
            # A number before a word is the street's own: 8 Марта.
            if any(len(word) > 2 and word.isalpha() and word not in _AROUND for word in tokens[at + 1 :]):
                before.append(token)
            elif _HOUSE.match(token) and any(len(word) > 2 for word in before or street):
                return f"{' '.join(sorted(map(skeleton, before or street)))} {token}"
        street = before or street
    return ""
