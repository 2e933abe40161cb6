"""crmkit_templates."""
