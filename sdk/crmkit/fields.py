"""Custom fields by name: which field of an account a token means, and which option a label."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from crmkit.home import Home
from crmkit.models import CustomField, FieldDef
from crmkit.refusals import Refusals
from crmkit.values import Kind


class FieldNames(Protocol):
    """The custom fields that an account has."""

    def account(self) -> Home:
        """The account."""

    def fields(self, kind: Kind, *, afresh: bool = False) -> Sequence[FieldDef]:
        """The custom fields of a kind."""


def defined(kind: Kind, token: CustomField[Any, Any], names: FieldNames, refusals: Refusals) -> FieldDef:
    """The account's field that a token means, looked for afresh where it is not known.

    Raises Rejected naming the nearest.
    """
    for afresh in (False, True):
        found = meant(token, names.fields(kind, afresh=afresh), refusals.vendor)
        if found is not None:
            return found
    near = nearest(token.title, [field.title for field in names.fields(kind)])
    raise refusals.draft(
        names.account().key,
        token.title,
        f"the account has no such field for a {kind.value}",
        f"Create it, or pin the right one{f' (did you mean {near!r}?)' if near else ''}.",
    )


def meant(token: CustomField[Any, Any], fields: Sequence[FieldDef], vendor: str) -> FieldDef | None:
    """Which of the fields the token means, None for none.

    A pin is the field's id or code and stands alone; else the code decides, then the title.
    """
    pin = token.pins.get(vendor)
    if pin is not None:
        return next((field for field in fields if pin in (field.id, field.code)), None)
    by_code = next((field for field in fields if token.code is not None and field.code == token.code), None)
    return by_code or next((field for field in fields if field.title == token.title), None)


def option(field: FieldDef, label: str, account: str, refusals: Refusals) -> str:
    """The vendor's id of the option with this label. Raises Rejected naming the nearest."""
    if label in field.options:
        return field.options[label]
    near = nearest(label, field.options)
    raise refusals.draft(
        account,
        field.title,
        f"there is no option {label!r}",
        f"Did you mean {near!r}?" if near else f"Options: {', '.join(sorted(field.options)) or 'none'}.",
    )


def nearest(text: str, known: Iterable[str]) -> str | None:
    """What was probably meant by a name that is not known; None when nothing is near."""
    # Loaded once a name is wrong: a command's start pays for the imports of every adapter.
    import difflib

    return next(iter(difflib.get_close_matches(text, list(known), n=1, cutoff=0.4)), None)
