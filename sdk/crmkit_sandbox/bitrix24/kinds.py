"""The kinds of CRM records and the fields that each has, by the vendor's names."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from crmkit_sandbox.wire import Row

MULTIFIELDS = ("PHONE", "EMAIL", "WEB", "IM", "LINK")
UTM = "UTM_SOURCE:string UTM_MEDIUM:string UTM_CAMPAIGN:string UTM_CONTENT:string UTM_TERM:string"
TAIL = (
    "ASSIGNED_BY_ID:user CREATED_BY_ID:user! MODIFY_BY_ID:user! DATE_CREATE:datetime! DATE_MODIFY:datetime! "
    "OPENED:char ORIGINATOR_ID:string ORIGIN_ID:string LAST_ACTIVITY_TIME:datetime! LAST_ACTIVITY_BY:user! "
    f"COMMENTS:string {UTM}"
)
ADDRESS = (
    "ADDRESS:string ADDRESS_2:string ADDRESS_CITY:string ADDRESS_POSTAL_CODE:string ADDRESS_REGION:string "
    "ADDRESS_PROVINCE:string ADDRESS_COUNTRY:string ADDRESS_LOC_ADDR_ID:integer"
)
REG_ADDRESS = " ".join(f"REG_{word}" for word in ADDRESS.split())
PERSON = "NAME:string SECOND_NAME:string LAST_NAME:string HONORIFIC:crm_status BIRTHDATE:date POST:string"
HAS = "HAS_PHONE:char! HAS_EMAIL:char! HAS_IMOL:char!"
MONEY = "CURRENCY_ID:crm_currency OPPORTUNITY:double IS_MANUAL_OPPORTUNITY:char"
SOURCE = "SOURCE_ID:crm_status SOURCE_DESCRIPTION:string"
MOVED = "MOVED_BY_ID:user! MOVED_TIME:datetime!"


@dataclass(frozen=True)
class Field:
    """One field; an immutable one is written only at creation."""

    name: str
    type: str
    is_read_only: bool = False
    is_immutable: bool = False


@dataclass(frozen=True)
class Kind:
    """One kind of record: the vendor's number and code for it, its stage field if it has stages."""

    key: str
    type_id: int
    code: str
    table: str
    fields: Mapping[str, Field]
    stage: str = ""
    semantics: str = ""
    has_multifields: bool = True
    # The number of a smart process's type, which is another than the number of its kind.
    smart_id: int = 0

    @property
    def event(self) -> str:
        """The kind's name inside names of events."""
        return "DYNAMICITEM" if self.smart_id else self.key.upper()

    @property
    def field_entity(self) -> str:
        """The kind's name among user fields."""
        return f"CRM_{self.smart_id or self.key.upper()}"

    def told(self, row_id: int) -> Row:
        """What an event tells of a record."""
        return {"FIELDS": {"ID": row_id} | ({"ENTITY_TYPE_ID": self.type_id} if self.smart_id else {})}


def _fields(text: str) -> Mapping[str, Field]:
    made = {}
    for word in text.split():
        name, _, type_ = word.partition(":")
        made[name] = Field(name, type_.rstrip("!~"), type_.endswith("!"), type_.endswith("~"))
    return MappingProxyType(made)


DEAL = Kind(
    "deal",
    2,
    "D",
    "deals",
    _fields(
        f"ID:integer! TITLE:string TYPE_ID:crm_status STAGE_ID:crm_status PROBABILITY:integer {MONEY} TAX_VALUE:double "
        "LEAD_ID:crm_lead COMPANY_ID:crm_company CONTACT_ID:crm_contact QUOTE_ID:crm_quote! BEGINDATE:date "
        "CLOSEDATE:date CLOSED:char! ADDITIONAL_INFO:string LOCATION_ID:location CATEGORY_ID:crm_category~ "
        "STAGE_SEMANTIC_ID:string! IS_NEW:char! IS_RECURRING:char IS_RETURN_CUSTOMER:char IS_REPEATED_APPROACH:char "
        f"{SOURCE} {MOVED} {TAIL}"
    ),
    "STAGE_ID",
    "STAGE_SEMANTIC_ID",
    has_multifields=False,
)
LEAD = Kind(
    "lead",
    1,
    "L",
    "leads",
    _fields(
        f"ID:integer! TITLE:string {PERSON} COMPANY_TITLE:string COMPANY_ID:crm_company CONTACT_ID:crm_contact "
        f"IS_RETURN_CUSTOMER:char! {SOURCE} STATUS_ID:crm_status STATUS_DESCRIPTION:string {MONEY} {HAS} "
        f"DATE_CLOSED:datetime! STATUS_SEMANTIC_ID:string! {MOVED} {ADDRESS} "
        f"ADDRESS_COUNTRY_CODE:string {TAIL}"
    ),
    "STATUS_ID",
    "STATUS_SEMANTIC_ID",
)
CONTACT = Kind(
    "contact",
    3,
    "C",
    "contacts",
    _fields(
        f"ID:integer! {PERSON} PHOTO:file LEAD_ID:crm_lead TYPE_ID:crm_status {SOURCE} COMPANY_ID:crm_company "
        f"EXPORT:char {HAS} ORIGIN_VERSION:string FACE_ID:integer {ADDRESS} {TAIL}"
    ),
)
COMPANY = Kind(
    "company",
    4,
    "CO",
    "companies",
    _fields(
        "ID:integer! COMPANY_TYPE:crm_status TITLE:string LOGO:file LEAD_ID:crm_lead "
        f"{HAS} BANKING_DETAILS:string INDUSTRY:crm_status REVENUE:double CURRENCY_ID:crm_currency "
        f"EMPLOYEES:crm_status IS_MY_COMPANY:char ORIGIN_VERSION:string {ADDRESS} {REG_ADDRESS} "
        f"ADDRESS_COUNTRY_CODE:string REG_ADDRESS_COUNTRY_CODE:string ADDRESS_LEGAL:string {TAIL}"
    ),
)


@cache
def smart(type_id: int, smart_id: int) -> Kind:
    """The kind of a smart process's items."""
    return Kind(
        f"dynamic_{type_id}",
        type_id,
        f"T{type_id:x}",
        f"dynamic_{type_id}",
        _fields(
            "ID:integer! XML_ID:string TITLE:string CATEGORY_ID:crm_category STAGE_ID:crm_status "
            "PREVIOUS_STAGE_ID:crm_status! BEGINDATE:date CLOSEDATE:date COMPANY_ID:crm_company CONTACT_ID:crm_contact "
            f"MYCOMPANY_ID:crm_company {MONEY} TAX_VALUE:double SOURCE_ID:crm_status {MOVED} {TAIL}"
        ),
        "STAGE_ID",
        "STAGE_SEMANTIC_ID",
        has_multifields=False,
        smart_id=smart_id,
    )


KINDS: Mapping[str, Kind] = {kind.key: kind for kind in (LEAD, DEAL, CONTACT, COMPANY)}
BY_TYPE: Mapping[int, Kind] = {kind.type_id: kind for kind in KINDS.values()}
BY_CODE: Mapping[str, Kind] = {kind.code: kind for kind in KINDS.values()}
# Dictionaries of statuses that fields point to.
STATUS_TYPES: Mapping[str, str] = {
    "TYPE_ID": "DEAL_TYPE",
    "STAGE_ID": "DEAL_STAGE",
    "STATUS_ID": "STATUS",
    "SOURCE_ID": "SOURCE",
    "HONORIFIC": "HONORIFIC",
    "COMPANY_TYPE": "COMPANY_TYPE",
    "INDUSTRY": "INDUSTRY",
    "EMPLOYEES": "EMPLOYEES",
}
# Types whose classic text is a number.
ID_TYPES = frozenset(
    {"integer", "user", "crm_lead", "crm_company", "crm_contact", "crm_quote", "crm_category", "location", "employee"}
)
