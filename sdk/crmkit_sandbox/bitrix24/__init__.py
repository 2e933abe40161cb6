"""The emulated Bitrix24."""

from .state import Bitrix24

__all__ = ["Bitrix24"]
