"""What tests of extensions and adapters stand on: MemoryCrm and AdapterContract."""

from crmkit.testing.connection import MemoryConnection
from crmkit.testing.desk import Desk
from crmkit.testing.faults import Asked, Reading
from crmkit.testing.hooks import Hook
from crmkit.testing.memory import MemoryAdapter, MemoryCrm, MemorySettings
from crmkit.testing.person import Person
from crmkit.testing.running import Outcome, context, run, run_job
from crmkit.testing.world import MemoryWorld

__all__ = [
    "Asked",
    "Desk",
    "Hook",
    "MemoryAdapter",
    "MemoryConnection",
    "MemoryCrm",
    "MemorySettings",
    "MemoryWorld",
    "Outcome",
    "Person",
    "Reading",
    "context",
    "run",
    "run_job",
]
