"""The page of what each CRM can do and how its writes happen once, told by the adapters themselves."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from crmkit import registry
from crmkit.adapter import Adapter, Capability, EffectClass, Level
from crmkit.models import RECORDS
from crmkit.values import Kind, Ref
from crmkit.write import Verb, Write

_CARDS = (Kind.CONTACT, Kind.COMPANY, Kind.DEAL)
_WRITTEN = (*_CARDS, Kind.LEAD, Kind.TASK, Kind.NOTE)
WRITES: Mapping[Verb, Sequence[Kind]] = {
    Verb.CREATE: (*_WRITTEN, Kind.FILE, Kind.CALL),
    Verb.UPDATE: (*_WRITTEN, Kind.FILE),
    Verb.DELETE: (*_WRITTEN, Kind.FILE),
    Verb.LINK: _CARDS,
    Verb.UNLINK: _CARDS,
    Verb.MERGE: _CARDS,
    Verb.READDRESS: _CARDS,
}
"""What a handler can write: the verbs of the ports, by kind."""

_OF_KINDS: Mapping[Kind, Capability] = {
    Kind.CONTACT: Capability.CONTACTS,
    Kind.COMPANY: Capability.COMPANIES,
    Kind.DEAL: Capability.DEALS,
    Kind.LEAD: Capability.LEADS,
    Kind.TASK: Capability.TASKS,
    Kind.NOTE: Capability.NOTES,
    Kind.FILE: Capability.FILES,
    Kind.CALL: Capability.LOG_CALLS,
}
_OF_VERBS: Mapping[Verb, Capability] = {
    Verb.DELETE: Capability.DELETE,
    Verb.LINK: Capability.LINKS,
    Verb.UNLINK: Capability.LINKS,
    Verb.MERGE: Capability.MERGE,
    Verb.READDRESS: Capability.MERGE,
}

_HEAD = """\
# Capabilities

Made by `make docs` from the adapters; a test fails when it is stale.

What `requires=` of an extension names is checked before a service starts, against the account itself: a plan, a right
or a switch of the account may take away what the vendor can do at best. The pages of the CRMs say when:
{pages}.

## What each CRM can do

**native**: the CRM does it. **emulated**: crmkit does it with other calls, at a price its page names. **absent**:
asking for it raises `Unsupported`.

"""

_WRITES = """
## How a write happens once

A process may die between a call and its answer. The next run then has to know whether the call was carried out:

- **native key**: the CRM keeps our key with the record and refuses, or shows, a second one;
- **lookup**: the record is looked for by what the lost write would have made, and adopted or made again;
- **idempotent**: doing it twice is the same as doing it once, so it is done again;
- **none**: it cannot be told;
- **—**: the CRM lacks the capability. Single kinds that it refuses besides are named on its page.

"""


def page(adapters: Sequence[Adapter]) -> str:
    """The whole page, one column for each adapter."""
    titles = [adapter.title for adapter in adapters]
    links = ", ".join(f"[{adapter.title}](adapters/{adapter.vendor}.md)" for adapter in adapters)
    levels = ([one.value, *(_level(adapter, one).value for adapter in adapters)] for one in Capability)
    writes = (
        [f"{verb.value} {kind.value}", *(_effect(adapter, verb, kind) for adapter in adapters)]
        for verb, kinds in WRITES.items()
        for kind in kinds
    )
    return "".join(
        [
            _HEAD.format(pages=links),
            _table(["capability", *titles], levels),
            _WRITES,
            _table(["write", *titles], writes),
        ]
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _level(adapter: Adapter, capability: Capability) -> Level:
    return adapter.capabilities.get(capability, Level.ABSENT)


def _effect(adapter: Adapter, verb: Verb, kind: Kind) -> str:
    # Files can be deleted wherever there are any; the capability DELETE is about records that people miss.
    of_verb = None if kind is Kind.FILE else _OF_VERBS.get(verb)
    needed = [one for one in (_OF_KINDS[kind], of_verb) if one is not None]
    if any(_level(adapter, one) is Level.ABSENT for one in needed):
        return "—"
    effect: EffectClass = adapter.effect_class(_sample(verb, kind))
    return effect.value.replace("_", " ")


def _sample(verb: Verb, kind: Kind) -> Write:
    """A write as a handler makes it: each carries the key of its effect."""
    ref = Ref("account", kind, "1")
    if verb is Verb.CREATE:
        return Write(verb, kind, record=RECORDS[kind].model_validate({"ref": Ref.new(kind)}), marker="effect")
    return Write(verb, kind, ref=ref, marker="effect")


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page([registry.adapter(vendor) for vendor in registry.vendors()]), encoding="utf-8")
