"""What the last scan has learned of a base, kept with the account's documents and once more in memory."""

from __future__ import annotations

import threading
from hashlib import blake2b
from json import dumps

from crmkit.storage import Store
from crmkit.values import Kind
from crmkit_dedup.rarity import Rarity

COLLECTION = "rarity"
"""Collection of what was learned, by kind."""

STAMPS = "rarity-stamps"
"""Collection of the prints by which a process sees that its copy is no more the last one."""

_lock = threading.Lock()
_copies: dict[str, Rarity] = {}


def keep(store: Store, kind: Kind, rarity: Rarity) -> None:
    """Keep what a scan has learned of a kind of records."""
    body = rarity.to_json()
    print_ = blake2b(dumps(body, sort_keys=True, ensure_ascii=False).encode(), digest_size=12).hexdigest()
    store.put(COLLECTION, kind.value, body)
    store.put(STAMPS, kind.value, {"print": print_})


def learned(store: Store, kind: Kind) -> Rarity:
    """What the last scan has learned; before the first one every word is taken for a rare one of a small base.

    Reading what a base of a million has taught takes longer than a check may, so a process does it once a scan.
    """
    stamp = store.get(STAMPS, kind.value)
    if stamp is None:
        return Rarity()
    print_ = f"{kind.value}:{stamp['print']}"
    with _lock:
        found = _copies.get(print_)
    if found is None:
        found = Rarity.from_json(store.get(COLLECTION, kind.value) or {})
        with _lock:
            if len(_copies) >= _MOST:
                _copies.clear()
            _copies[print_] = found
    return found


_MOST = 16
