"""Stateful emulators of the CRMs, written from the vendors' pages."""

from .faults import FaultKind
from .server import Sandbox

__all__ = ["FaultKind", "Sandbox"]
