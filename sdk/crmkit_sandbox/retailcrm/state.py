"""The emulated retailCRM as tests hold it: address, key, records to look at, acts of people."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from wsgiref.types import WSGIApplication
from zoneinfo import ZoneInfo

from werkzeug.wrappers import Response

from crmkit_sandbox.courier import Courier
from crmkit_sandbox.emulator import Emulator
from crmkit_sandbox.records import Records
from crmkit_sandbox.samples import COMPANIES, person_names, phone_number
from crmkit_sandbox.wire import Row
from crmkit_sandbox.world import World

from . import bulk, shapes
from .account import SCOPES, SITES, Account, Switches
from .combine import catch_up
from .hooks import Hooks
from .limits import KeyLimits
from .person import Person
from .problems import gateway_response
from .seed import baskets, make_settings
from .views import make_app

FIRST_PHONE = 9_020_000_000


class RetailCrm(Emulator, Person):
    """One emulated account, its API under `base_url` and its page for people."""

    key = "retailcrm"
    title = "retailCRM"
    root_paths: tuple[str, ...] = ("/api/v5", "/api/api-versions", "/api/credentials", "/api/system-info")

    def __init__(self, world: World, courier: Courier) -> None:
        self.base_url = f"http://127.0.0.1/{self.key}"
        account = Account(world)
        make_settings(account)
        Person.__init__(self, account, Hooks(account, courier, self.key))
        self.api_key = account.issue_key()
        self._key_limits = KeyLimits(world.clock)
        Emulator.__init__(self, account, courier, self.hook_sender, self._key_limits)
        world.clock.on_turn(lambda: catch_up(account))
        self.customers = self._records("customers", shapes.customer)
        self.corporate = self._records("corporate", shapes.corporate)
        self.orders = self._records("orders", shapes.order)
        self.tasks = self._records("tasks", shapes.task)
        self.notes = self._records("notes", shapes.note)
        self.calls, self.files, self.costs = (
            self._records(name, lambda _, row: shapes.plain(row)) for name in ("calls", "files", "costs")
        )
        self.wsgi: WSGIApplication = make_app(self, self._key_limits, courier, self.key, self.seed)

    @property
    def account_name(self) -> str:
        """The account's name in its address."""
        return self.account.name

    @property
    def switches(self) -> Switches:
        """What no primary source settles, to be turned the other way."""
        return self.account.switches

    @property
    def timezone(self) -> str:
        """The account's zone, in which all its dates are; an IANA name."""
        return str(self.account.zone)

    @timezone.setter
    def timezone(self, name: str) -> None:
        """Move the account to another zone; dates that are stored stay as they are."""
        self.account.zone = ZoneInfo(name)

    @property
    def telephony_per_second(self) -> int:
        """How many telephony calls a second each key may make."""
        return self._key_limits.telephony_per_second

    @telephony_per_second.setter
    def telephony_per_second(self, count: int) -> None:
        """Set another limit for telephony."""
        self._key_limits.telephony_per_second = count

    @property
    def exists(self) -> bool:
        """False answers pages of HTML, as the address of an unknown account does."""
        return self.account.exists

    @exists.setter
    def exists(self, is_known: bool) -> None:
        """Lose the account, or find it again."""
        self.account.exists = is_known

    def issue_key(self, scopes: Sequence[str] = SCOPES, sites: Sequence[str] = SITES) -> str:
        """A fresh API key with these scopes and sites."""
        with self.account.world.lock:
            return self.account.issue_key(scopes, sites)

    def revoke_key(self, key: str) -> None:
        """Take a key away."""
        with self.account.world.lock:
            del self.account.keys[key]

    def history(self, kind: str) -> list[Row]:
        """The feed of customers, corporate, orders or tasks, oldest first; `apiKey` holds the key itself."""
        catch_up(self.account)
        with self.account.world.lock:
            return list(self.account.history[kind])

    @property
    def modules(self) -> list[Row]:
        """The integration modules."""
        return self._shelf("modules")

    @property
    def triggers(self) -> list[Row]:
        """The triggers."""
        return self._shelf("triggers")

    @property
    def call_events(self) -> list[Row]:
        """The ringing and ended calls that telephony has told, oldest first."""
        return self._shelf("events")

    @property
    def statuses(self) -> Mapping[str, Row]:
        """The statuses by code."""
        return dict(self.account.references["statuses"])

    def bulk_customers(self, count: int) -> range:
        """The ids of `count` new people with a phone and an e-mail each; no history, no triggers, made when read."""
        with self.account.world.lock:
            return bulk.bulk_customers(self.account, count)

    def bulk_orders(self, count: int) -> range:
        """The ids of `count` new orders; no history, no triggers, made when read."""
        with self.account.world.lock:
            return bulk.bulk_orders(self.account, count)

    def seed(self, customers: int = 12, orders: int = 15, corporate: int = 3, tasks: int = 8) -> None:
        """Fill the account with a small shop, the same in every run; history is written, no trigger is fired."""
        users = [user["id"] for user in self.users]
        people = []
        for i, (first, last) in enumerate(person_names(customers)):
            named: Row = {"firstName": first, "lastName": last, "email": f"client{i + 1}@mail.example"}
            more: Row = {"phones": [phone_number(i, FIRST_PHONE)], "managerId": users[i % len(users)]}
            people.append(self.add_customer(**named, **more, hooks=False, by=users[i % len(users)]))
        firms = [self._seed_corporate(i, people) for i in range(corporate)]
        statuses = [code for code, row in self.statuses.items() if row["group"] not in ("complete", "cancel")]
        made = []
        for i, items in enumerate(baskets(orders)):
            person = people[i % len(people)] if people else None
            owner: Row = {"customer": person, "contact": person} if person else {}
            if firms and i % 5 == 4:
                owner = {**owner, "customer": {"id": firms[i % len(firms)], "type": "customer_corporate"}}
            more = {"status": statuses[i % len(statuses)], "managerId": users[i % len(users)], "items": items}
            more["customFields"] = {"channel": ("site", "call", "advice")[i % 3]}
            made.append(self.add_order(**owner, **more, hooks=False))
        for i in range(tasks if made else 0):
            due = self.account.moment(self.account.now() + (i - tasks // 2) * 43_200)[:16]
            place: Row = {"order": made[i % len(made)], "performer": users[i % len(users)]}
            self.add_task("Связаться с клиентом", datetime=due, hooks=False, **place)

    def reset(self) -> None:
        """Return to an account with settings but no records; keys stay good."""
        with self.account.world.lock:
            self.account.clear()
            make_settings(self.account)
            self.account.switches = Switches()
            self.account.exists = True
            self.hook_sender.reset()

    def records(self) -> Mapping[str, list[Row]]:
        """All records by kind."""
        return {
            "customers": self.customers.rows(),
            "corporate": self.corporate.rows(),
            "orders": self.orders.rows(),
            "tasks": self.tasks.rows(),
            "notes": self.notes.rows(),
            "calls": self.calls.rows(),
            "files": self.files.rows(),
            "costs": self.costs.rows(),
            "triggers": self.triggers,
            "modules": self.modules,
        }

    def actions(self) -> Mapping[str, Callable[..., Any]]:
        """The acts of people by name, and a few of the sandbox."""
        return self._acts(Person, "bulk_customers", "bulk_orders", "issue_key")

    def is_api(self, path: str) -> bool:
        """True for what programs call."""
        return path.startswith("/api/")

    def refuse(self, status: int, retry_after: int | None) -> Response:
        """The vendor's own answer for a refusal before the application."""
        answer = gateway_response(status, is_html=self.switches.is_busy_html)
        if retry_after is not None:
            answer.headers["Retry-After"] = str(retry_after)
        return answer

    def _seed_corporate(self, index: int, people: Sequence[int]) -> int:
        name, inn = COMPANIES[index % len(COMPANIES)], f"77{10_000_000 + index * 7_919:08d}"
        contragent = {"contragentType": "legal-entity", "legalName": name, "INN": inn}
        contacts = [people[index % len(people)]] if people else []
        company = {"name": name, "contragent": contragent}
        return self.add_corporate(nickName=name, companies=[company], contacts=contacts, hooks=False)

    def _records(self, name: str, shape: Callable[[Account, Row], Row]) -> Records:
        account = self.account
        return Records(
            self.account.world.lock, account.tables[name], lambda row: shape(account, row), lambda: catch_up(account)
        )
