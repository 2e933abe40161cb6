"""An office with duplicates on any of the CRMs: who merges, who listens, and pictures of all that is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crmkit import (
    Company,
    CompanyDeleted,
    CompanyMerged,
    Contact,
    ContactCreated,
    ContactDeleted,
    ContactMerged,
    ContactUpdated,
    Context,
    Crm,
    Deal,
    Extension,
    NoSettings,
    Ref,
)
from crmkit.values import Kind
from crmkit_dedup.merging.commands import command_journal, command_merge, command_preview, command_undo
from crmkit_dedup.merging.merge import resume
from crmkit_dedup.settings import DedupSettings
from crmkit_runtime import errand
from crmkit_testing.bench import Bench
from crmkit_testing.side import ACCOUNT

NAME = "merger"


def merger() -> Extension[DedupSettings]:
    """An extension with the commands of merging and nothing that looks for duplicates by itself."""
    extension = Extension(NAME, settings=DedupSettings, reads={Kind.CONTACT, Kind.COMPANY, Kind.DEAL, Kind.TASK})
    extension.command("preview", "what a merge would do")(command_preview)
    extension.command("merge", "merge")(command_merge)
    extension.command("undo", "take a merge back")(command_undo)
    extension.command("journal", "what was merged")(command_journal)
    extension.command("resume", "go on with what was broken off")(
        lambda ctx, words: [line for done in resume(ctx, ctx.settings.merge) for line in done.lines]
    )
    return extension


def witness(gate: Mapping[str, bool] | None = None) -> Extension[NoSettings]:
    """Another extension of the service, that says what it is told; while the gate is shut it fails at changes."""
    extension = Extension("witness")

    @extension.on(ContactCreated)
    def met(event: ContactCreated, ctx: Context[NoSettings]) -> None:
        ctx.explain(f"met {event.ref.id}")

    @extension.on(ContactUpdated)
    def changed(event: ContactUpdated, ctx: Context[NoSettings]) -> None:
        if gate is not None and gate["shut"]:
            raise RuntimeError("the gate is shut")
        ctx.explain(f"changed {event.ref.id}: {', '.join(sorted(event.changed))}")

    @extension.on(ContactMerged)
    def joined(event: ContactMerged, ctx: Context[NoSettings]) -> None:
        ctx.explain(f"merged {event.loser.id} into {event.ref.id}")

    @extension.on(ContactDeleted)
    def gone(event: ContactDeleted, ctx: Context[NoSettings]) -> None:
        ctx.explain(f"deleted {event.ref.id}")

    @extension.on(CompanyMerged)
    def firms(event: CompanyMerged, ctx: Context[NoSettings]) -> None:
        ctx.explain(f"firm {event.loser.id} into {event.ref.id}")

    @extension.on(CompanyDeleted)
    def no_firm(event: CompanyDeleted, ctx: Context[NoSettings]) -> None:
        ctx.explain(f"firm deleted {event.ref.id}")

    return extension


def told(b: Bench, name: str, *words: str) -> list[str]:
    """The lines of a command that a person runs."""
    installed = next(one for one in b.service.installed if one.extension.name == NAME)
    command = next(one for one in installed.extension.commands if one.name == name)
    return [str(line) for line in errand.do(b.service, installed, ACCOUNT, command, words)]


def heard(b: Bench) -> list[str]:
    """What the witness was told, oldest first."""
    return [reason for run in b.runs if run.extension == "witness" for reason in run.decisions]


def picture(crm: Crm, names: Mapping[Ref, str]) -> dict[str, Any]:
    """Every card with all its fields, links, tasks and remarks, by the names that the test gave to addresses."""
    cards: list[Contact | Company | Deal] = [*crm.contacts.iterate(), *crm.companies.iterate(), *crm.deals.iterate()]
    return pictured(crm, cards, names)


def pictured(crm: Crm, cards: Sequence[Contact | Company | Deal], names: Mapping[Ref, str]) -> dict[str, Any]:
    """These cards alone."""
    known = {str(ref): name for ref, name in names.items()}

    def named(ref: Ref | None) -> str | None:
        return known.get(str(ref), str(ref)) if ref is not None else None

    found: dict[str, Any] = {}
    for card in cards:
        fields: dict[str, Any] = {
            "owner": card.owner_id,
            "tags": set(getattr(card, "tags", ())),
            "natives": {native.name: _plain(native.value) for native in crm.natives(card) if not native.is_quiet},
            "notes": sorted(note.text for note in crm.notes.find(about=card.ref)),
            "tasks": sorted(task.text for task in crm.tasks.find(about=card.ref)),
        }
        if isinstance(card, Deal):
            fields |= {"title": card.title, "amount": card.amount, "stage": card.stage, "company": named(card.company)}
            fields |= {"main": named(card.contact), "people": {named(ref) for ref in card.contacts}}
        else:
            fields |= {"name": card.name, "phones": [(one.raw, one.kind) for one in card.phones]}
            fields |= {"emails": [(one.value, one.kind) for one in card.emails]}
        if isinstance(card, Contact):
            fields |= {"parts": (card.first_name, card.middle_name, card.last_name)}
            fields |= {"company": named(card.company), "birthday": card.birthday}
        if isinstance(card, Company):
            fields |= {
                "site": card.site,
                "inn": card.inn,
                "kpp": card.kpp,
                "people": {named(one) for one in card.contacts},
            }
        found[named(card.ref) or ""] = fields
    return found


def _plain(value: Any) -> Any:
    return sorted(map(str, value)) if isinstance(value, list | tuple) else value
