"""Events out: form posts with ids only, sent once, and the queue of offline events."""

from typing import Any

from crmkit_sandbox.courier import Courier
from crmkit_sandbox.sender import Sender
from crmkit_sandbox.wire import Row

from .oauth import OAuth
from .params import encode_php
from .portal import Portal, iso
from .values import number_of

TIMEOUT_S = 5.0
CONTENT_TYPE = "application/x-www-form-urlencoded; charset=UTF-8"
CRM_EVENTS = tuple(
    f"ONCRM{kind}{act}"
    for kind in ("LEAD", "DEAL", "CONTACT", "COMPANY", "ACTIVITY", "TIMELINECOMMENT")
    for act in ("ADD", "UPDATE", "DELETE")
)
SMART_EVENTS = tuple(f"ONCRM{kind}{act}" for kind in ("DYNAMICITEM", "TYPE") for act in ("ADD", "UPDATE", "DELETE"))
ADDITIONS = tuple(f"ONCRM{kind}ADD" for kind in ("LEAD", "DEAL", "CONTACT", "COMPANY"))
FIELD_ACTS = ("ADD", "UPDATE", "DELETE", "SETENUMVALUES")
EVENTS = (
    *CRM_EVENTS,
    *SMART_EVENTS,
    "ONCRMDEALMOVETOCATEGORY",
    *(f"ONCRM{kind}USERFIELD{act}" for kind in ("LEAD", "DEAL", "CONTACT", "COMPANY") for act in FIELD_ACTS),
    *(f"ONCRM{kind}{act}" for kind in ("REQUISITE", "BANKDETAIL") for act in ("ADD", "UPDATE", "DELETE")),
    "ONUSERADD",
    "ONTASKADD",
    "ONTASKUPDATE",
    "ONTASKDELETE",
    "ONVOXIMPLANTCALLINIT",
    "ONVOXIMPLANTCALLSTART",
    "ONVOXIMPLANTCALLEND",
    "ONEXTERNALCALLSTART",
    "ONAPPINSTALL",
    "ONAPPUNINSTALL",
    "ONAPPUPDATE",
    "ONOFFLINEEVENT",
)


class Events(Sender):
    """Decides who gets which event, loses or doubles them on demand; a lost one is lost, there are no retries."""

    def __init__(self, portal: Portal, courier: Courier, oauth: OAuth, vendor: str) -> None:
        # How many times more the events of the next act are sent, and which act that was.
        self._repeats_next = 0
        self._repeated_act: int | None = None
        # How many equal updates follow each change and each creation, as automation and counters cause them.
        self.noise = 0
        super().__init__(portal, courier, vendor, TIMEOUT_S)
        self._portal = portal
        self._oauth = oauth

    def emit(self, name: str, data: Row, object_id: int | str = 0) -> None:
        """Send event `name` to all its handlers and put it into the offline queue when somebody asked for it.

        What is lost on the way out is in the queue all the same: the portal keeps that itself.
        """
        portal = self._portal
        handlers = [handler for handler in portal.shelves["handlers"].values() if handler["event"] == name]
        if any(handler["offline"] for handler in handlers):
            self._queue(name, data, object_id)
        if not portal.actor.sends_events:
            return
        for handler in handlers:
            if handler["offline"]:
                continue
            for _ in range(1 + (self.noise if name.endswith("UPDATE") else 0)):
                self.send(handler, data)
        if self.noise and name in ADDITIONS:
            self.emit(f"{name.removesuffix('ADD')}UPDATE", data, object_id)

    def send(self, handler: Row, data: Row) -> None:
        """Post one event to one handler, unless events are switched off or the next ones are to be lost."""
        if not self.leaves():
            return
        body: Row = {"event": handler["event"], "event_handler_id": handler["id"], "data": data}
        body |= {"ts": self._portal.now(), "auth": self._auth(handler)}
        self.post(handler["handler"], handler["event"], encode_php(body), content_type=CONTENT_TYPE)

    @property
    def repeat_next(self) -> int:
        """How many times more each event of the next act is sent."""
        return self._repeats_next

    @repeat_next.setter
    def repeat_next(self, times: int) -> None:
        """Send each event of the next act that has any `times` times more."""
        self._repeats_next, self._repeated_act = times, None

    def reset(self) -> None:
        """Lose, double and repeat nothing more."""
        super().reset()
        self.noise = 0

    def copies(self) -> int:
        """How many times an event is sent: a call has several events, and all of them are doubled."""
        if self._repeats_next and self._repeated_act is None:
            self._repeated_act = self._portal.acts
        if self._repeated_act != self._portal.acts:
            self.repeat_next = 0
        return 1 + self._repeats_next

    def _auth(self, handler: Row) -> Row:
        oauth, actor = self._oauth, self._portal.actor
        where = oauth.addresses()
        if handler["is_webhook"]:
            return {
                "domain": where["domain"],
                "client_endpoint": where["client_endpoint"],
                "server_endpoint": where["server_endpoint"],
                "member_id": oauth.member_id,
                "application_token": handler["token"],
            }
        # A robot's change brings no token: nobody stands behind it.
        head: Row = {}
        user_id = number_of(handler["auth_type"]) or actor.user_id
        if handler["event"] == "ONAPPINSTALL":
            issued = oauth.issue(user_id=user_id)
            head = {name: issued[name] for name in ("access_token", "refresh_token", "expires_in")}
        elif user_id and not actor.is_robot and handler["event"] != "ONAPPUNINSTALL":
            head = {"access_token": oauth.issue_access(user_id), "expires_in": oauth.lives_s}
        return {
            **head,
            "scope": ",".join(oauth.scopes),
            "domain": where["domain"],
            "server_endpoint": where["server_endpoint"],
            "status": oauth.status,
            "client_endpoint": where["client_endpoint"],
            "member_id": oauth.member_id,
            "application_token": oauth.application_token,
        }

    def _queue(self, name: str, data: Row, object_id: int | str) -> None:
        portal = self._portal
        shelf = portal.shelves["offline"]
        key = (name, object_id)
        # One row per object and event, with the time of the last change. A reserved row is not changed any more.
        known = shelf.get(key)
        if known is not None and known["process_id"]:
            shelf[(name, object_id, known["ID"])] = shelf.pop(key)
            known = None
        row_id = known["ID"] if known else str(portal.take_id("offline"))
        message_id = known["MESSAGE_ID"] if known else f"{portal.take_id('messages'):032x}"
        shelf[key] = {
            "ID": row_id,
            "TIMESTAMP_X": iso(portal.now()),
            "EVENT_NAME": name,
            "EVENT_DATA": data or False,
            "EVENT_ADDITIONAL": False,
            "MESSAGE_ID": message_id,
            "process_id": None,
            "error": 0,
        }
        if known is not None or not portal.actor.sends_events:
            return
        for handler in portal.shelves["handlers"].values():
            if handler["event"] == "ONOFFLINEEVENT" and not handler["offline"]:
                self.send(handler, {})


def add_handler(portal: Portal, event: str, url: str, **more: Any) -> Row:
    """A handler of an event; of the app, unless `is_webhook` names an outgoing webhook of a person."""
    handler_id = portal.take_id("handlers")
    row: Row = {
        "id": handler_id,
        "event": event.upper(),
        "handler": url,
        "auth_type": "0",
        "offline": 0,
        "is_webhook": False,
        "token": "",
        **more,
    }
    portal.shelves["handlers"][handler_id] = row
    return row
