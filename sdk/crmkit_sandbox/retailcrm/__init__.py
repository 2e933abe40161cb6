"""The emulated retailCRM."""

from .state import RetailCrm

__all__ = ["RetailCrm"]
