"""What a write does to an account of the memory CRM: checked as a vendor checks, then kept and told of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from crmkit.errors import NotFound, Rejected, Unsupported
from crmkit.identity import parse_phone
from crmkit.models import (
    RECORDS,
    Call,
    Company,
    Contact,
    CustomValue,
    Deal,
    Email,
    FieldChange,
    FieldDef,
    FieldType,
    Note,
    Outcome,
    Phone,
    Record,
    StageRef,
    Task,
    User,
)
from crmkit.testing.hooks import VENDOR
from crmkit.testing.state import STORED, AccountState, Creation
from crmkit.values import Kind, Money, Ref
from crmkit.webhook import Action
from crmkit.write import Verb, Write


def apply(state: AccountState, write: Write, actor: str, *, hooks: bool = True) -> Ref | None:
    """Do the write in the name of user `actor`; the address of what was written, None for a call of nobody known.

    Raises Rejected by field, NotFound, Unsupported: then nothing has changed.
    """
    if write.kind not in STORED:
        raise Unsupported(
            f"a {write.kind.value} cannot be written",
            account=state.key,
            vendor=VENDOR,
            remedy="Change it in the CRM's own settings.",
        )
    if write.verb is Verb.READDRESS:
        return write.ref  # who listens is told elsewhere: an account keeps no such thing
    return _VERBS[write.verb](state, write, actor, hooks)


def _create(state: AccountState, write: Write, actor: str, hooks: bool) -> Ref | None:
    if write.record is None:
        raise Rejected("nothing to create", account=state.key, vendor=VENDOR, fields={"record": "is missing"})
    values = _checked(state, write, {name: value for name, value in write.values().items() if value is not None}, None)
    if write.kind is Kind.CALL and not _find_person(state, values):
        return None
    if write.kind is Kind.DEAL and "stage" not in values:
        values["stage"] = state.first_stage()
    _close(state, values, None)
    born = {
        "ref": state.new_ref(write.kind),
        "created_at": values.get("created_at", state.now()),
        "updated_at": state.now(),
        "created_by": actor,
        "updated_by": actor,
        "owner_id": values.get("owner_id", actor),
    }
    made = state.put(_valid(state, write, RECORDS[write.kind], {**values, **born}), extra=write.extra)
    state.created.append(Creation(made.ref, write.digest(), write.marker, state.now()))
    state.tell(made.ref, Action.ADDED, actor, hooks=hooks)
    _keep_sides_equal(state, None, made, actor, hooks)
    return made.ref


def _update(state: AccountState, write: Write, actor: str, hooks: bool) -> Ref | None:
    before = _existing(state, write.ref)
    changes = dict(write.changes)
    add, remove = changes.pop("add_tags", ()), changes.pop("remove_tags", ())
    values = _checked(state, write, changes, before)
    if add or remove:
        kept: tuple[str, ...] = tuple(tag for tag in getattr(before, "tags", ()) if tag not in remove)
        values["tags"] = (*kept, *(tag for tag in add if tag not in kept))
    _close(state, values, before)
    values |= {"updated_at": state.now(), "updated_by": actor}
    kept_fields = {name: getattr(before, name) for name in before.model_fields_set}
    after = state.put(_valid(state, write, type(before), {**kept_fields, **values}), extra=write.extra)
    move = state.move_of(before, after) if isinstance(before, Deal) and isinstance(after, Deal) else None
    state.tell(after.ref, Action.CHANGED, actor, move=move, hooks=hooks)
    _keep_sides_equal(state, before, after, actor, hooks)
    return after.ref


def _delete(state: AccountState, write: Write, actor: str, hooks: bool) -> Ref | None:
    ref = _existing(state, write.ref).ref
    state.drop(ref)
    state.tell(ref, Action.DELETED, actor, hooks=hooks)
    return None


def _link(state: AccountState, write: Write, actor: str, hooks: bool) -> Ref | None:
    return _set_links(state, write, actor, hooks, is_on=True)


def _unlink(state: AccountState, write: Write, actor: str, hooks: bool) -> Ref | None:
    return _set_links(state, write, actor, hooks, is_on=False)


def _set_links(state: AccountState, write: Write, actor: str, hooks: bool, *, is_on: bool) -> Ref | None:
    one = _existing(state, write.ref)
    for other in [_existing(state, ref) for ref in write.others]:
        # A link has no direction: the deal holds its people, the person their company.
        owner, held = sorted((one, other), key=lambda record: _HOLDERS.get(record.ref.kind, len(_HOLDERS)))
        values = _linked(owner, held.ref, is_on=is_on, is_main=bool(write.extra.get("is_main")))
        if values is None:
            raise Rejected(
                f"a {owner.ref.kind.value} cannot be linked with a {held.ref.kind.value}",
                account=state.key,
                vendor=VENDOR,
                ref=str(one.ref),
                fields={"others": f"{held.ref} does not fit"},
            )
        changed = {name: value for name, value in values.items() if getattr(owner, name) != value}
        if changed:
            after = state.put(owner.model_copy(update={**changed, "updated_at": state.now(), "updated_by": actor}))
            state.tell(owner.ref, Action.CHANGED, actor, hooks=hooks)
            _keep_sides_equal(state, owner, after, actor, hooks)
    return one.ref


_HOLDERS: Mapping[Kind, int] = {Kind.DEAL: 0, Kind.CONTACT: 1, Kind.COMPANY: 2}


def _linked(owner: Record, held: Ref, *, is_on: bool, is_main: bool) -> Mapping[str, Any] | None:
    """The fields of `owner` with the link made or cut; None when these two cannot be linked."""
    if isinstance(owner, Deal) and held.kind is Kind.CONTACT:
        rest = tuple(ref for ref in owner.contacts if ref != held)
        if is_on and is_main:
            return {"contacts": (held, *rest)}
        return {"contacts": owner.contacts if is_on and held in owner.contacts else (*rest, held) if is_on else rest}
    if isinstance(owner, Deal | Contact) and held.kind is Kind.COMPANY:
        return {"company": held} if is_on else {"company": None if owner.company == held else owner.company}
    return None


def _merge(state: AccountState, write: Write, actor: str, hooks: bool) -> Ref | None:
    survivor = _existing(state, write.ref)
    losers = [_existing(state, ref) for ref in write.others if state.merged.get(ref) != survivor.ref]
    if any(type(loser) is not type(survivor) or loser.ref == survivor.ref for loser in losers):
        raise Rejected(
            "only different records of one kind can be merged",
            account=state.key,
            vendor=VENDOR,
            ref=str(survivor.ref),
            fields={"others": "are of another kind, or the survivor itself"},
        )
    values: dict[str, Any] = {"updated_at": state.now(), "updated_by": actor}
    for name in ("phones", "emails", "tags", "contacts"):
        if hasattr(survivor, name):
            values[name] = tuple(dict.fromkeys(item for one in (survivor, *losers) for item in getattr(one, name)))
    state.put(survivor.model_copy(update=values))
    for loser in losers:
        for touched in _readdress(state, loser.ref, survivor.ref):
            state.tell(touched, Action.CHANGED, actor, hooks=hooks)
        state.drop(loser.ref)
        state.merged[loser.ref] = survivor.ref
        state.tell(loser.ref, Action.DELETED, actor, hooks=hooks)
    state.tell(survivor.ref, Action.CHANGED, actor, hooks=hooks)
    return survivor.ref


def _readdress(state: AccountState, loser: Ref, survivor: Ref) -> Sequence[Ref]:
    def people(deal: Deal) -> Mapping[str, Any]:
        return {"contacts": tuple(dict.fromkeys(survivor if ref == loser else ref for ref in deal.contacts))}

    def company(_: Contact | Deal) -> Mapping[str, Any]:
        return {"company": survivor}

    return [
        *state.patch(Deal, lambda deal: loser in deal.contacts, people),
        *state.patch(Deal, lambda deal: deal.company == loser, company),
        *state.patch(Contact, lambda contact: contact.company == loser, company),
        *state.patch(Task, lambda task: task.about == loser, lambda _: {"about": survivor}),
        *state.patch(Note, lambda note: note.about == loser, lambda _: {"about": survivor}),
        *state.patch(Call, lambda call: loser in (call.contact, call.company), lambda _: {loser.kind.value: survivor}),
    ]


_VERBS: Mapping[Verb, Callable[[AccountState, Write, str, bool], Ref | None]] = {
    Verb.CREATE: _create,
    Verb.UPDATE: _update,
    Verb.DELETE: _delete,
    Verb.LINK: _link,
    Verb.UNLINK: _unlink,
    Verb.MERGE: _merge,
}


def _existing(state: AccountState, ref: Ref | None) -> Record:
    record = state.records.get(ref) if ref else None
    if record is None:
        raise NotFound(
            f"{ref} does not exist",
            account=state.key,
            vendor=VENDOR,
            ref=str(ref),
            status=404,
            remedy="It may have been deleted or merged; look it up by phone or name.",
        )
    return record


def _checked(state: AccountState, write: Write, given: Mapping[str, Any], before: Record | None) -> dict[str, Any]:
    """The fields as they will be kept. Raises Rejected naming every field that is refused."""
    values, faults = dict(given), dict[str, str]()
    owner = values.get("owner_id")
    if owner is not None and state.get(User, Ref(state.key, Kind.USER, owner)) is None:
        faults["owner_id"] = f"there is no user {owner}"
    for name in ("about", "contact", "company", "deal", "contacts", "cards"):
        held: Ref | Sequence[Ref] | None = values.get(name)
        for ref in [held] if isinstance(held, Ref) else held or ():
            if ref not in state.records:
                faults[name] = f"there is no {ref}"
    if write.kind is Kind.FILE and before is None and not values.get("content"):
        faults["content"] = "is empty"
    stage = values.get("stage")
    if isinstance(stage, StageRef) and state.outcome(stage) is None:
        faults["stage"] = f"there is no stage {stage.stage_id} in pipeline {stage.pipeline_id}"
    values |= _normalized(state, values)
    if "custom" in values or "custom" in write.extra:
        given_fields = [*(values.get("custom") or ()), *_natives(state, write)]
        values["custom"], refused = _custom(state, write.kind, given_fields, before)
        faults |= refused
    if faults:
        raise _refusal(state, write, faults)
    return values


def _valid(state: AccountState, write: Write, record: type[Record], values: Mapping[str, Any]) -> Record:
    try:
        return record.model_validate(values)
    except ValidationError as error:
        faults = {".".join(map(str, fault["loc"])): fault["msg"] for fault in error.errors()}
        raise _refusal(state, write, faults) from None


def _refusal(state: AccountState, write: Write, faults: Mapping[str, str]) -> Rejected:
    reasons = "; ".join(f"{name}: {reason}" for name, reason in faults.items())
    return Rejected(
        f"{write.verb.value} of {write.target} was refused: {reasons}",
        fields=faults,
        account=state.key,
        vendor=VENDOR,
        ref=str(write.ref) if write.ref else None,
        status=400,
        remedy="Mend these fields; the same values will be refused again.",
    )


def _normalized(state: AccountState, values: Mapping[str, Any]) -> Mapping[str, Any]:
    fresh: dict[str, Any] = {}
    if "phones" in values:
        fresh["phones"] = tuple(_phone(state, phone) for phone in values["phones"])
    if values.get("phone") is not None:
        fresh["phone"] = _phone(state, values["phone"])
    if "emails" in values:
        fresh["emails"] = tuple(Email(value=email.value.strip(), kind=email.kind) for email in values["emails"])
    for name, value in values.items():
        if isinstance(value, datetime):
            fresh[name] = value.replace(microsecond=0)
    return fresh


def _phone(state: AccountState, phone: Phone) -> Phone:
    number = parse_phone(phone.raw, country=state.account.country)
    return Phone(raw=phone.raw, e164=number.e164 if number else None, kind=phone.kind)


def _close(state: AccountState, values: dict[str, Any], before: Record | None) -> None:
    """A stage decides whether the deal is over, and since when."""
    stage = values.get("stage")
    if not isinstance(stage, StageRef):
        return
    outcome = state.outcome(stage) or Outcome.OPEN
    was_closed_at = before.closed_at if isinstance(before, Deal) and before.outcome is outcome else None
    values["outcome"] = outcome
    values["closed_at"] = None if outcome is Outcome.OPEN else was_closed_at or state.now()


def _find_person(state: AccountState, values: dict[str, Any]) -> bool:
    """Put the caller's contact into a call that names none; False when the CRM knows nobody with the number."""
    if values.get("contact") or values.get("company") or values.get("deal"):
        return True
    phone = values.get("phone")
    if not isinstance(phone, Phone) or phone.e164 is None:
        return False
    known_people: list[Contact | Company] = [*state.all(Contact), *state.all(Company)]
    for record in known_people:
        if any(known.e164 == phone.e164 for known in record.phones):
            values[record.ref.kind.value] = record.ref
            return True
    return False


def _keep_sides_equal(state: AccountState, before: Record | None, after: Record, actor: str, hooks: bool) -> None:
    """A person's company lists the person, and the other way round."""
    if not isinstance(after, Contact):
        return
    old = before.company if isinstance(before, Contact) else None
    for ref in {old, after.company} - {None}:
        company = state.get(Company, ref) if ref else None
        if company is None:
            continue
        rest = tuple(person for person in company.contacts if person != after.ref)
        people = (*rest, after.ref) if ref == after.company else rest
        if set(people) != set(company.contacts):
            state.put(company.model_copy(update={"contacts": people, "updated_at": state.now()}))
            state.tell(company.ref, Action.CHANGED, actor, hooks=hooks)


_ACCEPTED: Mapping[FieldType, type[Any]] = {
    FieldType.TEXT: str,
    FieldType.LONGTEXT: str,
    FieldType.URL: str,
    FieldType.EMAIL: str,
    FieldType.PHONE: str,
    FieldType.ENUM: str,
    FieldType.INT: int,
    FieldType.DECIMAL: Decimal,
    FieldType.MONEY: Money,
    FieldType.BOOL: bool,
    FieldType.DATE: date,
    FieldType.DATETIME: datetime,
    FieldType.MULTIENUM: tuple,
}


def _natives(state: AccountState, write: Write) -> list[CustomValue]:
    """Custom fields that came through the vendor's own door, by their numbers."""
    given = write.extra.get("custom")
    known = {field.id: field for field in state.fields.get(write.kind, ())}
    return [
        CustomValue.model_validate(
            {"id": id_, "code": known[id_].code, "title": known[id_].title, "type": known[id_].type, "value": value}
        )
        for id_, value in (given.items() if isinstance(given, Mapping) else ())
        if id_ in known
    ]


def _custom(
    state: AccountState, kind: Kind, given: Sequence[CustomValue | FieldChange[Any]], before: Record | None
) -> tuple[tuple[CustomValue, ...], dict[str, str]]:
    """The record's custom fields with `given` laid over, in the order of the account's fields, and what is refused."""
    kept = {item.id: item for item in (before.custom if before else ()) if isinstance(item, CustomValue)}
    faults: dict[str, str] = {}
    for item in given:
        if isinstance(item, CustomValue):
            kept[item.id] = item
            if item.value is None:
                del kept[item.id]
            continue
        token = item.field
        known = state.fields.get(kind, [])
        found = next((one for one in known if token.code and one.code == token.code), None)
        found = found or next((one for one in known if one.title == token.title), None)
        fault = _field_fault(found, token.type, item.value)
        if fault or found is None:
            faults[f"custom.{token.title}"] = fault
        elif item.value is None:
            kept.pop(found.id, None)
        else:
            value = item.value.replace(microsecond=0) if isinstance(item.value, datetime) else item.value
            kept[found.id] = CustomValue.model_validate(
                {"id": found.id, "code": found.code, "title": found.title, "type": found.type, "value": value}
            )
    return tuple(kept[id_] for id_ in sorted(kept, key=int)), faults


def _field_fault(found: FieldDef | None, type_: type[Any], value: object) -> str:
    if found is None:
        return "the account has no such field"
    if _ACCEPTED[found.type] is not type_:
        return f"is a {found.type.value} field, declared as {type_.__name__}"
    if found.options and value is not None:
        labels = value if isinstance(value, tuple) else (value,)
        unknown = [str(label) for label in labels if label not in found.options]
        if unknown:
            return f"has no option {', '.join(unknown)}; it has {', '.join(found.options)}"
    return ""
