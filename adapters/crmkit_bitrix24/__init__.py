"""Bitrix24 for crmkit."""

from crmkit_bitrix24.adapter import Bitrix24Adapter
from crmkit_bitrix24.auth import Bitrix24Settings

__all__ = ["Bitrix24Adapter", "Bitrix24Settings"]
