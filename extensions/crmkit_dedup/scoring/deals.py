"""Whether two deals are one wish of one client, entered twice; and what is compared of a deal."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple

from crmkit.identity import skeleton
from crmkit_dedup.candidates import Beside, Family, wider_than
from crmkit_dedup.keys import WIDEST
from crmkit_dedup.match import Band
from crmkit_dedup.rarity import Rarity
from crmkit_dedup.rows import DealRow
from crmkit_dedup.scoring.names import is_slip
from crmkit_dedup.scoring.weighed import Points, Weighed, vetoed

WITHIN_DAYS = 30
"""Deals created further apart are two wishes."""

AUTO, REVIEW = 8.0, 4.0
CLIENT, CLIENT_COMPANY = 5.0, 3.0
PRODUCT, TITLE, TITLE_EMPTY, TITLE_DIFFERS, NAMED_DIFFERS = 3.0, 2.0, 0.5, -1.5, -4.0
SOLD = 3
"""Deals whose product has a word before that word in a title is taken for a product."""
AMOUNT, AMOUNT_DIFFERS = 1.0, -0.5
TOGETHER = 2.0
"""For deals of one day; less the further apart they were created, nothing at the limit."""


class DealProfile(NamedTuple):
    """A deal in comparable form; `created` and `closed` are ordinals of days, 0 when not known.

    `product` and `title` are the codes of the words that say what is wanted: numbers and words that stand in every
    title (`заявка`, `новая сделка`) are left out.
    """

    id: str
    client: str = ""
    company: str = ""
    pipeline: str = ""
    is_closed: bool = False
    product: frozenset[str] = frozenset()
    title: frozenset[str] = frozenset()
    amount: str = ""
    created: int = 0
    closed: int = 0
    within_days: int = WITHIN_DAYS
    junk: str = ""
    named: frozenset[str] = frozenset()
    """Words of the title that are products of other deals of the base, where the deal has no product itself."""


def with_named(profiles: Sequence[DealProfile]) -> list[DealProfile]:
    """The profiles, with what their titles name of what is sold here."""
    counts = Counter(word for profile in profiles for word in profile.product)
    sold = frozenset(word for word, count in counts.items() if count >= SOLD)
    return [
        profile._replace(named=profile.title & sold) if sold and not profile.product else profile
        for profile in profiles
    ]


def deal_profile(row: DealRow, within_days: int = WITHIN_DAYS) -> DealProfile:
    """The profile of a row."""
    client = {skeleton(word) for word in _WORD.findall(row.contact)}
    return DealProfile(
        id=row.id,
        client=row.contact.strip(),
        company=row.company.strip(),
        pipeline=row.pipeline.strip().lower(),
        is_closed=row.is_closed,
        product=_wanted(row.product) - client,
        title=_wanted(row.title) - client,
        amount=_amount(row.amount),
        created=row.created.toordinal() if row.created else 0,
        closed=row.closed.toordinal() if row.closed else 0,
        within_days=within_days,
        junk="" if row.contact.strip() or row.company.strip() else "junk_empty",
    )


def deal_likeness(profile: DealProfile) -> Hashable | None:
    """All that is compared; None for a deal of nobody."""
    return tuple(profile._replace(id="")) if not profile.junk else None


def deal_keys(profile: DealProfile) -> Iterable[str]:
    """The clients of a deal."""
    if profile.client:
        yield f"c{profile.client}"
    if profile.company:
        yield f"o{profile.company}"


def _months(profile: DealProfile) -> Iterable[str]:
    """What the deals of a client with very many must share besides: the month, or the one after it."""
    month = profile.created // 30
    return (f"{profile.pipeline} {month}", f"{profile.pipeline} {month + 1}")


CLIENTS = Family("c", deal_keys, WIDEST, wider_than(WIDEST, Beside(_months)))
"""The only kind of keys."""


def weigh_deals(a: DealProfile, b: DealProfile, _rarity: Rarity) -> Weighed:
    """Compare two deals.

    A veto: another pipeline, another product, created too far apart, or one closed before the other began: that is a
    purchase repeated.
    """
    if a.pipeline and b.pipeline and a.pipeline != b.pipeline:
        return vetoed("pipeline")
    points: Points = []
    if a.client and a.client == b.client:
        points.append(("client", CLIENT))
    elif a.company and a.company == b.company and not (a.client and b.client):
        points.append(("client_company", CLIENT_COMPANY))
    else:
        return vetoed("client")
    apart = abs(a.created - b.created) if a.created and b.created else a.within_days // 2
    if apart > min(a.within_days, b.within_days) or not _are_open_together(a, b):
        return vetoed("open_together")
    points.append(("open_together", TOGETHER * (1 - apart / (a.within_days + 1))))
    wanted = _weigh_wanted(a, b)
    if wanted is None:
        return vetoed("product_differs")
    points.append(wanted)
    if a.amount and b.amount:
        points.append(("amount", AMOUNT) if a.amount == b.amount else ("amount_differs", AMOUNT_DIFFERS))
    score = sum(bits for _, bits in points)
    band = Band.AUTO if score >= AUTO else Band.REVIEW if score >= REVIEW else Band.IGNORE
    return Weighed(points, score, band)


def detail_of_deals(code: str, a: DealProfile, b: DealProfile, _rarity: Rarity) -> str:
    """The fact that a reason is about."""
    if code == "open_together":
        return str(abs(a.created - b.created)) if a.created and b.created else ""
    return {"client": a.client, "client_company": a.company, "amount": a.amount}.get(code, "")


def _are_open_together(a: DealProfile, b: DealProfile) -> bool:
    first, second = (a, b) if (a.created, a.id) <= (b.created, b.id) else (b, a)
    if not first.is_closed:
        return True
    # Closed, and nobody knows when: before the second began, as deals mostly are.
    return bool(first.closed) and first.closed > second.created


def _weigh_wanted(a: DealProfile, b: DealProfile) -> tuple[str, float] | None:
    if a.product and b.product:
        return ("product", PRODUCT) if _meet(a.product, b.product) else None
    one, other = a.product or a.title, b.product or b.title
    if not one or not other:
        return ("title_empty", TITLE_EMPTY)
    if _meet(one, other):
        return ("title", TITLE)
    sold, other_sold = a.product or a.named, b.product or b.named
    if sold and other_sold and not _meet(sold, other_sold):
        return ("product_differs", NAMED_DIFFERS)
    return ("title_empty", TITLE_DIFFERS)


def _meet(one: frozenset[str], other: frozenset[str]) -> bool:
    """At least half of the words of the shorter text are in the longer one, slips allowed."""
    fewer, more = sorted((one, other), key=len)
    met = sum(1 for word in fewer if word in more or any(is_slip(word, near) for near in more))
    return met * 2 >= len(fewer)


def _wanted(text: str) -> frozenset[str]:
    return frozenset(
        code for word in _WORD.findall(text.lower()) if (code := skeleton(word)) not in _EVERYWHERE and len(code) > 1
    )


def _amount(text: str) -> str:
    digits = re.sub(r"[^0-9.,]", "", text).replace(",", ".").rstrip(".")
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


_WORD = re.compile(r"[^\W\d_]+")
_EVERYWHERE_WORDS = """
заявка сделка заказ звонок лид обращение запрос новая новый новое с сайта сайт входящий входящая исходящий повторный
повторная клиент клиента от по на для и из в во со без названия тест форма обратный номер автосделка покупка продажа
корзина быстрый квиз чат письмо почта реклама авито яндекс директ гугл deal lead order request new from site call
incoming contact контакт компания ооо ип дубль копия
"""
_EVERYWHERE = frozenset(map(skeleton, _EVERYWHERE_WORDS.split()))
