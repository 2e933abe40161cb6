"""crmkit_telephony."""
