"""Types that a consumer sees of what a text is read as."""

from __future__ import annotations

from typing import assert_type

from crmkit.identity import (
    CompanyForm,
    Gender,
    Mailbox,
    PersonForm,
    PhoneClass,
    TaxKind,
    TaxNumber,
    company_form,
    parse_email,
    parse_emails,
    parse_inn,
    person_form,
    phone_class,
    site_domain,
    tax_number,
)

person = person_form(name="Иванов Иван")
assert_type(person, PersonForm)
assert_type(person.given, frozenset[str])
assert_type(person.gender, Gender | None)

firm = company_form("ООО Ромашка", "Казань")
assert_type(firm, CompanyForm)
assert_type(firm.person, PersonForm | None)
assert_type(firm.words, tuple[str, ...])

assert_type(parse_email("ivan@mail.ru"), Mailbox | None)
assert_type(parse_emails("ivan@mail.ru"), tuple[Mailbox, ...])
assert_type(phone_class("+79125550123"), PhoneClass)
assert_type(parse_inn("7707083893"), str | None)
assert_type(tax_number("7707083893"), TaxNumber | None)
assert_type(TaxNumber(TaxKind.KZ_BIN, "940940000384").kind, TaxKind)
assert_type(site_domain("romashka.ru"), str | None)

person_form("Иванов", given="Иван")  # type: ignore[call-arg]
company_form()  # type: ignore[call-arg]
