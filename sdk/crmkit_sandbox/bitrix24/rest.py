"""How every call is received: who calls, the parameters, the envelope, the budgets of time, the batch."""

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, redirect, request
from werkzeug.wrappers import Response

from crmkit_sandbox.gateway import notes_of
from crmkit_sandbox.wire import Row

from .events import Events
from .methods import Answer, Call, Caller, Method, Registry
from .oauth import OAuth
from .operating import Operating
from .params import parse_query, read_params, resolve
from .portal import Actor, Portal, iso
from .problems import Problem, json_response, missing, standard

MOST_COMMANDS = 50
DENIED_TO_WEBHOOKS = "Current authorization type is denied for this method"


class Rest:
    """Answers /rest/ on behalf of one portal."""

    def __init__(self, portal: Portal, events: Events, oauth: OAuth, operating: Operating, registry: Registry) -> None:
        self.portal = portal
        self._events = events
        self._oauth = oauth
        self._operating = operating
        self._registry = registry

    def add_routes(self, app: Flask) -> None:
        """Answer both forms of addresses: with a webhook's secret in the path, and with a token in `auth`."""
        for number, rule in enumerate(("/rest/<int:user>/<secret>/<method>", "/rest/<method>")):
            for end in ("", "/"):
                app.add_url_rule(
                    rule + end,
                    f"rest-{number}-{len(end)}",
                    self._answer,
                    methods=["GET", "POST"],
                    provide_automatic_options=False,
                )

    def _answer(self, method: str, user: int | None = None, secret: str | None = None) -> Response:
        began = self.portal.world.clock.now()
        took = time.perf_counter()
        if self._oauth.has_moved and request.host != urlsplit(self._oauth.base_url).netloc:
            query = request.query_string.decode("ascii", "replace")
            return redirect(f"{self._oauth.base_url}{request.path}{'?' if query else ''}{query}", 302)
        try:
            params = read_params(request)
            caller = self._caller(user, secret, params)
            name = method.removesuffix(".json").lower()
            with self.portal.acting(Actor(caller.user_id)):
                if name == "batch":
                    body: Row = {"result": self._batch(caller, params)}
                    body["time"] = self._time(began, time.perf_counter() - took)
                else:
                    body = self._call(caller, name, params)
        except Problem as error:
            return json_response(error.body, error.status)
        return json_response(body)

    def _caller(self, user: int | None, secret: str | None, params: Row) -> Caller:
        if secret is not None:
            if self._oauth.webhooks.get(secret) != user or user is None:
                raise Problem(401, "INVALID_CREDENTIALS", "Invalid request credentials")
            return Caller(user, "webhook", self._oauth.webhook_scopes, f"webhook {secret}")
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        token = str(params.pop("auth", "") or params.pop("access_token", "") or bearer)
        if not token:
            raise Problem(401, "NO_AUTH_FOUND", "Wrong authorization data")
        return Caller(self._oauth.user_of(token), "app", self._oauth.scopes, "app")

    def _call(self, caller: Caller, name: str, params: Row) -> Row:
        method = self._method(caller, name)
        began, took = self.portal.world.clock.now(), time.perf_counter()
        if self._operating.is_blocked(caller.credential, name):
            raise standard(429)
        files = {field: len(file.read()) for field, file in request.files.items()} if request.files else {}
        call = Call(self.portal, self._events, self._oauth, caller, params, self._registry, files)
        found = method.body(call)
        answer = found if isinstance(found, Answer) else Answer(found)
        if call.ignored:
            notes_of(request.environ)["ignored"] = call.ignored
        body: Row = {"result": answer.result if answer.result != {} else []}
        if answer.next is not None:
            body["next"] = answer.next
        if answer.total is not None:
            body["total"] = answer.total
        spent = time.perf_counter() - took
        operating = self._operating.charge(caller.credential, name, spent)
        body["time"] = self._time(began, spent, operating, self._operating.reset_at(caller.credential, name))
        return body

    def _method(self, caller: Caller, name: str) -> Method:
        method = self._registry.get(name)
        if method is None:
            raise Problem(404, "ERROR_METHOD_NOT_FOUND", "Method not found!")
        if method.scope is not None and method.scope not in caller.scopes:
            token = "webhook token" if caller.by == "webhook" else "access token"
            text = f"The request requires higher privileges than provided by the {token}"
            raise Problem(403, "insufficient_scope", text)
        if method.is_app_only and caller.by == "webhook":
            raise Problem(403, "WRONG_AUTH_TYPE", DENIED_TO_WEBHOOKS)
        if method.is_admin_only and not self.portal.is_admin(caller.user_id):
            raise Problem(403, "ACCESS_DENIED", "Access denied!")
        return method

    def _batch(self, caller: Caller, params: Row) -> Row:
        commands = params.get("cmd", params.get("CMD"))
        if commands is None:
            raise missing("cmd")
        is_list = not isinstance(commands, dict)
        pairs = list(enumerate(commands)) if is_list else list(commands.items())
        halts = str(params.get("halt", params.get("HALT", 0))) in ("1", "true", "True", "Y")
        parts: dict[str, Row] = {
            name: {} for name in ("result", "result_error", "result_total", "result_next", "result_time")
        }
        for number, (key, command) in enumerate(pairs):
            try:
                if number >= MOST_COMMANDS:
                    raise Problem(400, "ERROR_BATCH_LENGTH_EXCEEDED", "Max batch length exceeded")
                body = self._command(caller, str(command), parts["result"])
            except Problem as error:
                parts["result_error"][str(key)] = error.body
                if halts:
                    break
                continue
            parts["result"][str(key)] = body["result"]
            parts["result_time"][str(key)] = body["time"]
            for name in ("total", "next"):
                if name in body:
                    parts[f"result_{name}"][str(key)] = body[name]
        return {name: _php(part, loses_keys=name == "result_error") for name, part in parts.items()}

    def _command(self, caller: Caller, command: str, results: Row) -> Row:
        name, _, query = command.partition("?")
        name = name.strip().removesuffix(".json").lower()
        if name == "batch":
            raise Problem(405, "ERROR_BATCH_METHOD_NOT_ALLOWED", "Method is not allowed for batch usage")
        return self._call(caller, name, resolve(parse_query(query), results))

    def _time(self, began: float, took_s: float, operating: float = 0, reset_at: int | None = None) -> Row:
        ended = began + took_s
        made: Row = {"start": began, "finish": ended, "duration": took_s, "processing": took_s}
        made |= {"date_start": iso(began), "date_finish": iso(ended)}
        made["operating_reset_at"] = int(ended) + 600 if reset_at is None else reset_at
        return made | {"operating": operating}


def _php(part: Mapping[str, Any], *, loses_keys: bool) -> Any:
    # A map without keys, or with keys 0..n-1, is a list to PHP. Errors lose every numeric key, as recorded
    # answers show.
    is_list = list(part) == [str(index) for index in range(len(part))]
    if is_list or (loses_keys and all(key.isdecimal() for key in part)):
        return list(part.values())
    return dict(part)
