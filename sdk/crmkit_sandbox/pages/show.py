"""What the pages of all emulated CRMs show in one way: sent hooks, a stage's neighbours, moments, money."""

from collections.abc import Sequence
from datetime import datetime, tzinfo
from urllib.parse import parse_qsl

from crmkit_sandbox.courier import Courier
from crmkit_sandbox.wire import Row

# How many rows a list has, and a stage of the board.
ROWS, CARDS = 100, 25


def sent(courier: Courier, vendor: str) -> list[Row]:
    """The newest hooks, those that wait first; `pairs` are the fields of the body."""
    made = [*courier.sent(vendor), *courier.waiting(vendor)][::-1][:ROWS]
    return [
        {**one.row(), "address": masked(one.url), "pairs": parse_qsl(one.body, keep_blank_values=True)} for one in made
    ]


def masked(url: str) -> str:
    """An address for showing: its last part is often its only secret, and so is its query."""
    head, slash, last = url.partition("?")[0].rpartition("/")
    return f"{head}{slash}{last[:4]}…" if len(last) > 12 else f"{head}{slash}{last}"


def neighbours(stages: Sequence[object], stage: object) -> Row:
    """The open stages `before` and `after` one; of a stage that is not among them, none and the first."""
    at = stages.index(stage) if stage in stages else -1
    return {
        "before": stages[at - 1] if at > 0 else None,
        "after": stages[at + 1] if at + 1 < len(stages) else None,
    }


def moment(seconds: float | None, zone: tzinfo) -> str:
    """A moment for the eye; nothing for none."""
    return datetime.fromtimestamp(seconds, zone).strftime("%d.%m.%Y %H:%M:%S") if seconds is not None else ""


def roubles(amount: float) -> str:
    """An amount of money with its thousands apart."""
    return f"{amount:,} ₽".replace(",", " ")
