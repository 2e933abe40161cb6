"""crmkit_cli."""
