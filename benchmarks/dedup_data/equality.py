"""The plainest matcher: records with an equal normalized phone or address are one, chains included."""

from __future__ import annotations

from collections.abc import Iterable

from benchmarks.dedup_data.evaluate import Found

from crmkit.identity import email_key, parse_phones
from crmkit_dedup.rows import CompanyRow, PersonRow


def by_equality(rows: Iterable[PersonRow | CompanyRow]) -> dict[str, Found]:
    """Give the clusters of equal phones and addresses, all of them auto."""
    heads: dict[str, str] = {}

    def head(key: str) -> str:
        while (above := heads.setdefault(key, key)) != key:
            heads[key] = heads[above]
            key = heads[key]
        return key

    ids = []
    for row in rows:
        ids.append(row.id)
        keys = [phone.e164 + (phone.extension or "") for phone in parse_phones(row.phones)]
        keys += [key for part in row.emails.replace(",", ";").split(";") if (key := email_key(part))]
        for key in keys:
            heads[head(key)] = head(f"id:{row.id}")
    return {one: Found(head(f"id:{one}"), "auto") for one in ids}
