"""How many phones a second parse_phone reads, beside phonenumbers alone on the same texts."""

from __future__ import annotations

import random
import time

import phonenumbers

from crmkit.identity import parse_phone

PHONES, ROUNDS = 20_000, 3
SHAPES = ("+7 ({a}) {b}-{c}-{d}", "8 {a} {b} {c} {d}", "7{a}{b}{c}{d}", "8({a}){b}{c}{d}", "{a} {b}-{c}-{d}")


def fields() -> list[str]:
    """Give phones as people type them: nine mobile ones to one of Moscow, none twice."""
    picked = random.Random(7)
    texts: list[str] = []
    for _ in range(PHONES):
        area = "495" if picked.random() < 0.1 else str(picked.randrange(900, 1000))
        tail = f"{picked.randrange(10**7):07d}"
        texts.append(picked.choice(SHAPES).format(a=area, b=tail[:3], c=tail[3:5], d=tail[5:]))
    return texts


def by_phonenumbers(text: str) -> str | None:
    """Give what phonenumbers alone makes of the text."""
    try:
        number = phonenumbers.parse(text, "RU")
    except phonenumbers.NumberParseException:
        return None
    is_valid = phonenumbers.is_valid_number(number)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) if is_valid else None


def by_crmkit(text: str) -> str | None:
    """Give what crmkit makes of the text."""
    phone = parse_phone(text)
    return phone.e164 if phone else None


def main() -> None:
    """Print both rates and their ratio; each text is new to the caches in the first round."""
    texts = fields()
    started = time.perf_counter()
    ours = [by_crmkit(text) for text in texts]
    first = time.perf_counter() - started
    theirs, flat = [], []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        theirs = [by_phonenumbers(text) for text in texts]
        flat.append(time.perf_counter() - started)
    differ = sum(one != other for one, other in zip(ours, theirs, strict=True))
    print(f"parse_phone        {PHONES / first:10,.0f} a second ({first / PHONES * 1e6:.1f} us)")
    print(f"phonenumbers alone {PHONES / min(flat):10,.0f} a second ({min(flat) / PHONES * 1e6:.1f} us)")
    print(f"ratio of times     {first / min(flat):10.2f}, {differ} of {PHONES:,} answers differ")


if __name__ == "__main__":
    main()
