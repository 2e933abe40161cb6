"""What tests of the command line stand on: the command in process, and a small service beside an emulated CRM."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from crmkit_cli.main import main
from crmkit_cli.opening import read_config
from crmkit_runtime.service import Service
from crmkit_runtime.worker import Worker
from crmkit_sandbox import Sandbox

PHONE = "+79161234567"
EXTENSION = '''"""An extension with a handler and two commands."""

from collections.abc import Iterator, Sequence

from crmkit import CallFinished, Capability, Context, Extension, Task
from crmkit.extension import Progress, Said
from crmkit.settings import NoSettings

{name} = Extension("{title}", requires={{Capability.TASKS}})


@{name}.on(CallFinished)
def missed(event: CallFinished, ctx: Context[NoSettings]) -> None:
    """A task for each missed call."""
    if not event.call.missed:
        return ctx.skip("answered")
    task = Task(about=event.call.contact, text="Call back", due=ctx.now)
    ctx.crm.tasks.create(task, once=f"call:{{event.call.ref.id}}")
    return ctx.explain("missed")


@{name}.command("greet", "Make a task on a contact.")
def greet(ctx: Context[NoSettings], words: Sequence[str]) -> Iterator[str]:
    """A task for the first contact."""
    contact = next(iter(ctx.crm.contacts.iterate()))
    ctx.explain("asked by a person")
    yield f"task {{ctx.crm.tasks.create(Task(about=contact.ref, text=' '.join(words), due=ctx.now))}}"


@{name}.command("fail", "Break off.")
def fail(ctx: Context[NoSettings], words: Sequence[str]) -> Iterator[str]:
    """Nothing."""
    yield "begun"
    raise RuntimeError("broken")


@{name}.command("long", "Take its time.")
def long(ctx: Context[NoSettings], words: Sequence[str]) -> Iterator[Said]:
    """Two steps and a line between them."""
    yield Progress("first", 1, 2)
    yield "half"
    yield Progress("second", 2, 2)
'''


@dataclass(frozen=True)
class Said:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]


Cli = Callable[..., Said]


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Cli]:
    """Runs `crmkit ...` in this process, in English; what it does to the process is undone."""
    environment, path = dict(os.environ), list(sys.path)
    level = logging.getLogger("crmkit_runtime").level
    for name in list(os.environ):
        if name.startswith("CRMKIT_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("CRMKIT_LANG", "en")

    def call(*words: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["crmkit", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        code = ended.value.code
        return Said(code if isinstance(code, int) else 0, printed.out, printed.err)

    yield call
    logging.getLogger("crmkit_runtime").setLevel(level)
    sys.path[:] = path
    os.environ.clear()
    os.environ.update(environment)


@dataclass(frozen=True)
class Shop:
    """A service with one account at an emulated CRM, in a folder of its own."""

    folder: Path
    sandbox: Sandbox
    cli: Cli

    @property
    def config(self) -> Path:
        """Its crmkit.toml."""
        return self.folder / "crmkit.toml"

    def say(self, command: str, *words: str) -> Said:
        """What `crmkit command --config ... words` does."""
        return self.cli(command, "--config", str(self.config), *words)

    def work(self) -> None:
        """Do everything that is due, as a running service would."""
        service = Service.open(read_config(self.config))
        try:
            Worker(service).drain()
        finally:
            service.close()

    @property
    def tasks(self) -> Sequence[str]:
        """Texts of the account's tasks."""
        return [task["text"] for task in self.sandbox.amocrm.tasks.values()]

    def set_mode(self, mode: str) -> None:
        """Let the extension apply or plan from now on."""
        text = self.config.read_text()
        self.config.write_text(text.replace('mode = "apply"', f'mode = "{mode}"'))


def write_config(folder: Path, base_url: str, extension: str, service: Mapping[str, str] | None = None) -> None:
    """A service with the account `acme` and one extension."""
    own = "\n".join(f"{name} = {json.dumps(value)}" for name, value in (service or {}).items())
    (folder / "crmkit.toml").write_text(
        f"""[service]
database = "{folder}/shop.sqlite3"
mode = "apply"
{own}

[accounts.acme]
vendor = "amocrm"
base_url = "{base_url}"

[extensions."{extension}"]
""",
        encoding="utf-8",
    )


@pytest.fixture
def shop(tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """A migrated service, connected, with one contact in its CRM."""
    name = f"shop_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(EXTENSION.format(name=name, title="shop"), encoding="utf-8")
    with Sandbox(vendors=("amocrm",)) as sandbox:
        # Seven requests a second would be waited for in each test; the budget is tested elsewhere.
        sandbox.amocrm.limits.enabled = False
        monkeypatch.setattr("crmkit_amocrm.auth.limits", lambda settings: ())
        sandbox.amocrm.add_contact(name="Maria", phones=[PHONE], hooks=False)
        monkeypatch.setenv("CRMKIT_ACME_TOKEN", sandbox.amocrm.token)
        write_config(tmp_path, sandbox.amocrm.base_url, f"{name}:{name}")
        found = Shop(tmp_path, sandbox, cli)
        assert found.say("migrate").code == 0
        found.work()
        yield found
    sys.modules.pop(name, None)
