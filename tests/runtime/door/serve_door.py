"""A web process over the service that a test has laid out: `DATABASE`; prints port and path, then serves."""

from __future__ import annotations

import os
import sys

import waitress.server

from crmkit.extension import Extension
from crmkit.settings import ServiceConfig
from crmkit.testing.memory import MemoryAdapter
from crmkit.values import Kind
from crmkit_runtime.ingest import Ingest
from crmkit_runtime.service import Service
from crmkit_runtime.web import create_app

config = ServiceConfig.model_validate({"database": sys.argv[1], "accounts": {"acme": {"vendor": "memory"}}})
reader = Extension("reader", reads={Kind.DEAL})
service = Service.open(config, environment={}, extensions=[reader], adapters={"memory": MemoryAdapter()})
server = waitress.server.create_server(create_app(service, Ingest(service)), host="127.0.0.1", port=0, threads=8)
print(server.effective_port, service.hook_path("acme", "memory"), os.getpid(), flush=True)
server.run()
