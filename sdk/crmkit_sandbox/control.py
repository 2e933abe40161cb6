"""The control API under /_sandbox: what tests do in process, for other processes and languages."""

import inspect
from collections.abc import Callable
from typing import Any, Protocol

from flask import Flask, Response, abort, jsonify, render_template, request
from werkzeug.exceptions import HTTPException

from .clock import Clock
from .faults import Faults
from .vendor import Vendor
from .wire import Row
from .world import World


class Controlled(Protocol):
    """The side of a sandbox that the control API sees."""

    world: World
    clock: Clock
    faults: Faults
    vendors: dict[str, Vendor]
    latency_s: float

    def reset(self) -> None:
        """Return to accounts without records."""

    def settle(self, timeout: float = 5.0) -> bool:
        """Wait for the hooks in flight."""


def make_front(sandbox: Controlled) -> Flask:
    """The page that lists the vendors, and the control API."""
    app = Flask(__name__, static_folder=None)
    app.json.ensure_ascii = False  # type: ignore[attr-defined]  # Flask's default provider has it

    @app.get("/")
    def index() -> str:
        return render_template("index.html", vendors=sandbox.vendors.values(), is_frozen=sandbox.clock.is_frozen)

    @app.errorhandler(HTTPException)
    def refuse(error: HTTPException) -> tuple[Response, int]:
        return jsonify(error=error.description, path=request.path), error.code or 500

    _add_orders(app, sandbox)
    _add_views(app, sandbox)
    return app


def _add_orders(app: Flask, sandbox: Controlled) -> None:
    orders: dict[str, Callable[[Row], Any]] = {
        "reset": lambda _: sandbox.reset(),
        "seed": lambda body: _vendor(sandbox, body.pop("vendor", None)).seed(**body),
        "snapshot": lambda body: sandbox.world.snapshot(body.get("name", "default")),
        "restore": lambda body: _restore(sandbox, body),
        "clock": lambda body: _turn(sandbox.clock, body),
        "faults": lambda body: _plan(sandbox.faults, body),
        "latency": lambda body: setattr(sandbox, "latency_s", float(body["seconds"])),
        "limits": lambda body: _limit(_vendor(sandbox, body.pop("vendor", None)), body),
        "settle": lambda body: {"is_settled": sandbox.settle(float(body.get("timeout", 5)))},
    }

    @app.post("/_sandbox/<order>")
    def obey(order: str) -> Response:
        if order not in orders:
            abort(404, f"no such order; there are {', '.join(orders)}")
        return jsonify(_try(lambda: orders[order](_body())) or {"ok": True})

    @app.post("/_sandbox/<key>/do/<action>")
    def act(key: str, action: str) -> Response:
        actions = _vendor(sandbox, key).actions()
        if action not in actions:
            abort(404, f"nobody can do {action!r}; there are {', '.join(actions)}")
        return jsonify({"result": _try(lambda: _call(actions[action], _body()))})


def _add_views(app: Flask, sandbox: Controlled) -> None:
    def asked() -> Vendor:
        return _vendor(sandbox, request.args.get("vendor"))

    @app.get("/_sandbox/state")
    def state() -> Response:
        with sandbox.world.lock:
            return jsonify({"now": sandbox.clock.now(), **asked().records()})

    @app.get("/_sandbox/deliveries")
    def deliveries() -> Response:
        return jsonify(deliveries=asked().deliveries_rows())

    @app.get("/_sandbox/requests")
    def requests() -> Response:
        limits = asked().limits
        return jsonify(requests=asked().requests.rows(), refused=limits.refused, highest=limits.highest)


def _vendor(sandbox: Controlled, key: str | None) -> Vendor:
    if key is None and len(sandbox.vendors) == 1:
        return next(iter(sandbox.vendors.values()))
    if key not in sandbox.vendors:
        abort(404, f"name a vendor: {', '.join(sandbox.vendors)}")
    return sandbox.vendors[key]


def _body() -> Row:
    body = request.get_json(silent=True) if request.content_length else {}
    if not isinstance(body, dict):
        abort(400, "send a JSON object")
    return body


def _try(order: Callable[[], Any]) -> Any:
    try:
        return order()
    except (TypeError, ValueError, KeyError) as error:
        abort(400, f"{type(error).__name__}: {error}")


def _call(action: Callable[..., Any], body: Row) -> Any:
    # "id" is what a caller in JSON knows; the methods name it lead_id, contact_id and so on.
    if "id" in body:
        body[next(iter(inspect.signature(action).parameters))] = body.pop("id")
    return action(**body)


def _turn(clock: Clock, body: Row) -> Row:
    if "freeze" in body:
        at = body["freeze"]
        clock.freeze(None if at in (None, True) else float(at))
    if "advance" in body:
        clock.advance(float(body["advance"]))
    if body.get("release"):
        clock.release()
    return {"now": clock.now(), "is_frozen": clock.is_frozen}


def _plan(faults: Faults, body: Row) -> None:
    if body.pop("clear", False):
        faults.clear()
    if "down" in body:
        faults.down(body["vendor"], bool(body["down"]))
    elif body:
        faults.add(**body)


def _limit(vendor: Vendor, body: Row) -> None:
    for name in ("enabled", "per_second", "burst", "retry_after", "ban_after"):
        if name in body:
            setattr(vendor.limits, name, body[name])
    vendor.limits.reset()


def _restore(sandbox: Controlled, body: Row) -> None:
    sandbox.world.restore(body.get("name", "default"))
