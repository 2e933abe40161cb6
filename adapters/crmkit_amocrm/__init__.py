"""crmkit_amocrm."""
