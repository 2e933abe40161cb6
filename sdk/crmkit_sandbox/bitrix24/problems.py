"""Refusals with the vendor's codes and texts."""

import json

from werkzeug.wrappers import Response

from crmkit_sandbox.wire import Row


class Problem(ValueError):
    """A refusal: the HTTP status, the code (often empty, sometimes 0) and the text."""

    def __init__(self, status: int, code: str | int, text: str) -> None:
        super().__init__(f"{code}: {text}" if code else text)
        self.status = status
        self.code = code
        self.text = text

    @property
    def body(self) -> Row:
        """The answer's body."""
        return {"error": self.code, "error_description": self.text}


# What the gateway answers for a bare status. Source: Bitrix24 REST, page "System error codes".
STANDARD: dict[int, tuple[str, str]] = {
    400: ("INVALID_REQUEST", "Https required"),
    401: ("expired_token", "The access token provided has expired."),
    403: ("ACCESS_DENIED", "Access denied!"),
    404: ("ERROR_METHOD_NOT_FOUND", "Method not found!"),
    429: ("OPERATION_TIME_LIMIT", "Method is blocked due to operation time limit."),
    500: ("INTERNAL_SERVER_ERROR", "Internal server error"),
    503: ("QUERY_LIMIT_EXCEEDED", "Too many requests"),
}


def standard(status: int) -> Problem:
    """The usual refusal with `status`."""
    return Problem(status, *STANDARD.get(status, ("ERROR_UNEXPECTED_ANSWER", "Unexpected answer")))


def not_found() -> Problem:
    """A classic method does not find the record: 400, no code."""
    return Problem(400, "", "Not found")


def item_not_found() -> Problem:
    """A universal method does not find the record."""
    return Problem(400, "NOT_FOUND", "Element not found")


def missing(name: str) -> Problem:
    """A required parameter is missing."""
    return Problem(400, "100", f"Could not find value for parameter {{{name}}}")


def json_response(body: Row, status: int = 200) -> Response:
    """A JSON answer; slashes are not escaped and other alphabets stay readable, as the vendor's clients expect."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Response(text, status, content_type="application/json; charset=utf-8")
