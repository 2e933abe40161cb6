"""How many phones, names, firms and addresses a second are read, beside phonenumbers alone on the same phones."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence

import phonenumbers

from crmkit.identity import company_form, parse_email, parse_phone, person_form

COUNT, ROUNDS = 20_000, 3
SHAPES = ("+7 ({a}) {b}-{c}-{d}", "8 {a} {b} {c} {d}", "7{a}{b}{c}{d}", "8({a}){b}{c}{d}", "{a} {b}-{c}-{d}")
MEN = ("Александр", "Саша", "Дмитрий", "Сергей", "Михаил", "Ivan", "Евгений", "Юрий", "Пётр", "Тимур")
PATRONYMICS = ("Иванович", "Сергеевич", "Петрович", "Юрьевич", "Львович", "", "")
ENDINGS = ("ов", "ев", "ин", "ский", "енко", "ян")
SYLLABLES = ("ба", "ве", "го", "ду", "жа", "зи", "ко", "лу", "мар", "нес", "пол", "рыж", "сам", "тюл", "фед", "хар")
FORMS = ("ООО «{}»", "{}, ООО", "АО {}", "{}", "ТД {}", "OOO {}")


def phones(picked: random.Random) -> list[str]:
    """Give phones as people type them: nine mobile ones to one of Moscow, none twice."""
    texts: list[str] = []
    for _ in range(COUNT):
        area = "495" if picked.random() < 0.1 else str(picked.randrange(900, 1000))
        tail = f"{picked.randrange(10**7):07d}"
        texts.append(picked.choice(SHAPES).format(a=area, b=tail[:3], c=tail[3:5], d=tail[5:]))
    return texts


def stem(picked: random.Random) -> str:
    """Give a word that sounds Russian."""
    return "".join(picked.choices(SYLLABLES, k=picked.randint(2, 3))).capitalize()


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


def seconds(read: Callable[[str], object], texts: Sequence[str]) -> float:
    """Give the seconds of the processor that one reading of all texts takes."""
    started = time.process_time()
    for text in texts:
        read(text)
    return time.process_time() - started


def show(title: str, spent: float) -> None:
    """Print a rate."""
    print(f"{title:28}{COUNT / spent:10,.0f} a second ({spent / COUNT * 1e6:.1f} us)")


def main() -> None:
    """Print the rates; each text is new to the caches in the first reading, its words are met again as in a base."""
    picked = random.Random(7)
    texts = phones(picked)
    first = seconds(by_crmkit, texts)
    flat = min(seconds(by_phonenumbers, texts) for _ in range(ROUNDS))
    differ = sum(by_crmkit(text) != by_phonenumbers(text) for text in texts)
    show("parse_phone", first)
    show("phonenumbers alone", flat)
    print(f"ratio of times              {first / flat:10.2f}, {differ} of {COUNT:,} answers differ")

    surnames = [stem(picked) + picked.choice(ENDINGS) for _ in range(COUNT // 10)]
    people = [
        f"{picked.choice(surnames)} {picked.choice(MEN)} {picked.choice(PATRONYMICS)}".strip() for _ in range(COUNT)
    ]
    person_form(name="Иван")  # reads the tables
    show("person_form, one field", seconds(lambda text: person_form(name=text), people))
    show("person_form, words known", seconds(lambda text: person_form(name=text), people))
    firms = [picked.choice(FORMS).format(f"{stem(picked)}{picked.choice(ENDINGS)}") for _ in range(COUNT)]
    company_form("Ромашка")
    show("company_form", seconds(company_form, firms))
    boxes = [f"{picked.choice('abcdef')}{at}@{picked.choice(('mail.ru', 'gmail.com', 'ya.ru'))}" for at in range(COUNT)]
    show("parse_email", seconds(parse_email, boxes))


if __name__ == "__main__":
    main()
