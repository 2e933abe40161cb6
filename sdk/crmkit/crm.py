"""`Crm`: what a handler calls; typed ports over the few calls of a connection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crmkit.adapter import (
    Account,
    Capability,
    Connection,
    Level,
    Query,
)
from crmkit.errors import Unsupported
from crmkit.identity import parse_phone
from crmkit.models import (
    Call,
    Company,
    CompanyChanges,
    Contact,
    ContactChanges,
    Deal,
    DealChanges,
    FieldDef,
    File,
    FileChanges,
    Lead,
    LeadChanges,
    Note,
    NoteChanges,
    Pipeline,
    Record,
    Task,
    TaskChanges,
    User,
)
from crmkit.port import Port, Readable
from crmkit.values import Json, Kind, Ref
from crmkit.write import Native, Verb, Write


class Contacts(Port[Contact, ContactChanges]):
    """People."""

    def find(self, *, phone: str | None = None, email: str | None = None, name: str | None = None) -> Sequence[Contact]:
        """All contacts that match everything given; phones are compared by their E.164 form."""
        return self._find(Query(phone=phone, email=email, name=name))

    def find_one(
        self, *, phone: str | None = None, email: str | None = None, name: str | None = None
    ) -> Contact | None:
        """The contact that matches, or None. Raises Ambiguous for several."""
        query = Query(phone=phone, email=email, name=name)
        return self._one(self._find(query), query)


class Companies(Port[Company, CompanyChanges]):
    """Organisations."""

    def find(
        self,
        *,
        phone: str | None = None,
        email: str | None = None,
        name: str | None = None,
        inn: str | None = None,
        contact: Ref | None = None,
    ) -> Sequence[Company]:
        """All companies that match everything given; those of a person are all that the vendor lets them belong to."""
        return self._find(Query(phone=phone, email=email, name=name, inn=inn, contact=contact))

    def find_one(
        self,
        *,
        phone: str | None = None,
        email: str | None = None,
        name: str | None = None,
        inn: str | None = None,
    ) -> Company | None:
        """The company that matches, or None. Raises Ambiguous for several."""
        query = Query(phone=phone, email=email, name=name, inn=inn)
        return self._one(self._find(query), query)


class Deals(Port[Deal, DealChanges]):
    """Deals of all pipelines."""

    def find(
        self,
        *,
        contact: Ref | None = None,
        company: Ref | None = None,
        owner_id: str | None = None,
        is_open: bool | None = None,
    ) -> Sequence[Deal]:
        """All deals that match everything given."""
        return self._find(Query(contact=contact, company=company, owner_id=owner_id, is_open=is_open))


class Leads(Port[Lead, LeadChanges]):
    """Requests nobody has accepted yet (capability LEADS)."""

    def find(self, *, contact: Ref | None = None, company: Ref | None = None) -> Sequence[Lead]:
        """All requests of a person or a company. Raises Unsupported where the vendor cannot look for that."""
        return self._find(Query(contact=contact, company=company))


class Tasks(Port[Task, TaskChanges]):
    """Tasks on the cards of records."""

    def find(
        self, *, about: Ref | None = None, owner_id: str | None = None, is_open: bool | None = None
    ) -> Sequence[Task]:
        """All tasks that match everything given."""
        return self._find(Query(about=about, owner_id=owner_id, is_open=is_open))

    def complete(self, ref: Ref, result: str = "") -> None:
        """Mark the task done, with what came of it."""
        changes: TaskChanges = {"is_done": True}
        if result:
            changes["result"] = result
        self.update(ref, changes)


class Notes(Port[Note, NoteChanges]):
    """Remarks on timelines."""

    def find(self, *, about: Ref) -> Sequence[Note]:
        """The remarks on a record."""
        return self._find(Query(about=about))


class Files(Port[File, FileChanges]):
    """Documents on the cards of records (capability FILES): `create(File(name=..., content=..., cards=(deal,)))`."""

    def find(self, *, about: Ref) -> Sequence[File]:
        """The files on a record's card."""
        return self._find(Query(about=about))

    def download(self, ref: Ref) -> bytes:
        """The content, read whole into memory. Raises NotFound, Unsupported where the CRM gives no files."""
        self._mine(ref)
        return self._connection.download(ref)


class Calls(Readable[Call]):
    """The CRM's own call log."""

    def find(self, *, about: Ref) -> Sequence[Call]:
        """The calls on a record."""
        return self._find(Query(about=about))

    def log(self, call: Call, *, once: str | None = None, extra: Mapping[str, Json] | None = None) -> Ref | None:
        """Enter a call into the CRM's log (capability LOG_CALLS); None when the CRM knows nobody with that number."""
        return self._connection.write(Write(Verb.CREATE, Kind.CALL, record=call, extra=extra or {}, marker=once))


class Users(Readable[User]):
    """Employees."""

    def find(self, *, email: str | None = None, phone: str | None = None) -> Sequence[User]:
        """All employees that match everything given; phones are compared by their E.164 form."""
        wanted = email.strip().casefold() if email else None
        number = self._e164(phone) if phone else None
        return [
            user
            for user in self.iterate()
            if (wanted is None or (user.email or "").casefold() == wanted)
            and (
                number is None or (user.phone is not None and number == (user.phone.e164 or self._e164(user.phone.raw)))
            )
        ]

    def _e164(self, phone: str) -> str:
        found = parse_phone(phone, country=self._connection.account().country)
        return found.e164 if found else phone


class Crm:
    """One account of a CRM, as a handler or a script sees it.

    Args:
        connection: the open account.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.vendor = connection.vendor
        self.contacts = Contacts(connection, Contact)
        self.companies = Companies(connection, Company)
        self.deals = Deals(connection, Deal)
        self.leads = Leads(connection, Lead)
        self.tasks = Tasks(connection, Task)
        self.notes = Notes(connection, Note)
        self.files = Files(connection, File)
        self.calls = Calls(connection, Call)
        self.users = Users(connection, User)
        self.pipelines = Readable(connection, Pipeline)

    @property
    def account(self) -> Account:
        """The account as the CRM describes it; read once."""
        return self._connection.account()

    def supports(self, capability: Capability) -> Level:
        """How this account gives a capability."""
        return self._connection.supports(capability)

    def require(self, capability: Capability) -> None:
        """Raise Unsupported when the account does not have the capability."""
        if self.supports(capability) is Level.ABSENT:
            raise Unsupported(
                f"{self.vendor} cannot do {capability.value}",
                account=self._connection.key,
                vendor=self.vendor,
                remedy="Ask crm.supports(...) first, or name it in the extension's requires=.",
            )

    def fields(self, kind: Kind) -> Sequence[FieldDef]:
        """The custom fields that the account has for records of a kind."""
        return self._connection.fields(kind)

    def natives(self, record: Record) -> Sequence[Native]:
        """The filled fields of a record that only the vendor's words tell, custom ones among them."""
        return self._connection.natives(record)

    def native_extra(self, kind: Kind, values: Mapping[str, Json], *, on: Record | None = None) -> Mapping[str, Json]:
        """`extra=` for a create, or for an update of `on`, that fills these native fields; None empties one."""
        return self._connection.native_extra(kind, values, on=on)

    def ref(self, kind: Kind, id_: str | int) -> Ref:
        """The address of a record of this account."""
        return Ref(self._connection.key, kind, str(id_))

    def call(self, method: str, path: str, *, query: Sequence[tuple[str, str]] = (), body: Json = None) -> Json:
        """The native door: any request of the vendor's API, within its limits."""
        return self._connection.call(method, path, query=query, body=body)

    def close(self) -> None:
        """Give back network connections."""
        self._connection.close()
