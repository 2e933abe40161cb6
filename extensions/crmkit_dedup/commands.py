"""The commands of an operator: scan, fill, queue, exclude."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from crmkit.errors import ConfigError
from crmkit.extension import Said
from crmkit.values import Kind, Ref
from crmkit_dedup.decisions import exclude, include
from crmkit_dedup.exclusions import Exclusions
from crmkit_dedup.filling import fill
from crmkit_dedup.findings import Findings
from crmkit_dedup.live import BOOKS
from crmkit_dedup.panels import PAGE, rows_of, summary_of
from crmkit_dedup.policy import Ctx, words_of
from crmkit_dedup.sweep import Sweep


def command_scan(ctx: Ctx, words: Sequence[str]) -> Iterator[Said]:
    """Compare everything in the mirror, bring the queue up to date and do the policy's part."""
    if words:
        raise _unknown(ctx, "scan", words, "usage_scan")
    yield from fill(ctx)
    yield from Sweep(ctx).run()


def command_queue(ctx: Ctx, words: Sequence[str]) -> Iterator[str]:
    """The duplicates that wait, a line each: the first of them, or `--all`."""
    if list(words) not in ([], ["--all"]):
        raise _unknown(ctx, "queue", words, "usage_queue")
    findings, shown = Findings(ctx.store), 0
    waiting = findings.waiting(ctx.now)
    while part := list(islice(waiting, PAGE)):
        for row in rows_of(ctx, part):
            yield f"{row.key}  " + "  ".join(str(cell) for cell in row.cells)
        shown += len(part)
        if not words:
            break
    count = findings.count(ctx.now)
    yield summary_of(ctx, count)
    if shown < count.all:
        yield words_of(ctx).say("queue_more", shown=shown)


def command_exclude(ctx: Ctx, words: Sequence[str]) -> Iterator[str]:
    """`12 15` keeps records apart, with `--undo` they are compared again; `--list` shows who is apart."""
    said = words_of(ctx)
    if list(words) == ["--list"]:
        for pair in Exclusions(ctx.store).pairs():
            yield f"{pair.one.kind.value}:{pair.one.id}  {pair.other.id}  {said.time(pair.at)}  {pair.by}"
        return
    refs = list(dict.fromkeys(ref_of(ctx, word) for word in words if word != "--undo"))
    is_undo = "--undo" in words
    if len(refs) < 2 or (is_undo and len(refs) != 2) or len({ref.kind for ref in refs}) > 1:
        raise _unknown(ctx, "exclude", words, "usage_exclude")
    ids = ", ".join(ref.id for ref in refs)
    if not is_undo:
        exclude(ctx, refs, by="command")
        yield said.say("excluded", ids=ids)
    else:
        yield said.say("included" if include(ctx, *refs) else "not_excluded", ids=ids)


def ref_of(ctx: Ctx, name: str) -> Ref:
    """The address that `contact:12`, `company:7`, `deal:3` or `12` (a contact) means. Raises ConfigError for others."""
    kind, _, id_ = name.rpartition(":")
    known = {one.value: one for one in BOOKS} | {"": Kind.CONTACT}
    if kind not in known or not id_ or id_.startswith("-"):
        said = words_of(ctx)
        raise ConfigError(said.say("no_record", name=name), remedy=said.say("usage_record"))
    return Ref(ctx.account.key, known[kind], id_)


def _unknown(ctx: Ctx, name: str, words: Sequence[str], usage: str) -> ConfigError:
    said = words_of(ctx)
    return ConfigError(said.say("bad_words", name=name, words=" ".join(words) or "—"), remedy=said.say(usage))
