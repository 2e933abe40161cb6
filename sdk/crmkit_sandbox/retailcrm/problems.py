"""Refusals in the vendor's own words."""

import json
from collections.abc import Mapping, Sequence

from werkzeug.wrappers import Response

from crmkit_sandbox.wire import Row

INVALID = "This value is not valid."
BLANK = "This value should not be blank."
PAGES = {
    502: "502 Bad Gateway",
    503: "503 Service Temporarily Unavailable",
    504: "504 Gateway Time-out",
}
MESSAGES = {
    200: "Something went wrong",
    403: "Access denied.",
    404: "Not found",
    405: "Method Not Allowed",
    429: "Rate limit exceeded",
    500: "Internal server error",
}
BUSY = "Rate limit exceeded"

Errors = Mapping[str, str] | Sequence[str]


class ProblemError(Exception):
    """An answer that is not a success; `body` is its JSON."""

    def __init__(self, status: int, body: Row) -> None:
        super().__init__(f"{status} {body.get('errorMsg')} {body.get('errors', '')}".strip())
        self.status = status
        self.body = body


def problem(status: int, message: str | None = None, errors: Errors | None = None) -> ProblemError:
    """A refusal with its message and the errors by field."""
    body: Row = {"success": False, "errorMsg": message or MESSAGES.get(status, "Bad request")}
    if errors is not None:
        body["errors"] = errors
    return ProblemError(status, body)


def missing(name: str) -> ProblemError:
    """The refusal of a call without a parameter that it needs."""
    return problem(400, f"Parameter '{name}' is missing")


def bad_format(errors: Errors | None = None) -> ProblemError:
    """The refusal of a value that has a wrong type."""
    return problem(400, "Errors in the entity format", errors)


def bad_input(name: str, text: str) -> ProblemError:
    """The refusal of a wrong parameter."""
    return problem(400, "Errors in the input parameters", {name: text})


def not_loaded(entity: str, errors: Errors) -> ProblemError:
    """The refusal of a write that is well formed and still impossible."""
    return problem(400, f"{entity} is not loaded", errors)


def invalid(errors: Sequence[str]) -> ProblemError:
    """The refusal of values that contradict each other or the rules; its errors are a list."""
    return problem(400, "Validation error", errors)


def json_response(body: Row, status: int) -> Response:
    """A JSON answer."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Response(text, status, content_type="application/json; charset=utf-8")


def html_response(title: str, status: int) -> Response:
    """A page instead of JSON, as proxies and lost accounts answer."""
    page = f"<!DOCTYPE html>\n<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>\n"
    return Response(page, status, content_type="text/html; charset=utf-8")


def gateway_response(status: int, *, is_html: bool) -> Response:
    """What stands before the application answers by itself."""
    if status in (502, 504) or (status == 503 and is_html):
        return html_response(PAGES[status], status)
    if status == 503:
        return json_response({"success": False, "errorMsg": BUSY}, status)
    return json_response(problem(status).body, status)
