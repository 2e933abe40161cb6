"""Who a text means: phones, e-mail addresses, names of people and firms, registry numbers, as comparable values."""

from crmkit.identity.company import CompanyForm, company_form, is_junk_company
from crmkit.identity.email import Mailbox, email_key, normalize_email, parse_email, parse_emails
from crmkit.identity.given import Gender
from crmkit.identity.name import PersonName, parse_name
from crmkit.identity.person import PersonForm, is_junk_name, person_form
from crmkit.identity.phone import (
    MAX_FIELD,
    PhoneClass,
    PhoneNumber,
    is_anonymous,
    is_country,
    is_stub_phone,
    is_toll_free,
    parse_phone,
    parse_phones,
    phone_class,
)  # fmt: skip
from crmkit.identity.registry_number import TaxKind, TaxNumber, parse_inn, parse_kpp, parse_ogrn, tax_number
from crmkit.identity.site import site_domain
from crmkit.identity.spelling import skeleton

__all__ = [
    "MAX_FIELD", "CompanyForm", "Gender", "Mailbox", "PersonForm", "PersonName", "PhoneClass", "PhoneNumber",
    "TaxKind", "TaxNumber", "company_form", "email_key", "is_anonymous", "is_country", "is_junk_company",
    "is_junk_name", "is_stub_phone", "is_toll_free", "normalize_email", "parse_email", "parse_emails", "parse_inn",
    "parse_kpp", "parse_name", "parse_ogrn", "parse_phone", "parse_phones", "person_form", "phone_class",
    "site_domain", "skeleton", "tax_number",
]  # fmt: skip
