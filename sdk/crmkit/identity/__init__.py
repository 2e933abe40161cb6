"""Who a text means: phones, e-mail addresses, names of people and firms, registry numbers, as comparable values."""

from crmkit.identity.email import email_key, normalize_email
from crmkit.identity.given import Gender
from crmkit.identity.name import PersonName, parse_name
from crmkit.identity.person import PersonForm, is_junk_name, person_form
from crmkit.identity.phone import MAX_FIELD, PhoneNumber, is_anonymous, is_toll_free, parse_phone, parse_phones
from crmkit.identity.spelling import skeleton

__all__ = [
    "MAX_FIELD", "Gender", "PersonForm", "PersonName", "PhoneNumber", "email_key", "is_anonymous", "is_junk_name",
    "is_toll_free", "normalize_email", "parse_name", "parse_phone", "parse_phones", "person_form", "skeleton",
]  # fmt: skip
