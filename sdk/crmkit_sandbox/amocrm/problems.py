"""Refusals in the vendor's own words."""

import json
from collections.abc import Container, Sequence

from werkzeug.wrappers import Response

from crmkit_sandbox.wire import Row

# Sources: amoCRM "Коды ошибок", Kommo "HTTP codes".
DETAILS = {
    401: ("Unauthorized", "Неверный логин или пароль"),
    402: ("Payment Required", "Payment required"),
    403: ("Forbidden", "Forbidden"),
    404: ("Not Found", "Not Found"),
    405: ("Method Not Allowed", "Method Not Allowed"),
    422: ("Unprocessable Entity", "Unprocessable Entity"),
    429: (
        "Too Many Requests",
        "You have sent too many requests in a given amount of time. Please try again later.",
    ),
}
OAUTH_TYPE = "https://developers.amocrm.ru/v3/errors/OAuthProblemJson"
CHOICE = "The value you selected is not a valid choice."
MISSING = "This field is missing."
GATEWAY_PAGE = (
    "<html>\n<head><title>{title}</title></head>\n<body>\n<center><h1>{title}</h1></center>\n"
    "<hr><center>nginx</center>\n</body>\n</html>\n"
)
GATEWAY = {502: "502 Bad Gateway", 503: "503 Service Temporarily Unavailable", 504: "504 Gateway Time-out"}


class ProblemError(Exception):
    """An answer that is not a success; `body` is its JSON."""

    def __init__(self, status: int, body: Row) -> None:
        super().__init__(f"{status} {body.get('detail')}")
        self.status = status
        self.body = body


class NothingFound(Exception):
    """Answered as 204 without a body."""


def problem(status: int, detail: str | None = None) -> ProblemError:
    """The plain problem of a status."""
    title, usual = DETAILS.get(status, ("Bad Request", "Bad Request"))
    return ProblemError(
        status,
        {"title": title, "type": f"https://httpstatus.es/{status}", "status": status, "detail": detail or usual},
    )


def invalid(errors: Sequence[tuple[str, Sequence[Row]]]) -> ProblemError:
    """The refusal of a whole request for the errors of its items, given by request_id."""
    found = problem(400, "Request validation failed")
    listed = [{"request_id": request_id, "errors": list(items)} for request_id, items in errors if items]
    return ProblemError(400, {"validation-errors": listed, **found.body})


def oauth_problem(status: int, title: str, detail: str, hint: str | None = None) -> ProblemError:
    """A refusal of the token endpoint."""
    body: Row = {"hint": hint} if hint else {}
    return ProblemError(status, {**body, "title": title, "type": OAUTH_TYPE, "status": status, "detail": detail})


def gateway_response(status: int, retry_after: int | None) -> Response:
    """What the vendor's front answers without asking the application."""
    if status == 403:
        return Response("403 Forbidden", 403, content_type="text/plain")
    if status in GATEWAY:
        return Response(GATEWAY_PAGE.format(title=GATEWAY[status]), status, content_type="text/html")
    if status == 500:
        body: Row = {
            "title": "ErrInternalServer",
            "status": 500,
            "detail": "Our team are probably already working on the elimination of the problem",
            "trace_id": "0a1b2c3d-4e5f-1111-8888-000000000500",
        }
    else:
        body = problem(status).body
    if retry_after is not None:
        body["retry_after"] = retry_after
    return _json_response(body, status)


def _json_response(body: Row, status: int) -> Response:
    return Response(json.dumps(body, ensure_ascii=False), status, content_type="application/problem+json")


class Check:
    """Collects what is wrong with one item of a write."""

    def __init__(self) -> None:
        self.errors: list[Row] = []

    def fault(self, code: str, path: str, detail: str) -> None:
        """Note a fault."""
        self.errors.append({"code": code, "path": path, "detail": detail})

    def choice(self, path: str) -> None:
        """Note a value outside the allowed ones."""
        self.fault("NotSupportedChoice", path, CHOICE)

    def missing(self, path: str) -> None:
        """Note a required field that is absent."""
        self.fault("FieldMissing", path, MISSING)

    def wrong_type(self, path: str, wanted: str) -> None:
        """Note a value of another type than `wanted`."""
        self.fault("InvalidType", path, f"This value should be of type {wanted}.")

    def is_int(self, item: Row, name: str, *, nullable: bool = False) -> bool:
        """True when `name` is given as an integer; another type is noted."""
        if name not in item:
            return False
        value = item[name]
        if isinstance(value, int) and not isinstance(value, bool):
            return True
        if not (nullable and value is None):
            self.wrong_type(name, "int")
        return False

    def is_text(self, item: Row, name: str) -> bool:
        """True when `name` is given as a string; another type is noted."""
        if name not in item:
            return False
        if isinstance(item[name], str):
            return True
        self.wrong_type(name, "string")
        return False

    def is_choice(self, item: Row, name: str, allowed: Container[object], path: str | None = None) -> bool:
        """True when `name` is given as one of `allowed`; another value is noted."""
        if name not in item:
            return False
        if isinstance(item[name], str | int) and item[name] in allowed:
            return True
        self.choice(path or name)
        return False

    def branch(self, item: Row, name: str) -> Row:
        """The object under `name`, empty when it is left out or null; another type is noted."""
        value = item.get(name)
        if isinstance(value, dict):
            return value
        if value not in (None, []):
            self.wrong_type(name, "array")
        return {}

    def objects(self, item: Row, name: str, path: str) -> list[Row]:
        """The objects listed under `name`; another type is noted."""
        value = item.get(name) or []
        if isinstance(value, list) and all(isinstance(one, dict) for one in value):
            return value
        self.wrong_type(path, "array")
        return []
