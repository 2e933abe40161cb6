"""retailCRM and Simla.com for crmkit."""

from crmkit_retailcrm.adapter import RetailCrmAdapter
from crmkit_retailcrm.auth import RetailCrmSettings

__all__ = ["RetailCrmAdapter", "RetailCrmSettings"]
