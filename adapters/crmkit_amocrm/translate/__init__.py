"""Wire shapes to records and back; pure."""

from crmkit_amocrm.translate.assign import Names, emails_of, phones_of
from crmkit_amocrm.translate.drafts import Draft, drafted, laid_over
from crmkit_amocrm.translate.entity import note_id, parent_path
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
from crmkit_amocrm.translate.timeline import from_call, from_note, from_task, is_call

__all__ = [
    "Draft",
    "Names",
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
    "note_id",
    "parent_path",
    "phones_of",
]
