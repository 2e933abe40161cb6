"""A stranger's first hour: scaffold, test, type-check, start, make it happen, stop."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

PATIENCE_S = 60.0


def environment(language: str) -> dict[str, str]:
    """Ours, without what crmkit reads from it, and with a reader's language."""
    return {name: value for name, value in os.environ.items() if not name.startswith("CRMKIT_")} | {
        "CRMKIT_LANG": language,
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def run(folder: Path, *words: str, language: str = "en", **variables: str) -> subprocess.CompletedProcess[str]:
    """A module of this interpreter's environment, run in a folder."""
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        env=environment(language) | variables,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(question: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Wait for the answer yes; whoever dies meanwhile is told of."""
    limit = time.monotonic() + PATIENCE_S
    while not question():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < limit, "it took too long"
        time.sleep(0.05)


@contextmanager
def dev(folder: Path, port: int, sandbox_port: int) -> Iterator[subprocess.Popen[str]]:
    """`crmkit dev` on two free ports; killed when the test has failed to stop it."""
    command = [sys.executable, "-m", "crmkit_cli", "dev", "--port", str(port), "--sandbox-port", str(sandbox_port)]
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environment("en"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def is_ready(port: int) -> bool:
    """The service stores and works."""
    try:
        return requests.get(f"http://127.0.0.1:{port}/readyz", timeout=5).status_code == 200
    except requests.ConnectionError:
        return False


def state(sandbox_port: int, vendor: str = "amocrm") -> dict[str, Any]:
    """The emulated account."""
    address = f"http://127.0.0.1:{sandbox_port}/_sandbox/state"
    found: dict[str, Any] = requests.get(address, params={"vendor": vendor}, timeout=10).json()
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("language", "name", "vendor"), [("en", "my-app", "amocrm"), ("ru", "x1", "bitrix24"), ("ru", "shop", "retailcrm")]
)
def test_a_scaffolded_app_passes_its_own_checks(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, language: str, name: str, vendor: str
) -> None:
    """Its tests pass and mypy --strict is clean before anything was written in it, in either language, on any CRM."""
    cache = tmp_path_factory.getbasetemp() / "mypy"
    assert run(tmp_path, "crmkit_cli", "new", name, "--vendor", vendor, language=language).returncode == 0

    tests = run(tmp_path / name, "pytest", "-q", "-p", "no:cacheprovider", language=language)
    types = run(tmp_path / name, "mypy", "--cache-dir", str(cache), language=language)

    assert tests.returncode == 0, tests.stdout
    assert "4 passed" in tests.stdout
    assert (types.returncode, types.stdout) == (0, "Success: no issues found in 5 source files\n")


@pytest.mark.slow
def test_a_scaffolded_app_makes_one_task_of_three_hooks(tmp_path: Path) -> None:
    """Started with one command, it serves a missed call that the CRM tells of three times, and stops when asked."""
    assert run(tmp_path, "crmkit_cli", "new", "a").returncode == 0
    folder, port, sandbox_port = tmp_path / "a", free_port(), free_port()
    with dev(folder, port, sandbox_port) as process:
        until(lambda: is_ready(port), process)
        until(lambda: bool(state(sandbox_port)["webhooks"]), process)
        ports = ("--port", str(port), "--sandbox-port", str(sandbox_port))
        assert run(folder, "crmkit_cli", "dev", *ports).returncode == 2, "a second one leaves all to the first"
        before = {task["id"] for task in state(sandbox_port)["tasks"]}

        sandbox = f"http://127.0.0.1:{sandbox_port}"
        done = run(folder, "crmkit_cli", "trigger", "call.missed", "--times", "3", "--sandbox", sandbox)
        assert done.returncode == 0, done.stderr
        until(lambda: len(state(sandbox_port)["tasks"]) > len(before), process)
        assert requests.post(f"{sandbox}/_sandbox/settle", json={}, timeout=10).json() == {"is_settled": True}

        hooks = requests.get(f"{sandbox}/_sandbox/deliveries", timeout=10).json()["deliveries"]
        notes = [hook for hook in hooks if hook["event"].startswith("note_")]
        made = [task["text"] for task in state(sandbox_port)["tasks"] if task["id"] not in before]
        decided = run(folder, "crmkit_cli", "replay", "--list", CRMKIT_DEV="1").stdout
        rights = (folder / ".crmkit-dev.json").stat().st_mode & 0o777
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=PATIENCE_S)

    assert "missed call" in decided, "other commands find the running service"
    assert (rights, (folder / ".crmkit-dev.json").exists()) == (0o600, False)
    assert [hook["status"] for hook in notes] == [200, 200, 200]
    assert made == ["Call back +79010000000"]
    assert process.returncode == 0, said
    assert "Traceback" not in said
    runs = run(folder, "crmkit_cli", "replay", "--list", "--config", "crmkit.toml").stderr
    assert "Run crmkit migrate." in runs, "the service's own database must stay untouched by `crmkit dev`"


@pytest.mark.slow
def test_a_scaffolded_app_serves_a_shop_whose_calls_come_from_ringostat(tmp_path: Path) -> None:
    """What `crmkit dev` says is what makes the call; the shop's triggers reach the service as well."""
    assert run(tmp_path, "crmkit_cli", "new", "a", "--vendor", "retailcrm").returncode == 0
    folder, port, sandbox_port = tmp_path / "a", free_port(), free_port()
    with dev(folder, port, sandbox_port) as process:
        until(lambda: is_ready(port), process)
        until(lambda: bool(state(sandbox_port, "retailcrm")["triggers"]), process)
        assert process.stdout is not None
        told = next(line for line in process.stdout if line.startswith("Make a call: "))
        before = {task["id"] for task in state(sandbox_port, "retailcrm")["tasks"]}

        sandbox = f"http://127.0.0.1:{sandbox_port}"
        made = run(folder, "crmkit_cli", "trigger", "deal.created", "--sandbox", sandbox)
        done = run(folder, "crmkit_cli", *told.split("crmkit ")[1].split())
        assert (made.returncode, done.returncode) == (0, 0), done.stderr
        until(lambda: len(state(sandbox_port, "retailcrm")["tasks"]) > len(before), process)
        assert requests.post(f"{sandbox}/_sandbox/settle", json={}, timeout=10).json() == {"is_settled": True}

        hooks = requests.get(f"{sandbox}/_sandbox/deliveries", timeout=10).json()["deliveries"]
        tasks = [task["text"] for task in state(sandbox_port, "retailcrm")["tasks"] if task["id"] not in before]
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=PATIENCE_S)

    assert {(hook["event"], hook["status"]) for hook in hooks} == {("order.create", 200), ("task.create", 200)}
    assert tasks == ["Call back +79020000000"]
    assert process.returncode == 0, said
    assert "Traceback" not in said
