"""The way to amoCRM: paths, pages, batches; wire shapes out."""

from crmkit_amocrm.client.directory import Directory
from crmkit_amocrm.client.elements import Elements
from crmkit_amocrm.client.feed import Feed
from crmkit_amocrm.client.line import Line
from crmkit_amocrm.client.reads import Reader
from crmkit_amocrm.client.recovery import Recovery
from crmkit_amocrm.client.subscription import ensure_hooks
from crmkit_amocrm.client.walk import Walker
from crmkit_amocrm.client.writes import Writer

__all__ = ["Directory", "Elements", "Feed", "Line", "Reader", "Recovery", "Walker", "Writer", "ensure_hooks"]
