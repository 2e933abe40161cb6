"""crmkit_call_tasks."""
