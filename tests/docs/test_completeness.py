"""The docs are whole: what can be set, called, required or go wrong stands on its page, and links lead somewhere."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from crmkit import CrmKitError, errors, registry
from crmkit.adapter import Capability
from crmkit.settings import AccountSettings, ExtensionConfig, Rollout, ServiceConfig, ServiceTable, is_secret
from crmkit.source import SourceSettings
from crmkit_amocrm.auth import AmoCrmSettings
from crmkit_cli.main import COMMANDS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
OPERATING = (DOCS / "operating.md").read_text(encoding="utf-8")
PAGES = (*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md")))


def section(text: str, heading: str) -> str:
    """What stands under a heading, up to the next one of its level or above."""
    level = heading.partition(" ")[0]
    _, _, rest = text.partition(f"\n{heading}\n")
    assert rest, f"there is no heading {heading!r}"
    return re.split(rf"^#{{1,{len(level)}}} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def rows(text: str) -> list[list[str]]:
    """The cells of every table row."""
    lines = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| ---")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def keys(text: str) -> set[str]:
    """What stands between backticks in the first column of the tables."""
    return {key for row in rows(text) for key in re.findall(r"`([^`]+)`", row[0])}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    """A relative link is a file or a folder of the project, and its anchor a heading there."""
    dead = []
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        there = (page.parent / name).resolve() if name else page
        headings = re.findall(r"^#+ (.*)$", there.read_text(encoding="utf-8"), re.MULTILINE) if there.is_file() else []
        slugs = {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}
        if not there.exists() or (anchor and anchor not in slugs):
            dead.append(target)
    assert dead == []


def test_every_page_is_reached_from_the_readme() -> None:
    """A reader finds each page by following links, in either language."""
    for readme in ("README.md", "README.en.md"):
        seen, waiting = set(), [ROOT / readme]
        while waiting:
            page = waiting.pop()
            if page in seen or not page.is_file() or page.suffix != ".md":
                continue
            seen.add(page)
            for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
                there = (page.parent / target).resolve()
                waiting += sorted(there.glob("*.md")) if there.is_dir() else [there]
        assert sorted(str(page.relative_to(ROOT)) for page in DOCS.rglob("*.md") if page not in seen) == []


def test_every_key_of_the_service_is_explained() -> None:
    """The table under [service] has exactly the keys that crmkit.toml may have there."""
    assert keys(section(OPERATING, "### [service]")) == set(ServiceTable.model_fields)
    assert set(ServiceConfig.model_fields) - set(ServiceTable.model_fields) == {"accounts", "extensions"}


def test_every_key_of_an_account_is_explained() -> None:
    """The tables under [accounts.NAME] have the keys of every account and of amoCRM's; `key` is the heading itself."""
    assert keys(section(OPERATING, "### [accounts.NAME]")) == set(AmoCrmSettings.model_fields) - {"key"}
    assert set(AccountSettings.model_fields) <= set(AmoCrmSettings.model_fields)


def test_every_secret_is_said_to_come_from_the_environment() -> None:
    """Whoever reads of a secret reads where it belongs."""
    told = {
        key for row in rows(OPERATING) if "environment only" in " ".join(row) for key in re.findall(r"`(\w+)`", row[0])
    }
    assert {name for name, field in AmoCrmSettings.model_fields.items() if is_secret(field)} == told


def test_every_key_of_an_extension_is_explained() -> None:
    """The tables of extensions and of the rollout have exactly their keys."""
    assert keys(section(OPERATING, "### [extensions.NAME]")) == set(ExtensionConfig.model_fields) - {"settings"}
    assert keys(section(OPERATING, "## Rollout")) == set(Rollout.model_fields)


def test_the_defaults_that_are_told_are_the_defaults() -> None:
    """A default in a table of [service] is the one in the code."""
    told = {row[0].strip("`"): row[1] for row in rows(section(OPERATING, "### [service]"))[1:]}
    assert told == {
        "database": f"`{ServiceTable().database}`",
        "public_url": "none",
        "mode": f"`{ServiceTable().mode}`",
        "language": f"`{ServiceTable().language}`",
        "max_body_bytes": f"{ServiceTable().max_body_bytes // 1024**2} MiB",
        "sweep_every_s": f"{ServiceTable().sweep_every_s:.0f}",
        "metrics": str(ServiceTable().metrics).lower(),
    }


def code() -> str:
    """The source of everything that runs in a service or on the command line."""
    files = [path for wing in ("sdk", "adapters", "extensions", "cli") for path in (ROOT / wing).rglob("*.py")]
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


def test_every_environment_variable_is_explained() -> None:
    """Each CRMKIT_ name in the code stands in the table of the environment, and none stands there for nothing."""
    given = set(re.findall(r"CRMKIT_[A-Z]+(?:_[A-Z]+)*(?![A-Z_{<])", code()))
    table = keys(section(OPERATING, "## Environment and secrets"))
    told = {name for name in table if "<" not in name}
    patterns = [re.sub(r"<\w+>", "[A-Z]+", name) for name in table if "<" in name]
    assert {name for name in given - told if not any(re.fullmatch(one, name) for one in patterns)} == set()
    assert told - given - {"CRMKIT_DATABASE", "CRMKIT_PUBLIC_URL"} == set()


def test_every_error_is_explained() -> None:
    """An operator finds what each error means and what to do."""
    kinds = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, CrmKitError)}
    assert keys(section(OPERATING, "## What errors mean")) == kinds - {"CrmKitError"}


def test_every_metric_is_explained() -> None:
    """The table of metrics has exactly the figures that /metrics gives."""
    source = (ROOT / "sdk" / "crmkit_runtime" / "metrics.py").read_text(encoding="utf-8")
    given = set(re.findall(r'"(crmkit_\w+)"', source))
    told = {re.sub(r"(_total)?(\{.*\})?$", "", key) for key in keys(section(OPERATING, "## Metrics"))}
    assert told == given


def test_every_command_has_its_heading() -> None:
    """The page of the command line has a heading for each command, and for nothing else."""
    headings = re.findall(r"^### crmkit (\S+)$", (DOCS / "cli.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(headings) == sorted(COMMANDS)


@pytest.mark.parametrize("vendor", registry.vendors())
def test_every_capability_stands_on_the_page_of_each_crm(vendor: str) -> None:
    """The page says of each capability at which level the CRM has it, as the adapter does."""
    page = (DOCS / "adapters" / f"{vendor}.md").read_text(encoding="utf-8")
    told: dict[str, str] = {}
    for names, level, *_ in rows(section(page, "## What is native, emulated, absent"))[1:]:
        told |= {name.strip().replace(" ", "_"): level for name in names.split(",")}
    has: Mapping[Capability, object] = registry.adapter(vendor).capabilities
    levels = {capability.value: str(has.get(capability, "absent")) for capability in Capability}
    assert {name: told.get(name) for name in levels} == levels


@pytest.mark.parametrize("vendor", registry.vendors())
def test_every_setting_of_a_crm_stands_on_its_page(vendor: str) -> None:
    """What an account of the vendor may have beside what every account has is named there."""
    page = (DOCS / "adapters" / f"{vendor}.md").read_text(encoding="utf-8")
    own = registry.adapter(vendor).settings_type.model_fields.keys() - AccountSettings.model_fields.keys()
    assert {name for name in own if f"`{name}`" not in page} == set()


@pytest.mark.parametrize("name", registry.sources())
def test_every_source_has_a_page_with_its_settings(name: str) -> None:
    """A telephony's page names each of its settings, and the variables of its secrets."""
    page = (DOCS / "sources" / f"{name}.md").read_text(encoding="utf-8")
    for key, field in registry.source(name).settings_type.model_fields.items():
        if is_secret(field):
            assert f"_{name.upper()}_{key.upper()}" in page
        elif key not in SourceSettings.model_fields:
            assert f"`{key}`" in page


@pytest.mark.parametrize("name", registry.extensions())
def test_every_extension_has_a_page_with_its_settings(name: str) -> None:
    """An extension's page names each setting, each command, each event and each scheduled job's purpose."""
    page = (DOCS / "extensions" / f"{name}.md").read_text(encoding="utf-8")
    extension = registry.extension(name)
    wanted = {
        *extension.settings_type.model_fields,
        *(command.name for command in extension.commands),
        *(subscription.event.__name__ for subscription in extension.subscriptions),
    }
    assert {word for word in wanted if f"`{word}`" not in page} == set()


def test_every_dependency_has_its_reason() -> None:
    """Each package of pyproject.toml stands in docs/dependencies.md, and nothing else does."""
    page = (DOCS / "dependencies.md").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    table = {row[0] for row in rows(page)[1:]}
    assert table == {re.split(r"[<>=; \[]", one)[0] for one in project["dependencies"]}
    for_work = re.split(r"[,.]\s+", page.rpartition("For development: ")[2].replace("\n", " ").rstrip(". ") + ", ")
    assert {name for name in for_work if name} == {
        re.split(r"[<>=;]", one)[0] for one in project["optional-dependencies"]["dev"]
    }


def test_decisions_are_numbered_and_listed() -> None:
    """No number is missing, and the list has each page."""
    pages = sorted(page.name for page in (DOCS / "decisions").glob("[0-9]*.md"))
    assert [int(name[:4]) for name in pages] == list(range(1, len(pages) + 1))
    listed = re.findall(r"\(([0-9][^)]*\.md)\)", (DOCS / "decisions" / "README.md").read_text(encoding="utf-8"))
    assert listed == pages


@pytest.mark.parametrize("page", sorted((DOCS / "decisions").glob("[0-9]*.md")), ids=lambda page: page.stem)
def test_a_decision_has_context_choice_and_price(page: Path) -> None:
    """Each says why it had to be taken, what was taken, and what it costs."""
    assert re.findall(r"^\*\*(\w+)\.\*\*", page.read_text(encoding="utf-8"), re.MULTILINE) == [
        "Context",
        "Choice",
        "Price",
    ]


def test_a_fragment_of_the_changelog_has_a_kind() -> None:
    """Fragments are named `<issue>.<kind>.md` and hold one line."""
    for fragment in (ROOT / "changelog.d").iterdir():
        assert re.fullmatch(r"\d+(-\w+)?\.(added|changed|fixed|removed|security)\.md", fragment.name)
        assert len(fragment.read_text(encoding="utf-8").strip().splitlines()) == 1
