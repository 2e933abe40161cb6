"""Moments and addresses as people type them on the command line."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import click

from crmkit.values import Kind, Ref
from crmkit_cli.language import tr

_AGO = re.compile(r"(\d+)\s*([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class Moment(click.ParamType[datetime]):
    """`2h` (ago: s, m, h, d) or an ISO moment; one without a zone is the machine's own time."""

    name = "moment"

    def convert(self, value: str | datetime, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The moment, aware UTC."""
        if isinstance(value, datetime):
            return value
        try:
            if ago := _AGO.fullmatch(value.strip()):
                return datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
            return datetime.fromisoformat(value).astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail(
                tr(
                    f"{value!r}: нужно 2h, 30m, 1d или 2026-01-31T09:00",
                    f"{value!r}: write 2h, 30m, 1d, or 2026-01-31T09:00",
                ),
                param,
                ctx,
            )


class Address(click.ParamType[Ref]):
    """The address of a record: `account/kind:id`."""

    name = "ref"

    def convert(self, value: str | Ref, param: click.Parameter | None, ctx: click.Context | None) -> Ref:
        """The address."""
        if isinstance(value, Ref):
            return value
        try:
            return Ref.parse(value)
        except ValueError:
            kinds = ", ".join(Kind)
            self.fail(
                tr(
                    f"{value!r} — не адрес записи: нужно аккаунт/вид:id (виды: {kinds})",
                    f"{value!r} is no record's address: write account/kind:id (kinds: {kinds})",
                ),
                param,
                ctx,
            )
