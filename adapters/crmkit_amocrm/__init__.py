"""amoCRM and Kommo for crmkit."""

from crmkit_amocrm.adapter import AmoCrmAdapter
from crmkit_amocrm.auth import AmoCrmSettings

__all__ = ["AmoCrmAdapter", "AmoCrmSettings"]
