"""The Flask application of the emulated amoCRM: the API, the token endpoint, the page."""

import difflib
import re
from collections.abc import Callable

from flask import Flask, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.wrappers import Response

from crmkit_sandbox.courier import Courier
from crmkit_sandbox.pages.frame import add_page, make_page_app

from . import (
    views_catalogs,
    views_complex,
    views_events,
    views_fields,
    views_links,
    views_notes,
    views_oauth,
    views_pipelines,
    views_records,
    views_settings,
    views_tasks,
    views_unsorted,
    views_webhooks,
)
from .account import KINDS
from .api import Api, json_response
from .oauth import OAuth
from .page import make_frame
from .person import Person
from .problems import problem

ANY_KIND = "/<any(leads,contacts,companies):kind>"
PART, NUMBER = re.compile(r"<[^>]+>"), re.compile(r"(?<=/)\d+")
ROOMS = (
    views_catalogs,
    views_complex,
    views_events,
    views_fields,
    views_links,
    views_notes,
    views_pipelines,
    views_records,
    views_settings,
    views_tasks,
    views_unsorted,
    views_webhooks,
)


def make_app(person: Person, oauth: OAuth, courier: Courier, vendor: str, seed: Callable[[], None]) -> Flask:
    """The application that answers below the vendor's prefix."""
    app = make_page_app(__name__)
    account = person.account
    api = Api(app, account, person.hook_sender, oauth)
    for room in ROOMS:
        room.register(api)
    views_oauth.register(app, account, oauth)
    add_page(app, make_frame(person, courier, vendor, seed))

    @app.errorhandler(MethodNotAllowed)
    def refuse_method(error: MethodNotAllowed) -> Response:
        response = json_response(problem(405).body, 405)
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
        return response

    @app.errorhandler(NotFound)
    def refuse_route(_: HTTPException) -> Response:
        if request.path.startswith(("/api/", "/oauth2/")):
            return _not_emulated(app)
        return json_response(problem(404, f"Cannot {request.method} {request.url}").body, 404)

    return app


def _not_emulated(app: Flask) -> Response:
    rules = {rule.rule for rule in app.url_map.iter_rules() if rule.rule.startswith(("/api/", "/oauth2/"))}
    known = {PART.sub("{id}", rule.replace(ANY_KIND, f"/{kind}")) for rule in rules for kind in KINDS}
    asked = NUMBER.sub("{id}", request.path)
    near = difflib.get_close_matches(asked, sorted(known), n=5, cutoff=0.4)
    body = {
        "title": "Not Implemented",
        "status": 501,
        "detail": f"The sandbox does not emulate {request.method} {request.path}",
        "near": near,
    }
    return json_response(body, 501)
