"""pytest fixtures of crmkit; light, because every pytest run of an environment with crmkit imports this room."""

from __future__ import annotations
