"""crmkit: write a CRM extension once, run it beside amoCRM, Bitrix24 and retailCRM."""

# fmt: off
# ruff: noqa: I001 -- packed, so that the face stays on one screen
from crmkit.adapter import Account, BatchResult, Capability, Level
from crmkit.crm import Crm
from crmkit.errors import (
    AccountBlocked, Ambiguous, AuthError, BadPayload, ConfigError, Conflict, CrmKitError, NotFound, RateLimited,
    Rejected, Unsupported, VendorDown, WebhookRejected,
)
from crmkit.events import (
    CallFinished, CompanyCreated, CompanyDeleted, CompanyMerged, CompanyUpdated, ContactCreated, ContactDeleted,
    ContactMerged, ContactUpdated, DealCreated, DealDeleted, DealMerged, DealOwnerChanged, DealStageChanged,
    DealUpdated, Event, LeadCreated, LeadDeleted, LeadUpdated, NoteCreated, PaymentReceived, TaskCompleted,
    TaskCreated, TaskDeleted, TaskUpdated, TimerFired, UnknownEvent,
)
from crmkit.extension import Context, Extension
from crmkit.models import (
    Call, CallStatus, Company, Contact, CustomField, Deal, Direction, Email, FieldType, File, Lead, LineItem, Note,
    Outcome, Phone, Pipeline, Record, Stage, StageRef, Task, User,
)
from crmkit.registry import connect
from crmkit.settings import NoSettings, Settings
from crmkit.values import Kind, Money, Ref

__all__ = [
    "Account", "AccountBlocked", "Ambiguous", "AuthError", "BadPayload", "BatchResult", "Call", "CallFinished",
    "CallStatus", "Capability", "Company", "CompanyCreated", "CompanyDeleted", "CompanyMerged", "CompanyUpdated",
    "ConfigError", "Conflict", "Contact", "ContactCreated", "ContactDeleted", "ContactMerged", "ContactUpdated",
    "Context", "Crm", "CrmKitError", "CustomField", "Deal", "DealCreated", "DealDeleted", "DealMerged",
    "DealOwnerChanged", "DealStageChanged", "DealUpdated", "Direction", "Email", "Event", "Extension", "FieldType",
    "File", "Kind", "Lead", "LeadCreated", "LeadDeleted", "LeadUpdated", "Level", "LineItem", "Money", "NoSettings",
    "NotFound", "Note", "NoteCreated", "Outcome", "PaymentReceived", "Phone", "Pipeline", "RateLimited", "Record",
    "Ref", "Rejected", "Settings", "Stage", "StageRef", "Task", "TaskCompleted", "TaskCreated", "TaskDeleted",
    "TaskUpdated", "TimerFired", "UnknownEvent", "Unsupported", "User", "VendorDown", "WebhookRejected", "connect",
]
