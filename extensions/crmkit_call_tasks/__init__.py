"""call-tasks: one task per conversation that deserves one."""

from crmkit_call_tasks.extension import call_tasks
from crmkit_call_tasks.settings import CallTaskSettings

__all__ = ["CallTaskSettings", "call_tasks"]
