"""How long parse_php_form takes on an amoCRM lead hook, as a ratio to urllib's flat parse_qsl."""

from __future__ import annotations

import timeit
from urllib.parse import parse_qsl, urlencode

from crmkit.forms import parse_php_form

ROUNDS, CALLS = 60, 50


def lead_hook() -> bytes:
    """Give a hook of one lead of about 3 kB, as amoCRM's old format writes it."""
    lead = "leads[update][0]"
    pairs = {
        f"{lead}[id]": "25310017",
        f"{lead}[name]": "Поставка кофемашин, кофейня «Утро»",
        f"{lead}[status_id]": "58113405",
        f"{lead}[old_status_id]": "58113402",
        f"{lead}[price]": "148500",
        f"{lead}[responsible_user_id]": "9511022",
        f"{lead}[last_modified]": "1763712004",
        f"{lead}[modified_user_id]": "9511022",
        f"{lead}[created_user_id]": "9511000",
        f"{lead}[date_create]": "1763625604",
        f"{lead}[pipeline_id]": "6900114",
        f"{lead}[account_id]": "31222555",
    }
    fields = [
        ("Источник", "Сайт: заявка с формы"),
        ("Город", "Нижний Новгород"),
        ("Адрес доставки", "ул. Большая Покровская, 15"),
        ("Договор", "№ 118/2 от 20.11.2025"),
        ("Дата отгрузки", "1764547200"),
        ("Комментарий", "Перезвонить после обеда"),
    ]
    for at, (name, value) in enumerate(fields):
        field = f"{lead}[custom_fields][{at}]"
        pairs |= {
            f"{field}[id]": str(771200 + at),
            f"{field}[name]": name,
            f"{field}[values][0][value]": value,
        }
    for at, tag in enumerate(("опт", "тёплый")):
        pairs |= {f"{lead}[tags][{at}][id]": str(40100 + at), f"{lead}[tags][{at}][name]": tag}
    pairs |= {
        "account[subdomain]": "utro",
        "account[id]": "31222555",
        "account[_links][self]": "https://utro.amocrm.ru",
    }
    return urlencode(pairs).encode()


def best_us(call: str, scope: dict[str, object]) -> float:
    """Give the shortest time of one call over all rounds, in microseconds."""
    return min(timeit.repeat(call, globals=scope, repeat=ROUNDS, number=CALLS)) / CALLS * 1e6


def main() -> None:
    """Print both times and their ratio."""
    body = lead_hook()
    scope: dict[str, object] = {
        "parse_php_form": parse_php_form,
        "parse_qsl": parse_qsl,
        "body": body,
        "text": body.decode("ascii"),
    }
    ours = best_us("parse_php_form(body)", scope)
    flat = best_us("parse_qsl(text, keep_blank_values=True)", scope)
    print(f"lead hook: {len(body):,} bytes, {body.count(b'&') + 1} pairs")
    print(f"parse_php_form (nested) {ours:8.1f} us")
    print(f"parse_qsl (flat)        {flat:8.1f} us")
    print(f"ratio                   {ours / flat:8.2f}   (bar: 1.00)")


if __name__ == "__main__":
    main()
