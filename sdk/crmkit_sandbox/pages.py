"""What the pages of all emulated CRMs share: whose language they speak, how they act, what guards them."""

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from flask import Flask, abort, redirect, request
from werkzeug.wrappers import Response

from .page_words import Language

POLICY = "default-src 'none'; style-src 'self'; script-src 'self'; form-action 'self'; base-uri 'none'"

# What a form asks for; the key of what is said afterwards, None for nothing.
Act = Callable[[Mapping[str, str]], str | None]


def add_acts(app: Flask, acts: Mapping[str, tuple[str, Act]], back: Callable[[str, str | None], str]) -> None:
    """Let the forms of a page act, each leading back to its tab, and let nothing foreign into the page."""

    @app.post("/do/<act>")
    def do(act: str) -> Response:
        if act not in acts or not _is_own_form():
            abort(404 if act not in acts else 403)
        tab, method = acts[act]
        try:
            said = method(request.form)
        except (ValueError, KeyError):
            said = "refused"
        return redirect(back(tab, said), 303)

    @app.after_request
    def guard(response: Response) -> Response:
        if response.mimetype == "text/html":
            response.headers["Content-Security-Policy"] = POLICY
        return response


def language() -> Language:
    """The language that was asked for."""
    return "en" if request.values.get("lang") == "en" else "ru"


def masked(url: str) -> str:
    """An address for showing: its last part is often its only secret, and so is its query."""
    head, slash, last = url.partition("?")[0].rpartition("/")
    return f"{head}{slash}{last[:4]}…" if len(last) > 12 else f"{head}{slash}{last}"


def _is_own_form() -> bool:
    # A page of another site must not move deals here by a form of its own.
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc == request.host
