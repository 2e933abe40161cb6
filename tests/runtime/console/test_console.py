"""The console: nobody gets in without the password; whoever is in sees pages, presses buttons, reads decisions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Literal

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from crmkit.errors import ConfigError, Conflict
from crmkit.events import ContactCreated
from crmkit.extension import Context, Extension
from crmkit.models import Task
from crmkit.panel import PanelData, Row, View
from crmkit.settings import NoSettings
from crmkit.values import Kind, Ref
from crmkit_runtime.console.session import password_of
from crmkit_runtime.ingest import Ingest
from crmkit_runtime.web import create_app
from crmkit_testing.bench import Bench, bench

PASSWORD = "correct horse battery"
PAGE = "/console/acme/shop/people"

Ctx = Context[NoSettings]


def make_shop() -> Extension[NoSettings]:
    """An extension with a page of two rows, one of which has a button that fails."""
    shop = Extension("shop")

    @shop.on(ContactCreated)
    def greet(event: ContactCreated, ctx: Ctx) -> None:
        ctx.skip(f"<b>{event.contact.name}</b> is known")

    def act(ctx: Ctx, action: str, key: str) -> None:
        if key == "bad":
            raise Conflict("the row is held", account="acme", remedy="Wait.")
        ctx.crm.tasks.create(Task(text=f"{action} {key}", due=ctx.now))
        ctx.explain(f"made for <i>{key}</i>")

    def more(ctx: Ctx, key: str) -> Sequence[str]:
        return [f"more of {key}", "see https://acme.example/1"]

    @shop.panel("people", "Люди / People", act=act, open_=more)
    def people(ctx: Ctx) -> PanelData:
        return PanelData(
            columns=["who", "where"],
            rows=[
                Row("good", ("<script>alert(1)</script>", Ref("acme", Kind.CONTACT, "7")), ("first",)),
                Row("bad", ("Bad", None), (), ("greet",)),
            ],
            actions={"greet": "Greet", "leave": "Leave alone"},
            summary="two rows",
        )

    @shop.long_panel("orders", "Заказы / Orders", act=act)
    def orders(ctx: Ctx, view: View) -> PanelData:
        keys = [view.key] if view.key else [f"order{number}" for number in range(5)]
        start = keys.index(view.after) + 1 if view.after else 0
        rows = [Row(key, (f"Order {key[-1]}",), ("its line",)) for key in keys[start : start + 2]]
        return PanelData(["what"], rows, {"greet": "Greet"}, next=rows[-1].key if start + 2 < len(keys) else "")

    return shop


class Visitor:
    """Somebody with a browser."""

    def __init__(self, desk: Bench, client: FlaskClient) -> None:
        self.desk = desk
        self.client = client

    def enter(self, password: str = PASSWORD) -> TestResponse:
        """Type the password."""
        return self.client.post("/console/login", data={"password": password})

    def read(self, path: str) -> str:
        """The text of a page."""
        return self.client.get(path, follow_redirects=True).get_data(as_text=True)

    def token(self) -> str:
        """What the forms of the page bring."""
        found = re.search(r'name="token" value="([0-9a-f]+)"', self.read(PAGE))
        assert found is not None
        return found[1]

    def press(self, key: str, action: str = "greet", token: str | None = None) -> TestResponse:
        """Press a button."""
        data = {"key": key, "action": action, "token": self.token() if token is None else token}
        return self.client.post(PAGE, data=data)


@contextmanager
def visiting(
    language: Literal["ru", "en"] = "en", mode: Literal["apply", "plan"] = "apply", password: str | None = PASSWORD
) -> Iterator[Visitor]:
    """A service with a console, and somebody at its door."""
    with bench(make_shop(), "memory", language=language, mode=mode) as desk:
        ingest = Ingest(desk.service)
        try:
            yield Visitor(desk, create_app(desk.service, ingest, None, password).test_client())
        finally:
            ingest.close()


@pytest.fixture
def visitor() -> Iterator[Visitor]:
    """Somebody at the door of a console in English."""
    with visiting() as one:
        yield one


def test_without_a_password_there_is_no_console() -> None:
    """Every address of it is an address that does not exist."""
    with visiting(password=None) as one:
        assert [one.client.get(path).status_code for path in ("/console/", "/console/login", PAGE)] == [404] * 3


@pytest.mark.parametrize("path", ["/console/", "/console/runs", PAGE, f"{PAGE}/row?key=good", "/console/no/such/page"])
def test_strangers_are_sent_to_the_door(visitor: Visitor, path: str) -> None:
    """Whatever they ask for, whether it exists or not."""
    answer = visitor.client.get(path)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/console/login")


def test_strangers_press_no_buttons(visitor: Visitor) -> None:
    """A form that is sent without having come in does nothing."""
    answer = visitor.client.post(PAGE, data={"key": "good", "action": "greet", "token": ""})
    assert (answer.status_code, visitor.desk.tasks) == (303, [])


def test_the_password_opens_for_twelve_hours(visitor: Visitor) -> None:
    """Then it is asked for again."""
    entered = visitor.enter()
    inside = visitor.client.get("/console/").status_code
    visitor.desk.advance(timedelta(hours=12, minutes=1))

    assert (entered.status_code, inside, visitor.client.get("/console/").status_code) == (303, 200, 303)


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(visitor: Visitor) -> None:
    """It belongs to the console alone; changed by a sign, it opens nothing."""
    cookie = visitor.enter().headers["Set-Cookie"]
    name, _, value = cookie.partition(";")[0].partition("=")
    forged = value[:-1] + ("0" if value[-1] != "0" else "1")
    visitor.client.set_cookie(name, forged, path="/console")

    assert all(word in cookie for word in ("HttpOnly", "SameSite=Strict", "Path=/console"))
    assert visitor.client.get("/console/").status_code == 303


def test_after_wrong_passwords_none_is_looked_at(visitor: Visitor) -> None:
    """Not even the right one, for a minute."""
    wrong = [visitor.enter(f"guess number {number}").status_code for number in range(6)]
    right_too_soon = visitor.enter().status_code
    visitor.desk.advance(timedelta(seconds=61))

    assert (wrong, right_too_soon) == ([403] * 5 + [429], 429)
    assert visitor.enter().status_code == 303


def test_signing_out_forgets_the_session(visitor: Visitor) -> None:
    """The next page asks for the password."""
    visitor.enter()
    visitor.client.post("/console/logout", data={"token": visitor.token()})
    assert visitor.client.get("/console/").status_code == 303


def test_pages_are_listed_by_account(visitor: Visitor) -> None:
    """With their titles in the service's language."""
    visitor.enter()
    assert f'<a href="{PAGE}">People</a>' in visitor.read("/console/")
    with visiting("ru") as russian:
        russian.enter()
        assert f'<a href="{PAGE}">Люди</a>' in russian.read("/console/")


def test_a_page_shows_rows_and_the_buttons_that_fit(visitor: Visitor) -> None:
    """What stands in a cell is text, whatever it holds."""
    visitor.enter()
    page = visitor.read(PAGE)

    assert "two rows" in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script" not in page
    assert "contact 7" in page
    assert (page.count('value="greet">Greet'), page.count('value="leave">Leave alone')) == (2, 1)


def test_a_long_page_is_turned(visitor: Visitor) -> None:
    """Each part has its rows and the way on and back; a row and its button lead back to the part they stand in."""
    visitor.enter()
    orders = "/console/acme/shop/orders"
    parts = [visitor.read(orders + query) for query in ("", "?after=order1", "?after=order3")]
    row = visitor.read(f"{orders}/row?key=order2&after=order1")
    data = {"key": "order2", "action": "greet", "after": "order1", "token": visitor.token()}
    pressed = visitor.client.post(orders, data=data)
    nexts = ("order1", "order3", "order4")

    assert [re.findall(r"<td class=\"short\">(Order .)</td>", part) for part in parts] == [
        ["Order 0", "Order 1"], ["Order 2", "Order 3"], ["Order 4"],
    ]  # fmt: skip
    assert ["To the first" in part for part in parts] == [False, True, True]
    assert [f'href="{orders}?after={after}"' in part for part, after in zip(parts, nexts, strict=True)] == [
        True, True, False,
    ]  # fmt: skip
    assert (f'href="{orders}?after=order1"' in row, "<li>its line</li>" in row) == (True, True)
    assert (pressed.headers["Location"], [task.text for task in visitor.desk.tasks]) == (
        f"{orders}?after=order1",
        ["greet order2"],
    )


def test_a_row_opens_to_all_that_is_told_of_it(visitor: Visitor) -> None:
    """Its own lines and those worked out for it; addresses are links; a row that is gone says so."""
    visitor.enter()
    row, gone = visitor.read(f"{PAGE}/row?key=good"), visitor.read(f"{PAGE}/row?key=other")

    assert [text in row for text in ("<li>first</li>", "<li>more of good</li>", 'href="https://acme.example/1"')] == [
        True
    ] * 3
    assert "This row is gone" in gone


def test_a_button_does_its_work_once_and_tells(visitor: Visitor) -> None:
    """What was decided stands on the next page and on no other; the run is kept like a command."""
    visitor.enter()
    answer = visitor.press("good")
    page, again = visitor.read(PAGE), visitor.read(PAGE)
    runs = visitor.read("/console/runs")

    assert (answer.status_code, [task.text for task in visitor.desk.tasks]) == (303, ["greet good"])
    assert ("made for &lt;i&gt;good&lt;/i&gt;" in page, "made for" in again) == (True, False)
    assert "people greet good" in runs


def test_a_button_that_fails_says_why(visitor: Visitor) -> None:
    """With the remedy; the run is kept as stopped."""
    visitor.enter()
    visitor.press("bad")

    assert "the row is held" in visitor.read(PAGE)
    assert [run.state for run in visitor.desk.runs if run.handler == "command:people"] == ["stopped"]


def test_a_form_that_is_not_ours_is_refused(visitor: Visitor) -> None:
    """Another site's form knows no token; one without an action of the page does nothing."""
    visitor.enter()
    answers = [visitor.press("good", token=token).status_code for token in ("", "0" * 64, "ю")]
    unknown = visitor.press("good", action="explode")

    assert (answers, unknown.status_code, visitor.desk.tasks) == ([403, 403, 403], 303, [])
    assert "has no action" in visitor.read(PAGE)


def test_plan_mode_is_said_and_kept() -> None:
    """A button plans instead of writing."""
    with visiting(mode="plan") as one:
        one.enter()
        said = "actions go into the plan" in one.read(PAGE)
        one.press("good")
        assert (said, one.desk.tasks, len(one.desk.plan)) == (True, [], 1)


def test_decisions_are_read_by_state(visitor: Visitor) -> None:
    """Why there is no task is the first question."""
    visitor.desk.person.add_contact("Мария")
    visitor.desk.settle()
    visitor.enter()

    assert "&lt;b&gt;Мария&lt;/b&gt; is known" in visitor.read("/console/runs")
    assert "is known" in visitor.read("/console/runs?state=skipped")
    assert "is known" not in visitor.read("/console/runs?state=dead")


def test_every_answer_is_hardened(visitor: Visitor) -> None:
    """No scripts, no frames, nothing from elsewhere, nothing kept by the browser."""
    visitor.enter()
    for path in ("/console/login", "/console/", PAGE, "/console/static/console.css"):
        headers: Any = visitor.client.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'; form-action 'self'")
        assert "frame-ancestors 'none'" in policy
        assert (headers["X-Content-Type-Options"], headers["Referrer-Policy"]) == ("nosniff", "same-origin")


def test_a_password_that_could_be_guessed_is_refused() -> None:
    """The start says what to do; none, or an empty one, means no console."""
    assert (password_of({}), password_of({"CRMKIT_CONSOLE_PASSWORD": ""})) == (None, None)
    assert password_of({"CRMKIT_CONSOLE_PASSWORD": PASSWORD}) == PASSWORD
    with pytest.raises(ConfigError, match="shorter than 12 signs"):
        password_of({"CRMKIT_CONSOLE_PASSWORD": "secret"})


def test_unknown_pages_do_not_exist(visitor: Visitor) -> None:
    """Neither another extension's nor another account's."""
    visitor.enter()
    paths = ("/console/acme/shop/others", "/console/best/shop/people", "/console/acme/none/people")
    assert [visitor.client.get(path).status_code for path in paths] == [404] * 3
