"""The Flask application of the emulated retailCRM: the API and the page."""

from collections.abc import Callable

from flask import Flask, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.wrappers import Response

from crmkit_sandbox.courier import Courier
from crmkit_sandbox.pages.frame import add_page, make_page_app

from . import (
    views_account,
    views_corporate,
    views_costs,
    views_customers,
    views_fields,
    views_files,
    views_modules,
    views_notes,
    views_orders,
    views_references,
    views_tasks,
    views_telephony,
    views_users,
)
from .api import Api, is_known_host
from .limits import KeyLimits
from .page import make_frame
from .person import Person
from .problems import html_response, json_response, problem

ROOMS = (
    views_account,
    views_corporate,
    views_costs,
    views_customers,
    views_fields,
    views_files,
    views_modules,
    views_notes,
    views_orders,
    views_references,
    views_tasks,
    views_telephony,
    views_users,
)


def make_app(person: Person, limits: KeyLimits, courier: Courier, vendor: str, seed: Callable[[], None]) -> Flask:
    """The application that answers below the vendor's prefix."""
    app = make_page_app(__name__)
    api = Api(app, person.account, limits)
    for room in ROOMS:
        room.register(api)
    add_page(app, make_frame(person, courier, vendor, seed))

    @app.errorhandler(MethodNotAllowed)
    def refuse_method(error: MethodNotAllowed) -> Response:
        response = _refused(405, "Method Not Allowed")
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
        return response

    @app.errorhandler(NotFound)
    def refuse_route(_: HTTPException) -> Response:
        if request.path.startswith("/api/"):
            return _refused(404, "API method not found")
        return html_response("404 Not Found", 404)

    def _refused(status: int, message: str) -> Response:
        if not is_known_host(person.account, request.host):
            return html_response("Account does not exist", 405 if request.method == "POST" else 404)
        return json_response(problem(status, message).body, status)

    return app
