"""What became of a dump on its way into a CRM: rows that are missing there, and what the others have lost."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from rapidfuzz.fuzz import ratio

from crmkit.identity import email_key, parse_phones
from crmkit_dedup.match import Band, Cluster
from crmkit_dedup.rows import PersonRow
from crmkit_dedup.scan import scan_people

ALIKE = 75
"""Percent of letters at which two words are one word spelled in two ways."""

_WORD = re.compile(r"[^\W\d_]+")
_SPLIT = re.compile(r"[;,\s|<>]+")
_DUMP, _CRM = "dump/", "crm/"
_EXTENSION = " ext. "


class Fate(StrEnum):
    """What became of a row of the dump."""

    KEPT = "kept"
    LOST = "lost"
    """It is in the CRM, without something that it had."""
    MISSING = "missing"


class Arrival(NamedTuple):
    """A row of the dump and the records of the CRM that it has become."""

    id: str
    fate: Fate
    records: tuple[str, ...]
    is_sure: bool
    """No person need look whether the records are this row."""
    lost_phones: tuple[str, ...] = ()
    lost_emails: tuple[str, ...] = ()
    lost_names: tuple[str, ...] = ()


def arrivals(
    dump: Sequence[PersonRow],
    crm: Sequence[PersonRow],
    *,
    country: str = "RU",
    progress: Callable[[str, int, int | None], None] | None = None,
) -> Iterator[Arrival]:
    """Yield the fate of every row of the dump, in its order.

    A row is found in the CRM by the dump's id kept there as an external one, else by equal records, else by what
    duplicates are found by, and last by a full name that only one row and one record have.
    """
    found = _Found()
    _by_external_id(dump, crm, found)
    facts = {row.id: _facts(row, country) for row in crm}
    own = {row.id: _facts(row, country) for row in dump}
    _by_equality(own, facts, found)
    left = [row for row in dump if row.id not in found.records]
    if left and crm:
        sides = ((_DUMP, left), (_CRM, crm))
        union = (row._replace(id=side + row.id) for side, rows in sides for row in rows)
        _by_clusters(scan_people(union, country=country, progress=progress).duplicates, found)
        _by_name(own, facts, found)
    for row in dump:
        records = tuple(found.records.get(row.id, ()))
        if not records:
            yield Arrival(row.id, Fate.MISSING, (), is_sure=True)
            continue
        phones, emails, names = _lost(own[row.id], [facts[record] for record in records])
        fate = Fate.LOST if phones or emails or names else Fate.KEPT
        yield Arrival(row.id, fate, records, row.id not in found.doubtful, phones, emails, names)


class _Facts(NamedTuple):
    """What a record says, in one order and shape; `names` as they were typed."""

    phones: tuple[str, ...]
    emails: tuple[str, ...]
    names: tuple[str, ...]


class _Found:
    """Records of the CRM by the row that they are; the surest way of finding comes first, and stays."""

    def __init__(self) -> None:
        self.records: dict[str, list[str]] = {}
        self.doubtful: set[str] = set()
        self.taken: set[str] = set()

    def add(self, row: str, records: Iterable[str], *, is_sure: bool) -> None:
        known = self.records.setdefault(row, [])
        if not known and not is_sure:
            self.doubtful.add(row)
        fresh = [record for record in records if record not in known]
        known.extend(fresh)
        self.taken.update(fresh)


def _facts(row: PersonRow, country: str) -> _Facts:
    phones = {
        number.e164 + (_EXTENSION + number.extension if number.extension else "")
        for number in parse_phones(row.phones, country=country)
    }
    emails = {key for part in _SPLIT.split(row.emails) if "@" in part and (key := email_key(part))}
    text = f"{row.last} {row.first} {row.middle} {row.name}".casefold().replace("ё", "е")
    names = tuple(dict.fromkeys(_WORD.findall(text)))
    if not (phones or emails or names):
        # What says nothing is still the same when it is typed the same.
        names = tuple(filter(None, (text.strip(), row.phones.strip(), row.emails.strip())))
    return _Facts(tuple(sorted(phones)), tuple(sorted(emails)), names)


def _by_external_id(dump: Iterable[PersonRow], crm: Iterable[PersonRow], found: _Found) -> None:
    holders: defaultdict[str, list[str]] = defaultdict(list)
    for record in crm:
        if record.external_id:
            holders[record.external_id].append(record.id)
    for row in dump:
        for key in (row.id, row.external_id):
            if key in holders:
                found.add(row.id, holders[key], is_sure=True)


def _by_equality(own: Mapping[str, _Facts], crm: Mapping[str, _Facts], found: _Found) -> None:
    same: defaultdict[_Facts, list[str]] = defaultdict(list)
    for record, facts in crm.items():
        same[_sorted(facts)].append(record)
    for row, facts in own.items():
        if any(facts) and row not in found.records and (records := same.get(_sorted(facts))):
            found.add(row, records, is_sure=True)


def _sorted(facts: _Facts) -> _Facts:
    return facts._replace(names=tuple(sorted(facts.names)))


def _by_clusters(clusters: Iterable[Cluster], found: _Found) -> None:
    for cluster in clusters:
        records = [member for member in cluster.members if member.id.startswith(_CRM)]
        sure = [member.id.removeprefix(_CRM) for member in records if member.band is Band.AUTO]
        others = [member.id.removeprefix(_CRM) for member in records if member.band is not Band.AUTO]
        for member in cluster.members:
            row = member.id.removeprefix(_DUMP)
            if row == member.id or row in found.records:
                continue
            if member.band is Band.AUTO and sure:
                found.add(row, sure, is_sure=True)
            elif records:
                found.add(row, sure + others, is_sure=False)


def _by_name(own: Mapping[str, _Facts], crm: Mapping[str, _Facts], found: _Found) -> None:
    """A record that has lost all its phones and addresses is known by its name alone, if it is the only one."""
    names = Counter(_sorted(facts).names for facts in own.values())
    free: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for record, facts in crm.items():
        if record not in found.taken:
            free[_sorted(facts).names].append(record)
    for row, facts in own.items():
        name = _sorted(facts).names
        if row in found.records or len(name) < 2 or names[name] > 1 or len(free.get(name, ())) != 1:
            continue
        record = free[name][0]
        # Another number in its place is another person; no number is a loss.
        if not (crm[record].phones and facts.phones) and not (crm[record].emails and facts.emails):
            found.add(row, [record], is_sure=False)


def _lost(own: _Facts, records: Sequence[_Facts]) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    held = {phone for record in records for phone in record.phones}
    # With an extension found out later the number is still the number.
    held.update([phone.partition(_EXTENSION)[0] for phone in held])
    phones = set(own.phones) - held
    emails = set(own.emails).difference(*(record.emails for record in records))
    # As many words spelled otherwise are the name in other letters or a short form.
    missing = [_without(own.names, record.names) for record in records if len(record.names) < len(own.names)]
    names = min(missing, key=len) if len(missing) == len(records) else ()
    return tuple(sorted(phones)), tuple(sorted(emails)), names


def _without(own: Sequence[str], kept: Sequence[str]) -> tuple[str, ...]:
    """Words of a name that no word of the other stands for; each word stands for one."""
    free = list(kept)
    left = []
    for word in own:
        if word in free:
            free.remove(word)
        else:
            left.append(word)
    lost = []
    for word in left:
        alike = next((name for name in free if _is_alike(word, name)), None)
        if alike is None:
            lost.append(word)
        else:
            free.remove(alike)
    return tuple(lost)


def _is_alike(word: str, name: str) -> bool:
    if len(word) == 1 or len(name) == 1:
        return word[0] == name[0]
    return ratio(word, name) >= ALIKE
