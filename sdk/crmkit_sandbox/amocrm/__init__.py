"""The emulated amoCRM."""

from .state import AmoCrm

__all__ = ["AmoCrm"]
