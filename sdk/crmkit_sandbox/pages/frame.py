"""The frame of a vendor's page: its application, its tabs, its card, its forms, what guards them."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import tzinfo
from functools import partial
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

from flask import Flask, abort, redirect, render_template, request
from jinja2 import FileSystemLoader
from werkzeug.wrappers import Response

from crmkit_sandbox.wire import Row

from .show import moment, roubles
from .words import Language, words

HERE = Path(__file__).parent
POLICY = "default-src 'none'; style-src 'self'; script-src 'self'; form-action 'self'; base-uri 'none'"
BOARD = "board"

# What a form asks for; the key of what is said afterwards, None for nothing.
Act = Callable[[Mapping[str, str]], str | None]


@dataclass(frozen=True)
class Frame:
    """What a vendor shows and lets people do.

    `tabs` give the data of each tab, the board first; `card` that of one record, whose address is below `cards`. `acts`
    are the forms, each with the path that it leads back to, where `{name}` is a field of the form. What is shown is
    read inside `held()`.
    """

    vendor: str
    texts: Mapping[Language, Mapping[str, str]]
    held: Callable[[], AbstractContextManager[object]]
    zone: Callable[[], tzinfo]
    user_name: Callable[[int], str]
    tabs: Mapping[str, Callable[[], Row]]
    cards: str
    card: Callable[[int], Row]
    acts: Mapping[str, tuple[str, Act]]


def make_page_app(name: str) -> Flask:
    """The application of the emulator in the package `name`: its own templates, then what all pages share."""
    app = Flask(name, static_folder=str(HERE / "static"), static_url_path="/static")
    app.jinja_loader = FileSystemLoader([Path(app.root_path) / "templates", HERE / "templates"])
    return app


def add_page(app: Flask, frame: Frame) -> None:
    """Add the routes of the page, and let nothing foreign into it."""
    texts = {tongue: words(tongue, own) for tongue, own in frame.texts.items()}

    def show(tab: str, data: Callable[[], Row]) -> str:
        tongue = language()
        with frame.held():
            return render_template(
                [f"{frame.vendor}_{tab}.html", f"{tab}.html"],
                texts=texts[tongue],
                language=tongue,
                tab=tab,
                tabs=tuple(frame.tabs),
                cards=frame.cards,
                root=request.script_root,
                user_name=frame.user_name,
                moment=partial(moment, zone=frame.zone()),
                roubles=roubles,
                said=request.args.get("said"),
                **data(),
            )

    for name, data in frame.tabs.items():
        app.add_url_rule("/" if name == BOARD else f"/{name}", name, partial(show, name, data))
    app.add_url_rule(
        f"/{frame.cards}/<int:record_id>", "card", lambda record_id: show("card", partial(frame.card, record_id))
    )
    _add_acts(app, frame)


def language() -> Language:
    """The language that was asked for."""
    return "en" if request.values.get("lang") == "en" else "ru"


def _add_acts(app: Flask, frame: Frame) -> None:
    @app.post("/do/<act>")
    def do(act: str) -> Response:
        if act not in frame.acts or not _is_own_form():
            abort(404 if act not in frame.acts else 403)
        path, method = frame.acts[act]
        try:
            said = method(request.form)
        except (ValueError, KeyError):
            said = "refused"
        return redirect(_back(quote(path.format_map(request.form)), said), 303)

    @app.after_request
    def guard(response: Response) -> Response:
        if response.mimetype == "text/html":
            response.headers["Content-Security-Policy"] = POLICY
        return response


def _back(path: str, said: str | None) -> str:
    query: dict[str, str] = {"lang": language()}
    if request.form.get("pipeline_id", "").isdigit():
        query["pipeline"] = request.form["pipeline_id"]
    if said:
        query["said"] = said
    return f"{request.script_root}/{path}?{urlencode(query)}"


def _is_own_form() -> bool:
    # A page of another site must not move deals here by a form of its own.
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc == request.host
