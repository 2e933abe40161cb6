"""The emulated amoCRM as tests hold it: addresses, tokens, records to look at, acts of people."""

from collections.abc import Callable, Mapping
from typing import Any
from wsgiref.types import WSGIApplication

from werkzeug.wrappers import Response

from crmkit_sandbox.courier import Courier
from crmkit_sandbox.emulator import Emulator
from crmkit_sandbox.integration import Integration
from crmkit_sandbox.limits import Limiter
from crmkit_sandbox.records import Records
from crmkit_sandbox.samples import COMPANIES, person_names, phone_number
from crmkit_sandbox.wire import Row
from crmkit_sandbox.world import World

from . import bulk
from .account import KINDS, Account
from .hooks import Hooks
from .oauth import OAuth
from .person import Person
from .problems import gateway_response
from .seed import SUBJECTS, make_settings, prices
from .shapes import SHAPES
from .views import make_app

PER_SECOND = 7
# What the vendor says in the body of a 429. Source: Kommo, page "HTTP codes".
RETRY_AFTER_S = 300
FIRST_PHONE = 9_010_000_000


class AmoCrm(Emulator, Person, Integration[OAuth]):
    """One emulated account, its API under `base_url` and its page for people."""

    key = "amocrm"
    title = "amoCRM"
    root_paths: tuple[str, ...] = ("/api/v4", "/api/v2", "/oauth2", "/oauth")

    def __init__(self, world: World, courier: Courier) -> None:
        self.base_url = f"http://127.0.0.1/{self.key}"
        account = Account(world)
        make_settings(account)
        Person.__init__(self, account, Hooks(account, courier, self.key))
        limits = Limiter(world.clock, per_second=PER_SECOND, retry_after_s=RETRY_AFTER_S)
        Emulator.__init__(self, account, courier, self.hook_sender, limits)
        self.oauth = OAuth(account)
        tables = account.tables
        self.leads, self.contacts, self.companies = (
            Records(world.lock, tables[kind], self._shape(kind)) for kind in KINDS
        )
        self.tasks = Records(world.lock, tables["tasks"], dict)
        self.notes = Records(world.lock, tables["notes"], dict)
        self.wsgi: WSGIApplication = make_app(self, self.oauth, courier, self.key, self.seed)

    @property
    def account_id(self) -> int:
        """The account's id."""
        return self.account.id

    @property
    def subdomain(self) -> str:
        """The account's name in its address."""
        return self.account.subdomain

    @property
    def token(self) -> str:
        """A long-lived token of the owner that always works."""
        return self.oauth.long_lived

    @property
    def events(self) -> list[Row]:
        """The event feed, oldest first."""
        with self.account.world.lock:
            return list(self.account.events)

    @property
    def webhooks(self) -> list[Row]:
        """The subscriptions."""
        return self._shelf("webhooks")

    @property
    def unsorted(self) -> list[Row]:
        """Incoming leads, settled ones included; `state` says open, accepted or declined."""
        return self._shelf("unsorted")

    @property
    def pipelines(self) -> list[Row]:
        """The pipelines, each with its `statuses`."""
        return self._shelf("pipelines")

    @property
    def duplicate_control(self) -> bool:
        """Whether `leads/complex` joins known contacts."""
        return self.account.has_duplicate_control

    @duplicate_control.setter
    def duplicate_control(self, is_on: bool) -> None:
        """Switch the control as the account's settings do."""
        self.account.has_duplicate_control = is_on

    def field_id(self, kind: str, name: str) -> int:
        """The id of a custom field by its code or name.

        Raises KeyError when there is none.
        """
        for field in self.account.fields[kind].values():
            if name in (field["code"], field["name"]):
                return int(field["id"])
        raise KeyError(f"no custom field {name!r} of {kind}")

    def bulk_leads(self, count: int) -> range:
        """The ids of `count` new leads; no events, no hooks, made when read."""
        with self.account.world.lock:
            return bulk.bulk_leads(self.account, count)

    def bulk_contacts(self, count: int) -> range:
        """The ids of `count` new contacts with a phone and an e-mail each; no events, no hooks, made when read."""
        with self.account.world.lock:
            return bulk.bulk_contacts(self.account, count)

    def seed(self, contacts: int = 12, leads: int = 15, companies: int = 6, tasks: int = 8) -> None:
        """Fill the account with a small sales base, the same in every run; events are written, hooks are not sent."""
        users = [user["id"] for user in self.users]
        company_ids = [
            self.add_company(name=COMPANIES[i % len(COMPANIES)], hooks=False, by=users[i % len(users)])
            for i in range(companies)
        ]
        contact_ids = []
        for i, (first, last) in enumerate(person_names(contacts)):
            more: Row = {"company": company_ids[i % companies]} if companies and i % 2 == 0 else {}
            contact_ids.append(
                self.add_contact(
                    first_name=first,
                    last_name=last,
                    phones=[phone_number(i, FIRST_PHONE)],
                    emails=[f"client{i + 1}@mail.example"],
                    responsible_user_id=users[i % len(users)],
                    hooks=False,
                    **more,
                )
            )
        lead_ids = self._seed_leads(leads, contact_ids, company_ids, users)
        for i in range(tasks if lead_ids else 0):
            due = self.account.now() + (i - tasks // 2) * 43_200
            place: Row = {"entity_type": "leads", "entity_id": lead_ids[i % len(lead_ids)]}
            self.add_task("Связаться с клиентом", due, responsible_user_id=users[i % len(users)], hooks=False, **place)

    def reset(self) -> None:
        """Return to an account with settings but no records; tokens stay good."""
        with self.account.world.lock:
            self.account.clear()
            make_settings(self.account)
            self.hook_sender.reset()

    def records(self) -> Mapping[str, list[Row]]:
        """All records by kind."""
        return {
            "leads": self.leads.rows(),
            "contacts": self.contacts.rows(),
            "companies": self.companies.rows(),
            "tasks": self.tasks.rows(),
            "notes": self.notes.rows(),
            "events": self.events,
            "webhooks": self.webhooks,
            "unsorted": self.unsorted,
        }

    def actions(self) -> Mapping[str, Callable[..., Any]]:
        """The acts of people by name, and a few of the sandbox."""
        return self._acts(Person, "bulk_leads", "bulk_contacts", "issue_tokens", "auth_code")

    def is_api(self, path: str) -> bool:
        """True for what programs call."""
        return path.startswith(("/api/", "/oauth2/"))

    def refuse(self, status: int, retry_after: int | None) -> Response:
        """The vendor's own answer for a refusal before the application."""
        if retry_after is None and status == 429:
            retry_after = self.limits.retry_after
        return gateway_response(status, retry_after)

    def _seed_leads(self, count: int, contacts: list[int], companies: list[int], users: list[int]) -> list[int]:
        stages = [status["id"] for status in self.account.main_pipeline["statuses"] if status["type"] == 0]
        made = []
        for i, price in enumerate(prices(count)):
            more: Row = {"contacts": [contacts[i % len(contacts)]]} if contacts else {}
            if companies and i % 3 == 0:
                more["company"] = companies[i % len(companies)]
            if i % 4 == 0:
                more["tags"] = ["Горячий"]
            made.append(
                self.add_lead(
                    name=f"{SUBJECTS[i % len(SUBJECTS)]} №{i + 1}",
                    price=price,
                    status_id=stages[i % len(stages)],
                    responsible_user_id=users[i % len(users)],
                    custom_fields={"Источник": ("Сайт", "Звонок", "Рекомендация")[i % 3], "Город": "Казань"},
                    hooks=False,
                    **more,
                )
            )
        return made

    def _shape(self, kind: str) -> Callable[[Row], Row]:
        everything = ("contacts", "leads", "catalog_elements", "loss_reason")
        return lambda row: SHAPES[kind](self.account, row, self.base_url, everything)
