"""Find, prevent, merge and undo duplicates of people, companies and deals."""

from crmkit_dedup.extension import dedup
from crmkit_dedup.settings import DedupSettings

__all__ = ["DedupSettings", "dedup"]
