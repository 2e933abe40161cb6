"""Refusals that need no answer of a vendor: nothing was sent, or what came was no record."""

from __future__ import annotations

from crmkit.errors import BadPayload, NotFound, Rejected, Unsupported


class Refusals:
    """What every adapter refuses in the same words.

    Args:
        vendor: vendor key.
        name: how the vendor calls itself.
        api: what cannot do what nobody offers; the vendor itself when left out.
    """

    def __init__(self, vendor: str, name: str, *, api: str | None = None) -> None:
        self.vendor = vendor
        self._name = name
        self._api = api or name

    def draft(self, account: str, field: str, reason: str, remedy: str) -> Rejected:
        """A value that the vendor cannot take; nothing was sent."""
        fields = {field: reason}
        return Rejected(f"{field}: {reason}", fields=fields, account=account, vendor=self.vendor, remedy=remedy)

    def unsupported(self, account: str, what: str, remedy: str) -> Unsupported:
        """Something that the vendor, or this account's way in, does not offer; nothing was sent."""
        return Unsupported(f"{self._api} cannot {what}", account=account, vendor=self.vendor, remedy=remedy)

    def unreadable(self, account: str, kind: str) -> BadPayload:
        """A body that is no record of its kind: it has no id, or a value where nobody expects it."""
        return BadPayload(
            f"{self._name} gave a {kind} that cannot be read",
            account=account,
            vendor=self.vendor,
            remedy=f"Look at the answer with crm.call(); if {self._name} means it so, crmkit has to learn it.",
        )

    def gone(self, account: str, ref: str) -> NotFound:
        """A record that a call needs is not there."""
        return NotFound(
            f"{ref} does not exist or is not visible to us",
            account=account,
            vendor=self.vendor,
            ref=ref,
            remedy="It may have been deleted or merged; look it up by phone or name.",
        )
