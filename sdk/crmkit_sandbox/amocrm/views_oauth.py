"""The token endpoint, the consent page and the questions about a moved account."""

from urllib.parse import urlencode

from flask import Flask, redirect, render_template, request
from werkzeug.wrappers import Response

from .account import Account
from .api import json_response
from .oauth import OAuth
from .problems import ProblemError, problem


def register(app: Flask, account: Account, oauth: OAuth) -> None:
    """Add the routes."""

    @app.post("/oauth2/access_token")
    def access_token() -> Response:
        body = request.get_json(silent=True) if request.is_json else request.form.to_dict()
        try:
            with account.world.lock:
                return json_response(oauth.exchange(body if isinstance(body, dict) else {}), 200)
        except ProblemError as error:
            return json_response(error.body, error.status)

    @app.get("/oauth2/account/current/subdomain")
    def current_subdomain() -> Response:
        if not oauth.knows_refresh(request.headers.get("X-Refresh-Token", "")):
            return json_response(problem(401).body, 401)
        return _where(account)

    @app.get("/oauth2/account/subdomain")
    def subdomain() -> Response:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if oauth.user_of(token) is None:
            return json_response(problem(401).body, 401)
        return _where(account)

    @app.get("/oauth")
    def consent() -> Response | str:
        if request.args.get("client_id") != oauth.client_id:
            return json_response(problem(400, "unknown client_id").body, 400)
        return render_template("amocrm_consent.html", account=account, state=request.args.get("state", ""))

    @app.post("/oauth")
    def consented() -> Response:
        state = request.form.get("state", "")
        back = {"client_id": oauth.client_id, "state": state}
        if request.form.get("answer") == "allow":
            back |= {"code": oauth.auth_code(), "referer": f"{account.subdomain}.amocrm.ru", "platform": "1"}
        else:
            back |= {"error": "access_denied"}
        return redirect(f"{oauth.redirect_uri}?{urlencode(back)}")


def _where(account: Account) -> Response:
    domain = f"{account.subdomain}.amocrm.ru"
    body = {"id": account.id, "subdomain": account.subdomain, "domain": domain, "top_level_domain": "ru"}
    return json_response(body, 200)
