"""How values of several records become one: lists are joined and lose nothing, the fullest name wins."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TypeVar

from crmkit.identity import PersonForm, normalize_email, parse_phones, person_form
from crmkit.models import Company, Contact, Email, Phone
from crmkit.values import Json

T = TypeVar("T")


def joined_phones(kept: Sequence[Phone], others: Iterable[Phone], country: str) -> tuple[Phone, ...]:
    """The kept phones as they are, and those of the others that name another number or extension."""
    return _joined(kept, others, lambda phone: phone_keys(phone, country))


def joined_emails(kept: Sequence[Email], others: Iterable[Email]) -> tuple[Email, ...]:
    """The kept addresses as they are, and those of the others that are other mailboxes."""
    return _joined(kept, others, lambda email: frozenset({email_key(email)}))


def joined_texts(kept: Sequence[str], others: Iterable[str]) -> tuple[str, ...]:
    """The kept tags, and those of the others, each once."""
    return tuple(dict.fromkeys((*kept, *others)))


def joined_values(kept: Json, others: Iterable[Json]) -> list[Json]:
    """The kept values of a list of the vendor's own, and those of the others, each once."""
    found = [*_items(kept), *(item for other in others for item in _items(other))]
    return list({_text(item): item for item in reversed(found)}.values())[::-1]


def phone_keys(phone: Phone, country: str) -> frozenset[str]:
    """The numbers that a phone names, with their extensions; its own text when it names none."""
    found = parse_phones(phone.raw or phone.e164 or "", country=country)
    return frozenset(f"{one.e164}:{one.extension or ''}" for one in found) or frozenset({phone.raw.strip()})


def email_key(email: Email) -> str:
    """The mailbox that an address names; the text itself when it is none."""
    return normalize_email(email.value) or email.value.strip().casefold()


def fuller(kept: Contact | Company, others: Sequence[Contact | Company]) -> Contact | Company | None:
    """Whoever has the fullest name that agrees with the kept one; None when that is the kept record itself.

    Firms keep their own name: a longer one is another spelling, not a fuller one.
    """
    if not kept.name.strip():
        return next((one for one in others if one.name.strip()), None)
    if not isinstance(kept, Contact):
        return None
    own = form_of(kept)
    best: Contact | None = None
    for one in others:
        if isinstance(one, Contact) and _agree(own, form_of(one)) and _weight(one) > _weight(best or kept):
            best = one
    return best


def agrees(kept: Contact | Company, other: Contact | Company) -> bool:
    """The other name says nothing that the kept one does not."""
    if isinstance(kept, Contact) and isinstance(other, Contact):
        return not other.name.strip() or _agree(form_of(kept), form_of(other))
    return other.name.strip().casefold() in ("", kept.name.strip().casefold())


def form_of(contact: Contact) -> PersonForm:
    """The contact's name as it is compared."""
    return person_form(
        last=contact.last_name or "",
        first=contact.first_name or "",
        middle=contact.middle_name or "",
        name=contact.name,
    )


def _agree(one: PersonForm, other: PersonForm) -> bool:
    """No part of one name contradicts the other; a name of nobody agrees with all."""
    if one.is_junk or other.is_junk:
        return True
    same_given = not one.given or not other.given or bool(one.given & other.given)
    initials = (
        not one.given_initials or not other.given_initials or bool(set(one.given_initials) & set(other.given_initials))
    )
    surnames = not one.surname or not other.surname or one.surname == other.surname
    letters = not one.surname_initial or not other.surname_initial or one.surname_initial == other.surname_initial
    fathers = not one.patronymic or not other.patronymic or one.patronymic == other.patronymic
    genders = one.gender is None or other.gender is None or one.gender == other.gender
    return same_given and initials and surnames and letters and fathers and genders


def _weight(contact: Contact) -> tuple[int, int, int]:
    """How much a name says: its parts in full, then without short forms, then in parts of its own."""
    form = form_of(contact)
    if form.is_junk:
        return (0, 0, 0)
    parts = sum(map(bool, (form.surname, form.given, form.patronymic)))
    fields = sum(map(bool, (contact.first_name, contact.middle_name, contact.last_name)))
    return (parts, int(not form.is_short), fields)


def _joined(kept: Sequence[T], others: Iterable[T], keys: Callable[[T], frozenset[str]]) -> tuple[T, ...]:
    known = {key for one in kept for key in keys(one)}
    found = list(kept)
    for one in others:
        if not keys(one) <= known:
            found.append(one)
            known |= keys(one)
    return tuple(found)


def _items(value: Json) -> Sequence[Json]:
    if value is None:
        return ()
    return value if isinstance(value, list | tuple) else (value,)


def _text(value: Json) -> Hashable:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
