"""Wire shapes to records and back; pure."""

from collections.abc import Callable, Mapping

from crmkit.home import Home
from crmkit.models import Record
from crmkit.values import Kind
from crmkit_retailcrm.errors.refusals import unreadable
from crmkit_retailcrm.translate.custom import Names, field_def, known_fields
from crmkit_retailcrm.translate.details import OrderDetails, OrderPayment, order_details
from crmkit_retailcrm.translate.drafts import Draft, amount_item, drafted
from crmkit_retailcrm.translate.home import moment_of, number_of, to_moment, to_number
from crmkit_retailcrm.translate.natives import native_extra, natives
from crmkit_retailcrm.translate.records import (
    from_corporate,
    from_customer,
    from_order,
    from_pipeline,
    from_user,
    main_company,
)
from crmkit_retailcrm.translate.timeline import (
    call_item,
    call_key,
    from_file,
    from_note,
    from_task,
    paragraphs,
    with_paragraph,
    with_result,
)
from crmkit_retailcrm.wire import Item

_TRANSLATORS: Mapping[Kind, Callable[[Item, Home], Record]] = {
    Kind.CONTACT: from_customer,
    Kind.COMPANY: from_corporate,
    Kind.DEAL: from_order,
    Kind.TASK: from_task,
    Kind.NOTE: from_note,
    Kind.FILE: from_file,
    Kind.USER: from_user,
    Kind.PIPELINE: from_pipeline,
}


def from_item(kind: Kind, raw: Item, account: Home) -> Record:
    """The record of a kind that an entity is. Raises BadPayload for one that has no id, or values nobody expects."""
    try:
        record = _TRANSLATORS[kind](raw, account)
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise unreadable(account.key, kind.value) from error
    if not record.ref.id:
        raise unreadable(account.key, kind.value)
    return record


__all__ = [
    "Draft",
    "Names",
    "OrderDetails",
    "OrderPayment",
    "amount_item",
    "call_item",
    "call_key",
    "drafted",
    "field_def",
    "from_corporate",
    "from_customer",
    "from_file",
    "from_item",
    "from_note",
    "from_order",
    "from_pipeline",
    "from_task",
    "from_user",
    "known_fields",
    "main_company",
    "moment_of",
    "native_extra",
    "natives",
    "number_of",
    "order_details",
    "paragraphs",
    "to_moment",
    "to_number",
    "with_paragraph",
    "with_result",
]
