"""How every API call is received: authorisation, the lock, the body, and the ways to answer."""

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from flask import Flask, request
from werkzeug.wrappers import Response

from crmkit_sandbox.gateway import notes_of
from crmkit_sandbox.wire import Row

from .account import Account, Actor
from .hooks import Hooks
from .oauth import OAuth
from .problems import NothingFound, ProblemError, problem
from .query import Query

Reply: TypeAlias = "Row | list[Row] | tuple[Row | None, int]"
View: TypeAlias = Callable[..., Reply]
BATCH = 250


@dataclass
class ApiCall:
    """One authorised call."""

    account: Account
    hooks: Hooks
    query: Query
    base: str
    user_id: int
    body: Any = None
    ignored: list[str] = field(default_factory=list)

    def items(self, most: int = BATCH) -> list[Row]:
        """The array that a write carries.

        Raises ProblemError 400 for an empty or wrong body, 422 for more than `most` items.
        """
        if self.body in (None, [], {}):
            raise problem(400, "Request data can not be empty")
        if not isinstance(self.body, list) or not all(isinstance(item, dict) for item in self.body):
            raise problem(400, "Request body must be an array of objects")
        if len(self.body) > most:
            raise problem(422, f"Limit {most} per page")
        return self.body

    def item(self) -> Row:
        """The object that a write of one record carries.

        Raises ProblemError 400 for an empty or wrong body.
        """
        if self.body in (None, [], {}):
            raise problem(400, "Request data can not be empty")
        if not isinstance(self.body, dict):
            raise problem(400, "Request body must be an object")
        return self.body


class Api:
    """The routes of the API on a Flask application."""

    def __init__(self, app: Flask, account: Account, hooks: Hooks, oauth: OAuth) -> None:
        self.app = app
        self._account = account
        self._hooks = hooks
        self._oauth = oauth

    def route(self, method: str, rule: str, *, admin: bool = False) -> Callable[[View], View]:
        """Answer `method` on `/api/v4{rule}`; `admin` asks for an administrator's token."""

        def register(view: View) -> View:
            def answer(**parts: Any) -> Response:
                return self._answer(view, parts, admin=admin)

            self.app.add_url_rule(
                f"/api/v4{rule}", f"{method} {rule}", answer, methods=[method], provide_automatic_options=False
            )
            return view

        return register

    def _answer(self, view: View, parts: dict[str, Any], *, admin: bool) -> Response:
        call: ApiCall | None = None
        try:
            call = self._authorised(admin=admin)
            with self._account.acting(Actor(call.user_id)):
                reply = view(call, **parts)
            body, status = reply if isinstance(reply, tuple) else (reply, 200)
        except NothingFound:
            body, status = None, 204
        except ProblemError as error:
            body, status = error.body, error.status
        if call is not None:
            notes_of(request.environ)["ignored"] = [*call.query.unused(), *call.ignored]
        return json_response(body, status)

    def _authorised(self, *, admin: bool) -> ApiCall:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        user_id = self._oauth.user_of(token.strip()) if scheme.lower() == "bearer" else None
        if user_id is None:
            raise problem(401)
        # A call may be made in the name of another user.
        named = request.headers.get("X-Context-User-ID", "")
        if named.isdigit() and int(named) in self._account.shelves["users"]:
            user_id = int(named)
        user = self._account.shelves["users"].get(user_id)
        if admin and (user is None or not user["rights"]["is_admin"]):
            raise problem(403)
        query = Query(request.query_string.decode("utf-8", "replace"))
        for name in ("page", "limit", "with"):
            query.used.add(name)
        return ApiCall(self._account, self._hooks, query, request.root_url.rstrip("/"), user_id, self._body())

    def _body(self) -> Any:
        data = request.get_data()
        if not data:
            return None
        try:
            return json.loads(data)
        except ValueError:
            raise problem(400, "Request body is not valid JSON") from None


def json_response(body: Any, status: int) -> Response:
    """A JSON answer with the vendor's content types, nothing for None."""
    headers = {"X-Request-Id": uuid.uuid4().hex}
    if body is None:
        return Response(status=status, headers=headers)
    kind = "application/hal+json" if status < 400 else "application/problem+json"
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Response(text, status, headers, content_type=f"{kind}; charset=utf-8")
