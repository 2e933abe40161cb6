"""The emulated Bitrix24 as tests hold it: addresses, tokens, records to look at, acts of people."""

from collections.abc import Callable, Mapping
from typing import Any
from wsgiref.types import WSGIApplication

from werkzeug.wrappers import Response

from crmkit_sandbox.courier import Courier
from crmkit_sandbox.emulator import Emulator
from crmkit_sandbox.integration import Integration
from crmkit_sandbox.records import Records
from crmkit_sandbox.wire import Row
from crmkit_sandbox.world import World

from . import bulk
from .bucket import LeakyBucket
from .events import Events
from .kinds import KINDS, Kind
from .methods_activities import show
from .oauth import OAuth
from .operating import Operating
from .person import Person
from .portal import Portal, stage_entity
from .problems import json_response, standard
from .samples import fill
from .seed import add_smart_process, make_settings
from .shapes import classic_record
from .views import make_app


class Bitrix24(Emulator, Person, Integration[OAuth]):
    """One emulated portal, its REST under `base_url`/rest/ and its page for people."""

    key = "bitrix24"
    title = "Bitrix24"
    root_paths: tuple[str, ...] = ("/rest/", "/oauth/token", "/oauth/authorize")

    def __init__(self, world: World, courier: Courier) -> None:
        portal = Portal(world)
        oauth = OAuth(portal)
        make_settings(portal)
        Person.__init__(self, portal, Events(portal, courier, oauth, self.key), oauth)
        self.base_url = f"http://127.0.0.1/{self.key}"
        self.bucket = LeakyBucket(world.clock)
        Emulator.__init__(self, portal, courier, self.event_sender, self.bucket)
        self.operating = Operating(world.clock)
        self.leads, self.deals, self.contacts, self.companies = (self._records(kind) for kind in KINDS.values())
        lock, tables = world.lock, portal.tables
        self.activities = Records(lock, tables["activities"], show)
        self.tasks = Records(lock, tables["tasks"], show)
        self.comments = Records(lock, tables["comments"], show)
        self.calls = Records(lock, tables["calls"], show)
        self.requisites = Records(lock, tables["requisites"], show)
        self.wsgi: WSGIApplication = make_app(self, self.operating, courier, self.key, self.seed)

    @property
    def base_url(self) -> str:
        """The portal's address."""
        return self.oauth.base_url

    @base_url.setter
    def base_url(self, url: str) -> None:
        """Move the portal, without a trace of the old address."""
        self.oauth.base_url = url
        self.oauth.has_moved = False

    @property
    def webhook_url(self) -> str:
        """The administrator's inbound webhook, with its secret and a slash at the end."""
        return self.webhook_url_of(self.portal.admin_id)

    def webhook_url_of(self, user_id: int) -> str:
        """The inbound webhook of a user."""
        return f"{self.base_url}/rest/{user_id}/{self.oauth.webhook_secret(user_id)}/"

    @property
    def oauth_url(self) -> str:
        """The authorisation server's address of tokens."""
        return f"{self.base_url}/oauth/token/"

    @property
    def member_id(self) -> str:
        """The portal's identity, which outlives its address."""
        return self.oauth.member_id

    @property
    def application_token(self) -> str:
        """What every event carries to prove where it is from."""
        return self.oauth.application_token

    @property
    def simple_mode(self) -> bool:
        """Whether the portal has no leads."""
        return self.portal.is_simple

    @simple_mode.setter
    def simple_mode(self, is_simple: bool) -> None:
        """Switch leads off or on as the portal's settings do."""
        self.portal.is_simple = is_simple

    @property
    def confirms_offline(self) -> bool:
        """Whether the portal's plan lets an app confirm what it takes from the offline queue."""
        return self.portal.confirms_offline

    @confirms_offline.setter
    def confirms_offline(self, is_confirming: bool) -> None:
        """Move to a plan that does, or does not."""
        self.portal.confirms_offline = is_confirming

    @property
    def categories(self) -> list[Row]:
        """The pipelines of deals."""
        return list(self.portal.shelves["categories"].values())

    def stages(self, category_id: int = 0) -> list[Row]:
        """The stages of a pipeline of deals, in order."""
        return self.portal.stages(stage_entity(KINDS["deal"], category_id))

    @property
    def stage_history(self) -> list[Row]:
        """The moves of deals and leads, oldest first; `entity` tells which."""
        with self.portal.world.lock:
            return list(self.portal.tables["history"].rows())

    @property
    def handlers(self) -> list[Row]:
        """Who hears events: of the app, and outgoing webhooks."""
        return self._shelf("handlers")

    @property
    def offline_events(self) -> list[Row]:
        """The offline queue."""
        return self._shelf("offline")

    def make_noise(self, extra_updates: int) -> None:
        """Let each update come `extra_updates` times more, after a creation too, as automation causes them."""
        self.event_sender.noise = extra_updates

    def field_name(self, kind: str, label: str) -> str:
        """The code of a user field by its label.

        Raises KeyError when there is none.
        """
        for row in self.portal.user_fields(KINDS[kind]).values():
            if label in (row["LIST_COLUMN_LABEL"], row["FIELD_NAME"]):
                return str(row["FIELD_NAME"])
        raise KeyError(f"no user field {label!r} of {kind}")

    def add_smart_process(self, title: str, number: int | None = None) -> int:
        """The `entityTypeId` of a new smart process with one pipeline of five stages."""
        with self.portal.world.lock:
            return int(add_smart_process(self.portal, title, number)["entityTypeId"])

    def smart_items(self, number: int) -> Records:
        """The items of a smart process as classic rows. Raises KeyError for an unknown one."""
        kind = self.portal.kind(number)
        if kind is None:
            raise KeyError(number)
        return self._records(kind)

    def bulk_deals(self, count: int) -> range:
        """The ids of `count` new deals; no events, no history, made when read."""
        with self.portal.world.lock:
            return bulk.bulk_deals(self.portal, count)

    def bulk_contacts(self, count: int) -> range:
        """The ids of `count` new contacts with a phone and an e-mail each; no events, made when read."""
        with self.portal.world.lock:
            return bulk.bulk_contacts(self.portal, count)

    def seed(self, contacts: int = 12, deals: int = 15, companies: int = 6, leads: int = 4, todos: int = 8) -> None:
        """Fill the portal with a small sales base, the same in every run; history is written, events are not sent."""
        fill(self, contacts=contacts, deals=deals, companies=companies, leads=leads, todos=todos)

    def reset(self) -> None:
        """Return to a portal with settings but no records; tokens stay good."""
        with self.portal.world.lock:
            self.portal.clear()
            make_settings(self.portal)
            self.event_sender.reset()
            self.operating.reset()

    def records(self) -> Mapping[str, list[Row]]:
        """All records by kind."""
        return {
            "deals": self.deals.rows(),
            "leads": self.leads.rows(),
            "contacts": self.contacts.rows(),
            "companies": self.companies.rows(),
            "activities": self.activities.rows(),
            "tasks": self.tasks.rows(),
            "comments": self.comments.rows(),
            "calls": self.calls.rows(),
            "requisites": self.requisites.rows(),
            "stage_history": self.stage_history,
            "handlers": self.handlers,
            "offline_events": self.offline_events,
        }

    def actions(self) -> Mapping[str, Callable[..., Any]]:
        """The acts of people by name, and a few of the sandbox."""
        more = ("bulk_deals", "bulk_contacts", "make_noise", "add_smart_process", "issue_tokens", "auth_code")
        return self._acts(Person, *more)

    def is_api(self, path: str) -> bool:
        """True for what programs call."""
        return path.startswith(("/rest/", "/oauth/token"))

    def refuse(self, status: int, retry_after: int | None) -> Response:
        """The vendor's own answer for a refusal before the application; no header says how long to wait."""
        problem = standard(status)
        return json_response(problem.body, status)

    def _records(self, kind: Kind) -> Records:
        return Records(
            self.portal.world.lock, self.portal.table(kind), lambda row: classic_record(self.portal, kind, row)
        )
