"""Phone numbers of the CIS and every shape that people and spreadsheets give them."""

from __future__ import annotations

import random

from benchmarks.dedup_data.draw import Draw

_MOBILE = Draw(
    [str(code) for code in range(900, 1000) if code not in (940, 943, 944, 945, 946, 947, 948, 949, 907, 935, 990,
        998)],
    [3.0 if code in (903, 905, 906, 909, 910, 911, 912, 913, 915, 916, 917, 918, 920, 921, 922, 923, 925,
        926) else 1.0
     for code in range(900, 1000) if code not in (940, 943, 944, 945, 946, 947, 948, 949, 907, 935, 990, 998)],
)  # fmt: skip
CITY_CODES = {
    "Москва": ("495", "499"), "Санкт-Петербург": ("812",), "Казань": ("843",), "Екатеринбург": ("343",),
    "Новосибирск": ("383",), "Нижний Новгород": ("831",), "Ростов-на-Дону": ("863",), "Уфа": ("347",),
    "Самара": ("846",),
    "Краснодар": ("861",), "Пермь": ("342",), "Воронеж": ("473",), "Челябинск": ("351",), "Омск": ("381",),
}  # fmt: skip
_ABROAD = Draw(
    ("77", "37529", "37544", "38050", "38067", "99890", "99893", "37491", "99450", "99555"),
    (12, 4, 2, 2, 2, 3, 2, 1, 1, 1),
)
_LENGTHS = {"77": 11, "37": 12, "38": 12, "99": 12}
STUBS = ("+7 000 000-00-00", "1111111", "79999999999", "8 (999) 999-99-99", "123456", "71234567890", "0", "нет",
         "-", "+7",
         "89000000000", "+7 (111) 111-11-11", "12345678900")  # fmt: skip
REMARKS = (" моб", " (моб)", " ватсап", " whatsapp", " (Ира)", " жена", " звонить после 18", " раб.", " tg",
           " личный", " (мама)",
           " - осн.", " viber")  # fmt: skip


def mobile(picked: random.Random) -> str:
    """Give the digits of a mobile number: Russian 94 of 100, else of a neighbour."""
    if picked.random() < 0.06:
        head = _ABROAD.one(picked)
        tail = _LENGTHS[head[:2]] - len(head)
        if head == "77":
            return "77" + picked.choice(("01", "02", "05", "07", "47", "71", "75", "76", "77")) + _digits(picked, 7)
        local = _digits(picked, tail)
        return head + (local if local[0] != "0" else "2" + local[1:])
    return "7" + _MOBILE.one(picked) + _digits(picked, 7)


def landline(city: str, picked: random.Random) -> str:
    """Give the digits of a city number."""
    codes = CITY_CODES.get(city)
    if codes is None:
        return "7" + picked.choice(("4852", "4742", "8442", "3852", "3412", "8332", "4012")) + "2" + _digits(picked, 5)
    return "7" + picked.choice(codes) + picked.choice("2345678") + _digits(picked, 6)


def _digits(picked: random.Random, count: int) -> str:
    return str(int(picked.random() * 10**count)).zfill(count)


_CLEAN = ("+7{a}{b}{c}{d}", "+7 ({a}) {b}-{c}-{d}", "8 ({a}) {b}-{c}-{d}", "8{a}{b}{c}{d}", "7{a}{b}{c}{d}")
_LOOSE = ("8-{a}-{b}-{c}-{d}", "{a}{b}{c}{d}", "+7 {a} {b} {c} {d}", "8 {a} {b}{c}{d}", "+7({a}){b}-{c}{d}",
          "8({a}){b}{c}{d}",
          "({a}) {b}-{c}-{d}", "+ 7 {a} {b} {c} {d}", "7 {a} {b}-{c}-{d}", "+7.{a}.{b}.{c}.{d}",
          "тел. 8 {a} {b} {c} {d}",
          "моб.: +7{a}{b}{c}{d}", "+7—{a}—{b}—{c}—{d}", "8  {a}  {b} {c} {d}", "+7 {a} {b}-{c}-{d}",
          "007{a}{b}{c}{d}",
          "tel:+7{a}{b}{c}{d}", "+8{a}{b}{c}{d}", "\u200e+7 {a} {b}-{c}-{d}",
          "+7\u00a0{a}\u00a0{b}\u00a0{c}\u00a0{d}")  # fmt: skip
_SHEET = ("7{a}{b}{c}{d}.0", "'+7{a}{b}{c}{d}", "7{a}{b}{c}{d},00", "'8{a}{b}{c}{d}")


def typed(digits: str, picked: random.Random, noise: float) -> str:
    """Give the number as somebody types it; `noise` from 0 to 1 is how careless they are."""
    roll = picked.random()
    if digits[0] != "7" or len(digits) != 11:
        return _foreign(digits, picked)
    a, b, c, d = digits[1:4], digits[4:7], digits[7:9], digits[9:]
    if roll > noise:
        return _CLEAN[int(picked.random() * 5)].format(a=a, b=b, c=c, d=d)
    kind = picked.random()
    if kind < 0.72:
        return _LOOSE[int(picked.random() * len(_LOOSE))].format(a=a, b=b, c=c, d=d)
    if kind < 0.84:
        return picked.choice(_CLEAN).format(a=a, b=b, c=c, d=d) + picked.choice(REMARKS)
    if kind < 0.92:
        return picked.choice(_SHEET).format(a=a, b=b, c=c, d=d)
    if kind < 0.96:
        return f"{digits[0]}.{digits[1:]}E+10"
    return picked.choice(_CLEAN).format(a=a, b=b, c=c, d=d).replace("0", picked.choice("ОOо"))


def _foreign(digits: str, picked: random.Random) -> str:
    return picked.choice(("+", "", "00", "+", "+")) + digits


_EXTENSION_WORDS = (" доб. ", " доб ", " вн. ", " внутр. ", " ext ", " #", " доп. ", ", доб.", " x")


def with_extension(typed_number: str, extension: str, picked: random.Random) -> str:
    """Give a switchboard's number with an extension."""
    return typed_number + picked.choice(_EXTENSION_WORDS) + extension
