"""Wire shapes to records and back; pure."""

from crmkit_bitrix24.translate.assign import Names
from crmkit_bitrix24.translate.custom import Definition, Definitions, definitions_of, field_def, filled
from crmkit_bitrix24.translate.drafts import Draft, drafted, moment, split_text, with_result
from crmkit_bitrix24.translate.events import EVENTS, happened_at, hint_of, number_in
from crmkit_bitrix24.translate.multifields import added, patch
from crmkit_bitrix24.translate.natives import native_extra, natives
from crmkit_bitrix24.translate.records import from_item
from crmkit_bitrix24.translate.timeline import CALL_CODES, CALL_TYPES, split_result

__all__ = [
    "CALL_CODES",
    "CALL_TYPES",
    "EVENTS",
    "Definition",
    "Definitions",
    "Draft",
    "Names",
    "added",
    "definitions_of",
    "drafted",
    "field_def",
    "filled",
    "from_item",
    "happened_at",
    "hint_of",
    "moment",
    "native_extra",
    "natives",
    "number_in",
    "patch",
    "split_result",
    "split_text",
    "with_result",
]
