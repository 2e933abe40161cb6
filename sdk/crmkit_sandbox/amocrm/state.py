"""The emulated amoCRM as tests hold it: addresses, tokens, records to look at, acts of people."""

from collections.abc import Callable, Mapping
from typing import Any
from wsgiref.types import WSGIApplication

from werkzeug.wrappers import Response

from crmkit_sandbox.courier import Courier
from crmkit_sandbox.limits import Limiter
from crmkit_sandbox.outbox import Outbox
from crmkit_sandbox.records import Records
from crmkit_sandbox.wire import Row
from crmkit_sandbox.world import World

from . import bulk
from .account import KINDS, Account
from .hooks import Hooks
from .oauth import OAuth
from .person import Person
from .problems import gateway_response
from .seed import COMPANIES, SUBJECTS, make_settings, person_names, phone_number, prices
from .shapes import SHAPES
from .views import make_app

PER_SECOND = 7
# What the vendor says in the body of a 429. Source: Kommo, page "HTTP codes".
RETRY_AFTER_S = 300


class AmoCrm(Outbox, Person):
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
        Outbox.__init__(self, courier, self.hook_sender, limits)
        self.oauth = OAuth(self.account)
        self._world = world
        tables = self.account.tables
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
    def client_id(self) -> str:
        """The integration's id."""
        return self.oauth.client_id

    @property
    def client_secret(self) -> str:
        """The integration's secret."""
        return self.oauth.client_secret

    @property
    def redirect_uri(self) -> str:
        """The integration's registered address."""
        return self.oauth.redirect_uri

    @redirect_uri.setter
    def redirect_uri(self, uri: str) -> None:
        """Register another address."""
        self.oauth.redirect_uri = uri

    def auth_code(self) -> str:
        """A one-time authorisation code that lives 20 minutes."""
        return self.oauth.auth_code()

    def issue_tokens(self, expires_in: int = 86400, *, user_id: int | None = None) -> Row:
        """A fresh token answer: access_token, refresh_token, expires_in, token_type."""
        return self.oauth.issue(expires_in=expires_in, user_id=user_id)

    @property
    def events(self) -> list[Row]:
        """The event feed, oldest first."""
        with self._world.lock:
            return list(self.account.events)

    @property
    def webhooks(self) -> list[Row]:
        """The subscriptions."""
        with self._world.lock:
            return list(self.account.shelves["webhooks"].values())

    @property
    def unsorted(self) -> list[Row]:
        """Incoming leads, settled ones included; `state` says open, accepted or declined."""
        with self._world.lock:
            return list(self.account.shelves["unsorted"].values())

    @property
    def users(self) -> list[Row]:
        """The users."""
        return list(self.account.shelves["users"].values())

    @property
    def pipelines(self) -> list[Row]:
        """The pipelines, each with its `statuses`."""
        return list(self.account.shelves["pipelines"].values())

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
        with self._world.lock:
            return bulk.bulk_leads(self.account, count)

    def bulk_contacts(self, count: int) -> range:
        """The ids of `count` new contacts with a phone and an e-mail each; no events, no hooks, made when read."""
        with self._world.lock:
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
                    phones=[phone_number(i)],
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
        with self._world.lock:
            self.account.clear()
            make_settings(self.account)
            self.hook_sender.reset()

    def records(self) -> Mapping[str, list[Row]]:
        """All records by kind."""
        kinds: dict[str, Mapping[int, Row]] = {
            "leads": self.leads,
            "contacts": self.contacts,
            "companies": self.companies,
            "tasks": self.tasks,
            "notes": self.notes,
        }
        shown = {name: list(records.values()) for name, records in kinds.items()}
        return shown | {"events": self.events, "webhooks": self.webhooks, "unsorted": self.unsorted}

    def actions(self) -> Mapping[str, Callable[..., Any]]:
        """The acts of people by name, and a few of the sandbox."""
        names = [name for name in vars(Person) if not name.startswith("_") and callable(getattr(self, name, None))]
        extra = ("bulk_leads", "bulk_contacts", "drop_next_hooks", "repeat_next_hook", "issue_tokens", "auth_code")
        return {name: getattr(self, name) for name in (*names, *extra)}

    def dump(self) -> Any:
        """A copy for a snapshot."""
        return self.account.dump()

    def load(self, dumped: Any) -> None:
        """Put a snapshot back."""
        self.account.load(dumped)

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
