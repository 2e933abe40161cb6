"""How every API call is received: key, scopes, rate limit, parameters, and the ways to answer."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

from flask import Flask, request
from werkzeug.wrappers import Response

from crmkit_sandbox.gateway import notes_of
from crmkit_sandbox.wire import Row

from .account import Account, Actor, Key, Kind
from .combine import catch_up
from .history import stub
from .limits import KeyLimits
from .problems import (
    ProblemError,
    bad_format,
    bad_input,
    gateway_response,
    html_response,
    json_response,
    missing,
    problem,
)
from .query import nest

Reply: TypeAlias = "Row | tuple[Row, int] | Response"
View: TypeAlias = Callable[..., Reply]
BATCH = 50
FORM = "application/x-www-form-urlencoded"


@dataclass
class ApiCall:
    """One authorised call; `query` and `form` are nested by PHP's brackets."""

    account: Account
    key: str
    rights: Key
    query: Row
    form: Row
    base: str
    path: str
    ignored: list[str] = field(default_factory=list)

    def word(self, name: str) -> str | None:
        """A plain parameter of the form or the query."""
        value = self.form.get(name, self.query.get(name))
        return value if isinstance(value, str) else None

    def argument(self, name: str) -> Any:
        """The JSON of a form field.

        Raises ProblemError 400 when it is missing or no JSON.
        """
        text = self.form.get(name)
        if text is None or text == "":
            raise missing(name)
        try:
            return json.loads(text) if isinstance(text, str) else text
        except ValueError:
            raise bad_format() from None

    def entity(self, name: str) -> Row:
        """The JSON object of a form field.

        Raises ProblemError 400 when it is missing or no object.
        """
        given = self.argument(name)
        if not isinstance(given, dict):
            raise bad_format()
        return given

    def entities(self, name: str, most: int = BATCH) -> list[Row]:
        """The JSON list of objects of a form field.

        Raises ProblemError 400 when it is missing, no such list, or longer than `most`.
        """
        given = self.argument(name)
        if not isinstance(given, list) or not given or not all(isinstance(one, dict) for one in given):
            raise bad_format()
        if len(given) > most:
            raise bad_input(name, f"This collection should contain {most} elements or less.")
        return given

    def site(self, *, is_needed: bool = True) -> str | None:
        """The site of the call, the only one of the key when it is left out.

        Raises ProblemError 400 for an unknown site, or none where one is needed.
        """
        code = self.word("site")
        if code is None:
            if len(self.rights.sites) == 1:
                return self.rights.sites[0]
            if is_needed:
                raise missing("site")
            return None
        if code not in self.account.references["sites"]:
            raise bad_input("site", f"Site with code={code} does not exist.")
        if code not in self.rights.sites:
            raise problem(403)
        return code

    def sees(self, row: Row) -> bool:
        """Whether the key's sites hold the record."""
        return row.get("site") is None or row["site"] in self.rights.sites

    def find(self, kind: Kind, address: str) -> Row:
        """The record that the path and `by` name.

        Raises ProblemError 404, with the survivor when the record was merged; 400 for a wrong `by` or id.
        """
        by = self.word("by") or "externalId"
        if by not in ("id", "externalId"):
            raise bad_input("by", "The value you selected is not a valid choice.")
        if by == "externalId":
            site = self.site()
            row = self.account.find(kind, address, site) or self._combined(kind, address, site)
        else:
            if not (address.isascii() and address.isdigit()):
                raise bad_input("id", "ID must be an integer")
            self.site(is_needed=False)
            row = self.account.tables[kind].get(int(address))
        if row is None or not self.sees(row):
            raise problem(404)
        if row.get("is_deleted"):
            raise self._gone(kind, row)
        return row

    def _combined(self, kind: Kind, external_id: str, site: str | None) -> Row | None:
        """The newest merged record that had this external id."""
        table = self.account.tables[kind]
        rows = (table.get(row_id) for row_id in reversed(table.deleted))
        for row in rows:
            if row is not None and row.get("externalId") == external_id and row["site"] == site:
                return row if row.get("combined_to") else None
        return None

    def _gone(self, kind: Kind, row: Row) -> ProblemError:
        found = problem(404)
        target = self.account.tables[kind].get(row.get("combined_to") or 0)
        while target is not None and target.get("combined_to"):
            target = self.account.tables[kind].get(target["combined_to"])
        if target is not None:
            found.body["combinedTo"] = stub("customers", target)
        return found


class Api:
    """The routes of the API on a Flask application."""

    def __init__(self, app: Flask, account: Account, limits: KeyLimits) -> None:
        self.app = app
        self._account = account
        self._limits = limits

    def route(
        self, method: str, rule: str, scope: str | None = None, *, root: str = "/api/v5"
    ) -> Callable[[View], View]:
        """Answer `method` on `{root}{rule}` for keys with `scope`."""

        def register(view: View) -> View:
            def answer(**parts: Any) -> Response:
                return self._answer(view, parts, scope)

            self.app.add_url_rule(
                f"{root}{rule}", f"{method} {root}{rule}", answer, methods=[method], provide_automatic_options=False
            )
            return view

        return register

    def _answer(self, view: View, parts: dict[str, Any], scope: str | None) -> Response:
        if not is_known_host(self._account, request.host):
            return html_response("Account does not exist", 405 if request.method == "POST" else 404)
        call: ApiCall | None = None
        status = 200
        try:
            call = self._authorised(scope)
            if call is None:
                return gateway_response(503, is_html=self._account.switches.is_busy_html)
            catch_up(self._account)
            with self._account.acting(Actor("api", key=call.key)):
                reply = view(call, **parts)
            if isinstance(reply, Response):
                return reply
            body, status = reply if isinstance(reply, tuple) else (reply, 200)
            body = {"success": status < 400, **body}
        except ProblemError as error:
            body, status = error.body, error.status
        finally:
            if call is not None:
                notes_of(request.environ)["ignored"] = call.ignored
        return json_response(body, status)

    def _authorised(self, scope: str | None) -> ApiCall | None:
        """The call, None when its key is over the limit."""
        query = nest(parse_qsl(request.query_string.decode("utf-8", "replace"), keep_blank_values=True))
        form: Row = {}
        if request.method == "POST" and request.mimetype == FORM:
            form = nest(parse_qsl(request.get_data(cache=True).decode("utf-8", "replace"), keep_blank_values=True))
        key = request.headers.get("X-API-KEY") or query.get("apiKey") or form.get("apiKey")
        if not isinstance(key, str) or not key:
            raise problem(403, '"apiKey" is missing.')
        rights = self._account.keys.get(key)
        if rights is None:
            raise problem(403, 'Wrong "apiKey" value.')
        if not self._limits.admit(key, is_telephony=request.path.startswith("/api/v5/telephony/")):
            return None
        if scope is not None and scope not in rights.scopes:
            raise problem(403)
        return ApiCall(self._account, key, rights, query, form, request.root_url.rstrip("/"), request.path)


def is_known_host(account: Account, host: str) -> bool:
    """False for the address of another account of the vendor, and for all when the account is gone."""
    name, _, domain = host.partition(":")[0].partition(".")
    is_vendor = domain in ("retailcrm.ru", "retailcrm.pro", "retailcrm.es", "simla.com", "retailcrm.io")
    return account.exists and (not is_vendor or name == account.name)
