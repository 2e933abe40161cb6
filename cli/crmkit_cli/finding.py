"""Findings: what a check found, for people and for scripts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import click

from crmkit.errors import CrmKitError
from crmkit_cli.language import tr

State = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of a check.

    Args:
        check: what was looked at (`config`, `database`, `access`, ...).
        subject: whose: an account, an extension, or empty for the service.
        state: `fail` means that the service will not work as it stands.
        remedy: what to do about it.
    """

    check: str
    subject: str
    state: State
    message: str
    remedy: str = ""


def failure(check: str, subject: str, error: CrmKitError) -> Finding:
    """What an error means for a check: a failure with the error's own remedy."""
    return Finding(check, subject, "fail", headline(error), error.remedy or "")


def headline(error: CrmKitError) -> str:
    """What happened and where, without the remedy and the full stop before it."""
    text = str(error)
    if not error.remedy:
        return text
    text = text.removesuffix(error.remedy).rstrip()
    return text if error.message.endswith(".") else text.removesuffix(".")


def print_finding(finding: Finding) -> None:
    """The finding as a line, its remedy below it."""
    word, colour = {
        "ok": (tr("да", "ok"), "green"),
        "warn": (tr("внимание", "warning"), "yellow"),
        "fail": (tr("ОШИБКА", "FAIL"), "red"),
    }[finding.state]
    subject = f" {finding.subject}" if finding.subject else ""
    click.echo(f"{click.style(f'{word:<9}', fg=colour)} {finding.check}{subject}: {finding.message}")
    if finding.remedy:
        click.echo(f"{'':<9}   → {finding.remedy}")


def print_summary(findings: Sequence[Finding]) -> None:
    """How many of each, in one line."""
    counts = {state: sum(one.state == state for one in findings) for state in ("ok", "warn", "fail")}
    click.echo(
        tr(
            f"В порядке: {counts['ok']}, внимание: {counts['warn']}, ошибок: {counts['fail']}",
            f"{counts['ok']} ok, {counts['warn']} warnings, {counts['fail']} failures",
        )
    )
