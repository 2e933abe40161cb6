"""What the console answers: signing in, the list of pages, one page, one row, an action, the runs."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Answer

from crmkit.errors import CrmKitError
from crmkit.extension import Panel
from crmkit.panel import Cell, PanelData, Row, View, title_of
from crmkit.values import Ref
from crmkit_runtime import errand, report
from crmkit_runtime.console.session import LASTS, Sessions
from crmkit_runtime.console.words import words
from crmkit_runtime.service import Installed, Service

COOKIE = "crmkit_console"
SAID = "crmkit_console_said"
LONGEST_SAID = 1_200
RUNS = 100

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True, slots=True)
class Place:
    """One page of one extension in one account."""

    account: str
    installed: Installed
    panel: Panel

    @property
    def path(self) -> str:
        """Its address below the console's."""
        return f"{self.account}/{self.installed.extension.name}/{self.panel.name}"


def make_console(service: Service, password: str) -> Blueprint:
    """The console of a service, under `/console`; every page but the first asks for the operator's password."""
    pages = Blueprint("console", __name__, template_folder="templates", static_folder="static", url_prefix="/console")
    views = _Views(service, Sessions(service.keyring, password))
    routes: Sequence[tuple[str, Callable[..., Any], str]] = (
        ("/login", views.login, "GET"),
        ("/login", views.enter, "POST"),
        ("/logout", views.leave, "POST"),
        ("/", views.index, "GET"),
        ("/runs", views.runs, "GET"),
        ("/<account>/<extension>/<name>", views.panel, "GET"),
        ("/<account>/<extension>/<name>", views.press, "POST"),
        ("/<account>/<extension>/<name>/row", views.row, "GET"),
    )
    for path, view, method in routes:
        pages.add_url_rule(path, view.__name__, view, methods=[method], provide_automatic_options=False)
    pages.before_request(views.guard)
    pages.after_request(_harden)
    return pages


class _Views:
    """The pages, for whoever is signed in."""

    def __init__(self, service: Service, sessions: Sessions) -> None:
        self._service = service
        self._sessions = sessions
        self._words = words(service.config.language)
        self._is_https = (service.config.public_url or "").startswith("https:")

    def guard(self) -> Answer | None:
        """Send strangers to the door; refuse forms that are not ours."""
        if request.endpoint in ("console.login", "console.enter", "console.static"):
            return None
        if not self._sessions.holds(self._cookie, self._service.clock.now()):
            return redirect(url_for("console.login"), HTTPStatus.SEE_OTHER)
        if request.method == "POST" and not self._sessions.is_token(self._cookie, request.form.get("token", "")):
            abort(HTTPStatus.FORBIDDEN)
        return None

    def login(self) -> str:
        """The form that asks for the password."""
        return self._render("login.html", fault="")

    def enter(self) -> Answer | tuple[str, int]:
        """Let in whoever knows the password."""
        now = self._service.clock.now()
        if self._sessions.is_closed(now):
            return self._render("login.html", fault=self._words["too_many"]), HTTPStatus.TOO_MANY_REQUESTS
        cookie = self._sessions.begin(request.form.get("password", ""), now)
        if cookie is None:
            return self._render("login.html", fault=self._words["wrong"]), HTTPStatus.FORBIDDEN
        answer = redirect(url_for("console.index"), HTTPStatus.SEE_OTHER)
        self._give(answer, COOKIE, cookie, int(LASTS.total_seconds()))
        return answer

    def leave(self) -> Answer:
        """Forget the session."""
        answer = redirect(url_for("console.login"), HTTPStatus.SEE_OTHER)
        answer.delete_cookie(COOKIE, path="/console")
        return answer

    def index(self) -> str:
        """The pages there are, by account."""
        accounts = {key: [place for place in self._places() if place.account == key] for key in self._service.accounts}
        return self._render("index.html", accounts=accounts)

    def runs(self) -> str:
        """What the handlers did lately, and why, or what went wrong."""
        chosen = request.args.get("state", "")
        state = chosen if chosen in report.RUN_STATES else None
        found = report.runs(self._service.database, state=state, limit=RUNS)
        return self._render("runs.html", runs=found, states=report.RUN_STATES, chosen=state)

    def panel(self, account: str, extension: str, name: str) -> str:
        """One page of an extension."""
        place, after = self._place(account, extension, name), request.args.get("after", "")
        data = self._load(place, View(after=after))
        return self._render("panel.html", place=place, data=data, after=after, cell=_cell)

    def row(self, account: str, extension: str, name: str) -> str:
        """One row of a page, with all that is told of it and its buttons."""
        place, key = self._place(account, extension, name), request.args.get("key", "")
        data, after = self._load(place, View(key=key)), request.args.get("after", "")
        row = next((one for one in data.rows if one.key == key), None)
        fault = ""
        lines: Sequence[str] = ()
        if row is None:
            fault = self._words["gone"]
        else:
            try:
                lines = errand.open_row(self._service, place.installed, account, place.panel, key)
            except CrmKitError as error:
                fault = str(error)
        told = {"row": row, "lines": lines, "fault": fault}
        return self._render("row.html", place=place, data=data, after=after, cell=_cell, **told)

    def press(self, account: str, extension: str, name: str) -> Answer:
        """Do an action of a row, and tell on the page what came of it."""
        place = self._place(account, extension, name)
        action, key = request.form.get("action", ""), request.form.get("key", "")
        try:
            decided = errand.press(self._service, place.installed, account, place.panel, action, key)
            said = "\n".join(decided) or self._words["done"]
        except CrmKitError as error:
            said = str(error)
        after = request.form.get("after") or None
        page = url_for("console.panel", account=account, extension=extension, name=name, after=after)
        answer = redirect(page, HTTPStatus.SEE_OTHER)
        self._give(answer, SAID, base64.urlsafe_b64encode(said[:LONGEST_SAID].encode()).decode(), 30)
        return answer

    @property
    def _cookie(self) -> str:
        return request.cookies.get(COOKIE, "")

    def _give(self, answer: Answer, name: str, value: str, seconds: int) -> None:
        answer.set_cookie(
            name, value, max_age=seconds, path="/console", secure=self._is_https, httponly=True, samesite="Strict"
        )

    def _places(self) -> list[Place]:
        return [
            Place(account, installed, panel)
            for installed in self._service.installed
            for account in installed.accounts
            for panel in installed.extension.panels
        ]

    def _place(self, account: str, extension: str, name: str) -> Place:
        path = f"{account}/{extension}/{name}"
        found = next((place for place in self._places() if place.path == path), None)
        if found is None:
            abort(HTTPStatus.NOT_FOUND)
        return found

    def _load(self, place: Place, view: View) -> PanelData:
        return errand.look(self._service, place.installed, place.account, place.panel, view)

    def _render(self, template: str, **values: Any) -> str:
        language = self._service.config.language
        return render_template(
            f"console/{template}",
            say=self._words,
            language=language,
            token=self._sessions.token(self._cookie) if self._cookie else "",
            said=_said(),
            title_of=lambda text: title_of(text, language),
            buttons=_buttons,
            **values,
        )


def _buttons(data: PanelData, row: Row) -> list[tuple[str, str]]:
    """The actions that fit a row, with the texts of their buttons."""
    fitting = data.actions if row.actions is None else row.actions
    return [(name, data.actions[name]) for name in fitting if name in data.actions]


def _cell(value: Cell) -> str:
    """A cell as text: an address by its kind and id."""
    if isinstance(value, Ref):
        return f"{value.kind.value} {value.id}"
    return "" if value is None else str(value)


def _said() -> str:
    """What came of the last action, told once."""
    try:
        return base64.urlsafe_b64decode(request.cookies.get(SAID, "")).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return ""


def _harden(answer: Response) -> Response:
    answer.headers.update(HEADERS)
    if SAID in request.cookies and SAID not in str(answer.headers.getlist("Set-Cookie")):
        answer.delete_cookie(SAID, path="/console")
    return answer
