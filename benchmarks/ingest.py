"""Durable ingest beside a bare Flask 200: one server, one generator, rounds in turn; prints the ratio and the tail.

    python benchmarks/ingest.py [--seconds 4] [--rounds 3] [--connections 16]

Both applications run in waitress with the same threads, each in a process of its own; a third process sends the same
hook body over open connections. Only the ratio inside one run means anything.
"""

from __future__ import annotations

import argparse
import multiprocessing
import selectors
import socket
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

import waitress
from flask import Flask

from crmkit import Extension
from crmkit.settings import ServiceConfig
from crmkit.values import Kind
from crmkit_runtime.database import Database
from crmkit_runtime.ingest import Ingest
from crmkit_runtime.logs import configure
from crmkit_runtime.migrations import migrate
from crmkit_runtime.service import Service
from crmkit_runtime.web import create_app

THREADS = 32


def body() -> bytes:
    """A deal's change as amoCRM posts it: about 2.5 kB of nested form fields, most of them Cyrillic."""
    fields: dict[str, str] = {
        "account[subdomain]": "bench",
        "account[id]": "30201",
        "leads[update][0][id]": "7704411",
        "leads[update][0][name]": "Поставка оборудования для цеха розлива",
        "leads[update][0][status_id]": "142",
        "leads[update][0][pipeline_id]": "3310",
        "leads[update][0][price]": "184500",
        "leads[update][0][updated_at]": "1794000000",
    }
    for index, text in enumerate(("Москва, улица Лесная, 5", "Повторно", "Ждёт договор", "Опт", "Тёплый", "Сайт")):
        place = f"leads[update][0][custom_fields][{index}]"
        fields |= {
            f"{place}[id]": str(900 + index),
            f"{place}[name]": "Дополнительно",
            f"{place}[values][0][value]": text,
        }
    return "&".join(f"{quote(name)}={quote(value)}" for name, value in fields.items()).encode()


def bare() -> tuple[Flask, str]:
    """An application that answers 200 and does nothing."""
    app = Flask("bare", static_folder=None)
    app.add_url_rule("/hooks/<sender>/<account>/<secret>", view_func=lambda **_: "", methods=["POST"])
    return app, "/hooks/amocrm/bench/secret"


def durable() -> tuple[Flask, str]:
    """A service as it runs in production: parsing, storing, logging."""
    folder = Path(tempfile.mkdtemp(prefix="crmkit-bench-"))
    configure(is_json=True, stream=(folder / "log").open("w"))
    account = {"vendor": "amocrm", "base_url": "https://bench.amocrm.ru"}
    config = ServiceConfig(database=str(folder / "bench.sqlite3"), accounts={"bench": account})
    database = Database(config.database)
    migrate(database, {})
    reader = Extension("bench", reads={Kind.DEAL})
    service = Service.open(config, environment={"CRMKIT_BENCH_TOKEN": "none"}, extensions=[reader])
    return create_app(service, Ingest(service)), service.hook_path("bench", "amocrm")


def serve(make: Callable[[], tuple[Flask, str]], pipe: Pipe) -> None:
    """Run an application on a free port and tell port and path."""
    app, path = make()
    server = waitress.create_server(app, host="127.0.0.1", port=0, threads=THREADS)
    pipe.send((server.effective_port, path))
    server.run()


def load(port: int, path: str, connections: int, seconds: float, pipe: Pipe) -> None:
    """Send over `connections` open connections for so long; tells the seconds of each answer."""
    content = body()
    head = f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    request = f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content
    ready = selectors.DefaultSelector()
    for _ in range(connections):
        link = socket.create_connection(("127.0.0.1", port))
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        ready.register(link, selectors.EVENT_READ, [time.perf_counter()])
        link.sendall(request)
    took: list[float] = []
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        for key, _ in ready.select(0.1):
            link = cast("socket.socket", key.fileobj)
            answer = link.recv(65536)
            if not answer.startswith(b"HTTP/1.1 200"):
                raise SystemExit(f"answered {answer[:80]!r}")
            now = time.perf_counter()
            took.append(now - key.data[0])
            key.data[0] = now
            link.sendall(request)
    pipe.send(took)


def start(target: Callable[..., None], *args: object) -> tuple[Any, multiprocessing.Process]:
    """What a new process tells first, and the process."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=target, args=(*args, there), daemon=True)
    process.start()
    return here.recv(), cast("multiprocessing.Process", process)


def show(name: str, rounds: Sequence[Sequence[float]], seconds: float) -> float:
    """Print a line, give the median rate."""
    rates = [len(took) / seconds for took in rounds]
    everything = sorted(took for one in rounds for took in one)
    p50, p99 = (everything[int(len(everything) * share)] * 1000 for share in (0.5, 0.99))
    tail = f"p50 {p50:6.1f} ms   p99 {p99:6.1f} ms"
    print(f"{name:<8} {statistics.median(rates):8.0f}/s   {tail}   rounds {[round(rate) for rate in rates]}")
    return statistics.median(rates)


def main() -> None:
    """Run the rounds and print what was seen."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--seconds", type=float, default=4.0)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--connections", type=int, default=16)
    chosen = options.parse_args()
    servers = {make.__name__: start(serve, make) for make in (bare, durable)}
    results: dict[str, list[list[float]]] = {name: [] for name in servers}
    for number in range(chosen.rounds + 1):
        for name, ((port, path), _) in servers.items():
            took, process = start(load, port, path, chosen.connections, 1.0 if number == 0 else chosen.seconds)
            process.join()
            if number:
                results[name].append(took)
    plain, stored = (show(name, rounds, chosen.seconds) for name, rounds in results.items())
    print(f"ratio    {stored / plain:.2f} of a bare Flask 200 (bar 0.40), body of {len(body())} bytes")
    for _, process in servers.values():
        process.terminate()
        process.join()


if __name__ == "__main__":
    main()
