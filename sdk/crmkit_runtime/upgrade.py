"""Upgrades: what the stored body of a record says by today's rules of the adapter."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from crmkit.adapter import Account, Adapter
from crmkit_runtime.ledger import Own, relay
from crmkit_runtime.mirror import Copy

log = logging.getLogger(__name__)


def today(adapter: Adapter, account: Account, copy: Copy, own: Sequence[Own]) -> Copy:
    """The copy as the adapter reads its body now; what we wrote since the last load stays laid over it.

    Without it, every record would seem changed after an upgrade. A copy without a body stays as it is.
    """
    if copy.translator >= adapter.translator_version or not copy.raw:
        return copy
    ref = copy.record.ref
    try:
        record = relay(adapter.translate(ref.kind, copy.raw, account), own)
    except Exception:
        log.exception("account %s: the stored body of %s cannot be translated again", ref.account, ref)
        record = copy.record
    return replace(copy, record=record, translator=adapter.translator_version)
