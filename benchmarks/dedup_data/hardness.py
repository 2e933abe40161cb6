"""How spoiled a base is: shares of each kind of noise at three levels."""

from __future__ import annotations

from typing import NamedTuple


class Hardness(NamedTuple):
    """Shares from 0 to 1: of records (noise) or of groups drawn (traps)."""

    name: str
    singles: float
    """People who have one record only."""
    slip: float
    """One slip in a part of the name; other shares of the name follow below."""
    diminutive: float
    roman: float
    layout: float
    lookalike: float
    order: float
    one_field: float
    remark: float
    initials: float
    surname_change: float
    no_middle: float
    no_last: float
    phone_shape: float
    no_phone: float
    phone_slip: float
    other_phone: float
    extra_phone: float
    lost_number: float
    """The spreadsheet's 7.91235E+10: nothing is left of the number."""
    no_email: float
    email_shape: float
    email_slip: float
    other_email: float
    no_birthday: float
    birthday_slip: float
    no_city: float
    city_shape: float
    traps: float
    """Groups drawn as traps."""
    short_names: bool
    """Names from a short list, so namesakes are common."""


EASY = Hardness(
    "easy", singles=0.72, slip=0.03, diminutive=0.04, roman=0.02, layout=0.005, lookalike=0.01, order=0.05,
    one_field=0.08,
    remark=0.02, initials=0.02, surname_change=0.01, no_middle=0.25, no_last=0.06, phone_shape=0.3, no_phone=0.06,
    phone_slip=0.005, other_phone=0.06, extra_phone=0.06, lost_number=0.002, no_email=0.4, email_shape=0.06,
    email_slip=0.01,
    other_email=0.05, no_birthday=0.5, birthday_slip=0.005, no_city=0.3, city_shape=0.1, traps=0.05,
    short_names=False,
)  # fmt: skip
MEDIUM = Hardness(
    "medium", singles=0.66, slip=0.06, diminutive=0.09, roman=0.05, layout=0.015, lookalike=0.03, order=0.12,
    one_field=0.18,
    remark=0.05, initials=0.05, surname_change=0.02, no_middle=0.4, no_last=0.12, phone_shape=0.5, no_phone=0.10,
    phone_slip=0.012, other_phone=0.10, extra_phone=0.10, lost_number=0.006, no_email=0.5, email_shape=0.12,
    email_slip=0.03,
    other_email=0.10, no_birthday=0.6, birthday_slip=0.015, no_city=0.4, city_shape=0.2, traps=0.09,
    short_names=False,
)  # fmt: skip
HARD = Hardness(
    "hard", singles=0.60, slip=0.10, diminutive=0.15, roman=0.09, layout=0.03, lookalike=0.05, order=0.2,
    one_field=0.3,
    remark=0.1, initials=0.09, surname_change=0.035, no_middle=0.5, no_last=0.18, phone_shape=0.7, no_phone=0.14,
    phone_slip=0.025, other_phone=0.14, extra_phone=0.15, lost_number=0.012, no_email=0.55, email_shape=0.2,
    email_slip=0.05,
    other_email=0.14, no_birthday=0.7, birthday_slip=0.03, no_city=0.5, city_shape=0.3, traps=0.14, short_names=True,
)  # fmt: skip
LEVELS = {level.name: level for level in (EASY, MEDIUM, HARD)}
