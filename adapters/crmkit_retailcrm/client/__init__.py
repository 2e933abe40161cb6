"""The way to retailCRM: paths, pages, uploads; wire shapes out."""

from crmkit_retailcrm.client.directory import Directory
from crmkit_retailcrm.client.enrich import Enricher
from crmkit_retailcrm.client.feed import Feed
from crmkit_retailcrm.client.files import FileWriter
from crmkit_retailcrm.client.history import TOLD, History
from crmkit_retailcrm.client.line import Line
from crmkit_retailcrm.client.merge import Merger
from crmkit_retailcrm.client.reads import Reader
from crmkit_retailcrm.client.recovery import Recovery
from crmkit_retailcrm.client.subscription import ensure_hooks, trigger_text
from crmkit_retailcrm.client.walk import Walker
from crmkit_retailcrm.client.writes import KEYED, Writer

__all__ = [
    "KEYED",
    "TOLD",
    "Directory",
    "Enricher",
    "Feed",
    "FileWriter",
    "History",
    "Line",
    "Merger",
    "Reader",
    "Recovery",
    "Walker",
    "Writer",
    "ensure_hooks",
    "trigger_text",
]
