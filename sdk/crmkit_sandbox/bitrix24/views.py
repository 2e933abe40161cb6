"""The Flask application of the emulated Bitrix24: REST, the authorisation server, the page."""

from collections.abc import Callable
from urllib.parse import urlencode

from flask import Flask, redirect, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from crmkit_sandbox.courier import Courier
from crmkit_sandbox.pages.frame import add_page, make_page_app

from . import (
    methods_activities,
    methods_app,
    methods_duplicates,
    methods_goods,
    methods_items,
    methods_offline,
    methods_records,
    methods_settings,
    methods_smart,
    methods_tasks,
    methods_telephony,
)
from .methods import Registry
from .operating import Operating
from .page import make_frame
from .params import read_params
from .person import Person
from .problems import Problem, json_response, standard
from .rest import Rest

ROOMS = (
    methods_activities,
    methods_app,
    methods_duplicates,
    methods_goods,
    methods_items,
    methods_offline,
    methods_records,
    methods_settings,
    methods_smart,
    methods_tasks,
    methods_telephony,
)


def make_app(person: Person, operating: Operating, courier: Courier, vendor: str, seed: Callable[[], None]) -> Flask:
    """The application that answers below the vendor's prefix."""
    app = make_page_app(__name__)
    registry = Registry()
    for room in ROOMS:
        room.register(registry)
    Rest(person.portal, person.event_sender, person.oauth, operating, registry).add_routes(app)
    _add_oauth(app, person)
    add_page(app, make_frame(person, courier, vendor, seed))

    @app.errorhandler(HTTPException)
    def refuse(error: HTTPException) -> Response:
        if request.path.startswith("/rest"):
            return json_response(standard(404).body, 404)
        return json_response({"error": "not_found", "error_description": request.path}, error.code or 500)

    return app


def _add_oauth(app: Flask, person: Person) -> None:
    oauth = person.oauth

    @app.route("/oauth/token/", methods=["GET", "POST"])
    def token() -> Response:
        try:
            with person.portal.world.lock:
                return json_response(oauth.exchange(read_params(request)))
        except Problem as error:
            return json_response(error.body, error.status)

    @app.get("/oauth/authorize/")
    def authorize() -> Response:
        # A wrong app never comes back: the person stays on a page of the portal.
        if request.args.get("client_id") != oauth.client_id:
            return json_response({"error": "invalid_client", "error_description": "Invalid client"}, 401)
        with person.portal.world.lock:
            back = {"code": oauth.auth_code(), "state": request.args.get("state", ""), "member_id": oauth.member_id}
            back |= {"scope": ",".join(oauth.scopes), "domain": oauth.addresses()["domain"]}
        back["server_domain"] = back["domain"]
        mark = "&" if "?" in oauth.redirect_uri else "?"
        return redirect(f"{oauth.redirect_uri}{mark}{urlencode(back)}")
