"""Commands of merging: what it would do, doing it, taking it back, and what was done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from crmkit.errors import ConfigError
from crmkit.extension import Context
from crmkit.values import Ref
from crmkit_dedup.commands import ref_of
from crmkit_dedup.exclusions import Exclusions
from crmkit_dedup.journal import Entry, Journal, State
from crmkit_dedup.merging.merge import merge
from crmkit_dedup.merging.words import listed, say
from crmkit_dedup.preview import Excluded, preview
from crmkit_dedup.settings import DedupSettings
from crmkit_dedup.undo import undo

Ctx = Context[DedupSettings]

_STATES = {
    State.BEGUN: "begun",
    State.PLANNED: "state_planned",
    State.DONE: "state_done",
    State.REFUSED: "refused",
    State.UNDOING: "undoing",
    State.UNDONE: "state_undone",
}


@dataclass(frozen=True, slots=True)
class _Asked:
    """The words of a command: records of one kind, who is to live on, and the flags."""

    refs: tuple[Ref, ...]
    survivor: Ref | None
    flags: frozenset[str]


def command_preview(ctx: Ctx, words: Sequence[str]) -> Iterator[str]:
    """`12 15 [--survivor 12]`, `company:7 company:9`: what merging these records would do, field by field."""
    asked = _asked(ctx, words)
    seen = preview(ctx.crm, asked.refs, ctx.settings.merge, survivor=asked.survivor, excluded=kept_apart(ctx))
    yield from seen.lines(ctx.language)


def command_merge(ctx: Ctx, words: Sequence[str]) -> Iterator[str]:
    """`12 15 [--survivor 12] [--apply] [--force]`: the preview, and with `--apply` the merge."""
    asked = _asked(ctx, words)
    is_forced = "--force" in asked.flags
    if "--apply" not in asked.flags:
        yield from command_preview(ctx, words)
        yield say(ctx.language, "dry")
        return
    rules, excluded = ctx.settings.merge, kept_apart(ctx)
    done = merge(ctx, asked.refs, rules, survivor=asked.survivor, excluded=excluded, is_forced=is_forced)
    yield from done.lines


def command_undo(ctx: Ctx, words: Sequence[str]) -> Iterator[str]:
    """`contact-12-1 [--force]`: take a merge back by its name; with `--force` over what people have changed since."""
    names = [word for word in words if not word.startswith("--")]
    if len(names) != 1:
        raise ConfigError(say(ctx.language, "usage_undo"), remedy="crmkit ext dedup journal")
    yield from undo(ctx, names[0], is_forced="--force" in words).lines


def command_journal(ctx: Ctx, words: Sequence[str]) -> Iterator[str]:
    """`[contact-12-1]`: all merges, or one with what was said of it."""
    journal, zone = Journal(ctx.store), ZoneInfo(ctx.account.timezone)
    names = [word for word in words if not word.startswith("--")]
    chosen = [entry for entry in journal.entries() if not names or entry.id in names]
    for entry in sorted(chosen, key=lambda entry: entry.at):
        yield _line(ctx.language, entry, zone)
        yield from (f"  {line}" for line in (entry.report if names else ()))
    if not chosen:
        yield say(ctx.language, "empty")


def kept_apart(ctx: Context[Any]) -> Excluded:
    """Whether somebody has said of two records that they are different."""
    exclusions = Exclusions(ctx.store)
    return lambda one, other: exclusions.between(one, other) is not None


def _line(language: str, entry: Entry, zone: ZoneInfo) -> str:
    return say(
        language,
        "journal",
        merge=entry.id,
        at=entry.at.astimezone(zone).strftime("%d.%m.%Y %H:%M" if language == "ru" else "%Y-%m-%d %H:%M"),
        state=say(language, _STATES[entry.state]),
        losers=listed([ref.id for ref in entry.losers]),
        survivor=entry.survivor.id,
        why=f"  {entry.why}" if entry.why else "",
    )


def _asked(ctx: Ctx, words: Sequence[str]) -> _Asked:
    """Read the words. Raises ConfigError for others, saying what to write."""
    rest, survivor = list(words), None
    if "--survivor" in rest[:-1]:
        place = rest.index("--survivor")
        survivor = rest[place + 1]
        del rest[place : place + 2]
    flags = frozenset(word for word in rest if word.startswith("--"))
    names = [word for word in rest if not word.startswith("--")]
    kept = ref_of(ctx, survivor) if survivor else None
    refs = tuple(dict.fromkeys([*(ref_of(ctx, name) for name in names), *([kept] if kept else [])]))
    if len(refs) < 2 or len({ref.kind for ref in refs}) > 1 or not flags <= {"--apply", "--force"}:
        raise ConfigError(say(ctx.language, "usage_merge"), remedy="crmkit ext dedup queue")
    return _Asked(refs, kept, flags)
