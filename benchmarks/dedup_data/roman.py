"""Cyrillic text in Latin letters by six standards and as people chat."""

from __future__ import annotations

from collections.abc import Mapping

_LETTERS = "абвгдеёжзийклмнопрстуфхцчшщъыьэюяіїєґқғңөұүһә"


def _scheme(text: str) -> Mapping[int, str]:
    parts = text.split()
    assert len(parts) == 33, len(parts)
    lower = dict(zip(_LETTERS[:33], ("" if part == "-" else part for part in parts), strict=True))
    lower |= {"і": "i", "ї": "i", "є": "ie", "ґ": "g", "қ": "q", "ғ": "g", "ң": "n", "ө": "o", "ұ": "u", "ү": "u"}
    return str.maketrans(lower | {letter.upper(): form.capitalize() for letter, form in lower.items()})


ICAO = _scheme("a b v g d e e zh z i i k l m n o p r s t u f kh ts ch sh shch ie y - e iu ia")
MVD = _scheme("a b v g d e e zh z i y k l m n o p r s t u f kh ts ch sh shch - y - e yu ya")
BGN = _scheme("a b v g d e yo zh z i y k l m n o p r s t u f kh ts ch sh shch ” y ’ e yu ya")
ISO9 = _scheme("a b v g d e ë ž z i j k l m n o p r s t u f h c č š ŝ ʺ y ʹ è û â")
GOST_B = _scheme("a b v g d e yo zh z i j k l m n o p r s t u f x cz ch sh shh - y - e yu ya")
YANDEX = _scheme("a b v g d e yo zh z i y k l m n o p r s t u f kh ts ch sh sch - y - e yu ya")
TELEGRAM = _scheme("a b v g d e e j z i i k l m n o p r s t u f h c ch sh sc - y - e iu ia")
CHAT = _scheme("a b v g d e e j z i j k l m n o p r s t u f x c 4 w w - y ' e ju ja")

SCHEMES = (ICAO, ICAO, MVD, MVD, YANDEX, YANDEX, BGN, GOST_B, TELEGRAM, CHAT, ISO9)
"""As often as met."""


def romanise(text: str, scheme: Mapping[int, str]) -> str:
    """Give the text in Latin letters."""
    return text.translate(scheme)
