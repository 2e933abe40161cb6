"""Observing: hinted records are loaded, compared with the mirror, and what differs becomes events."""

from __future__ import annotations

from crmkit_runtime.hints import store as store_hints

__all__ = ["store_hints"]
