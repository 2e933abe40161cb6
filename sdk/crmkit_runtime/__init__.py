"""crmkit_runtime."""
