"""What monitoring asks: does it live, does it work, how much waits."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import text

from crmkit.errors import VendorDown
from crmkit_runtime import pause
from crmkit_runtime.database import to_us, upsert
from crmkit_runtime.health import WORKER
from crmkit_runtime.metrics import Metrics, is_wanted
from crmkit_runtime.tables import lease
from crmkit_runtime.web import create_app

Door = Any


def beat(door: Door) -> None:
    """What a worker writes while it lives."""
    until = to_us(door.service.clock.now() + timedelta(seconds=30))
    with door.service.database.write() as tx:
        upsert(tx, lease, {"name": f"{WORKER}one", "owner": "one", "until": until}, conflict=["name"])


def ready(door: Door) -> tuple[int, object]:
    answer = create_app(door.service, door.ingest).test_client().get("/readyz")
    return answer.status_code, answer.json


def test_ready(door: Door) -> None:
    """With a worker's heartbeat and a current schema the service works."""
    beat(door)
    assert ready(door) == (200, {"ready": True, "faults": [], "paused": {}})


def test_without_a_worker_it_is_not_ready(door: Door) -> None:
    """A heartbeat that has run out is no worker: deliveries would be stored and not handled."""
    beat(door)
    door.world.clock.advance(timedelta(seconds=31))
    assert ready(door) == (503, {"ready": False, "faults": ["no worker is running"], "paused": {}})


def test_a_schema_of_another_release(door: Door) -> None:
    """A database that was migrated by a newer release is named."""
    with door.service.database.write() as tx:
        tx.execute(text("update alembic_version set version_num = '9999'"))
    assert ready(door) == (503, {"ready": False, "faults": ["the schema is ahead"], "paused": {}})


def test_paused_accounts_are_named(door: Door) -> None:
    """An account whose CRM is away is named with its time; the service is ready all the same."""
    beat(door)
    with door.service.database.write() as tx:
        pause.pause(tx, "acme", VendorDown("no answer"), door.service.clock.now())
    assert ready(door) == (200, {"ready": True, "faults": [], "paused": {"acme": "2026-03-02T09:00:01+00:00"}})


def test_health_follows_the_writer(door: Door) -> None:
    """A process that cannot store deliveries any more says so, in both answers."""
    beat(door)
    client = create_app(door.service, door.ingest).test_client()
    alive = client.get("/healthz").status_code
    door.ingest.close()
    assert (alive, client.get("/healthz").status_code) == (200, 503)
    assert ready(door)[1] == {
        "ready": False,
        "faults": ["deliveries are not stored: restart this process"],
        "paused": {},
    }


def test_metrics_count_what_was_answered(door: Door) -> None:
    """Deliveries by answer, what waits by account, and no id, phone or secret in any label."""
    metrics = Metrics(door.service)
    client = create_app(door.service, door.ingest, metrics).test_client()
    client.post(door.path_of(), data=door.hook(1, 2))
    client.post(door.path_of(), data=door.hook(1, account="other"))
    client.post(door.path_of("exchange"), data=b"call=1")
    client.post("/hooks/memory/acme/guess", data=b"")
    door.world.clock.advance(timedelta(seconds=90))
    with door.service.database.write() as tx:
        pause.pause(tx, "other", VendorDown("no answer"), door.service.clock.now())
    said = client.get("/metrics").text
    values = dict(line.rsplit(" ", 1) for line in said.splitlines() if not line.startswith("#"))
    wanted = {
        'crmkit_deliveries_total{account="acme",sender="memory",status="200"}': 1,
        'crmkit_deliveries_total{account="acme",sender="memory",status="403"}': 1,
        'crmkit_deliveries_total{account="acme",sender="exchange",status="200"}': 1,
        'crmkit_hints{account="acme"}': 2,
        'crmkit_runs{account="acme",extension="listener",state="queued"}': 1,
        'crmkit_oldest_run_seconds{account="acme",extension="listener"}': 90,
        'crmkit_account_paused{account="acme"}': 0,
        'crmkit_account_paused{account="other"}': 1,
    }
    assert {name: float(values[name]) for name in wanted} == wanted
    assert [word for word in ("guess", "+7916", door.service.hook_secret("acme")) if word in said] == []


def test_metrics_are_off_by_default(door: Door) -> None:
    """They are opened by the config or by CRMKIT_METRICS=1 only."""
    opened = door.service.config.model_copy(update={"metrics": True})
    by_default = is_wanted(door.service, {}), is_wanted(door.service, {"CRMKIT_METRICS": "1"})
    door.service.config = opened
    assert (*by_default, is_wanted(door.service, {})) == (False, True, True)
