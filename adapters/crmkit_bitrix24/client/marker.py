"""The key under which a created record can be found again."""

from __future__ import annotations

import hashlib

from crmkit.write import Write


def marker_of(write: Write) -> str:
    """What stands in `ORIGIN_ID`, `XML_ID` or `EXTERNAL_CALL_ID`: of the effect's key, else of the write's content."""
    return hashlib.blake2b((write.marker or write.digest()).encode(), digest_size=16).hexdigest()
