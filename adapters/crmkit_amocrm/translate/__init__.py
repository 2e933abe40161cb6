"""Wire shapes to records and back; pure."""

from crmkit_amocrm.translate.assign import Names, emails_of, phones_of
from crmkit_amocrm.translate.drafts import Draft, drafted, laid_over
from crmkit_amocrm.translate.duplicates import MARK, copied, copy_mark, missing_fields, missing_tags, tags_of
from crmkit_amocrm.translate.entity import note_id, parent_path
from crmkit_amocrm.translate.natives import native_extra, natives
from crmkit_amocrm.translate.records import (
    field_def,
    from_company,
    from_contact,
    from_item,
    from_lead,
    from_pipeline,
    from_unsorted,
    from_user,
)
from crmkit_amocrm.translate.ties import parted
from crmkit_amocrm.translate.timeline import from_call, from_note, from_task, is_call

__all__ = [
    "MARK",
    "Draft",
    "Names",
    "copied",
    "copy_mark",
    "drafted",
    "emails_of",
    "field_def",
    "from_call",
    "from_company",
    "from_contact",
    "from_item",
    "from_lead",
    "from_note",
    "from_pipeline",
    "from_task",
    "from_unsorted",
    "from_user",
    "is_call",
    "laid_over",
    "missing_fields",
    "missing_tags",
    "native_extra",
    "natives",
    "note_id",
    "parent_path",
    "parted",
    "phones_of",
    "tags_of",
]
