"""The web application as a WSGI callable: `waitress-serve app:application`, or any other server.

`crmkit run` serves the same application and the workers in one process. Use this file when you add routes of your own,
with `crmkit run --worker-only` beside it.
"""

from pathlib import Path

from crmkit.settings import load_config
from crmkit_runtime.ingest import Ingest
from crmkit_runtime.service import Service
from crmkit_runtime.web import create_app

service = Service.open(load_config(Path(__file__).with_name("crmkit.toml")))
application = create_app(service, Ingest(service))
