"""Calls, batches, lists and writes of Bitrix24: everything that goes over the wire."""

from crmkit_bitrix24.client.directory import Directory
from crmkit_bitrix24.client.feed import Feed
from crmkit_bitrix24.client.line import Line, OperatingTime
from crmkit_bitrix24.client.reads import Reader
from crmkit_bitrix24.client.recovery import Recovery
from crmkit_bitrix24.client.subscription import ensure_hooks
from crmkit_bitrix24.client.writes import Writer

__all__ = ["Directory", "Feed", "Line", "OperatingTime", "Reader", "Recovery", "Writer", "ensure_hooks"]
