"""The house: what no linter of others holds."""

from __future__ import annotations

import ast
import importlib
import tomllib
import zipfile
from pathlib import Path
from subprocess import run
from sys import executable

import pytest

ROOT = Path(__file__).parents[2]
WINGS = ("sdk", "adapters", "extensions", "cli", "templates")
LONGEST_ROOM = 400
LONGEST_FUNCTION = 60
VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "base", "manager", "tools"}


def rooms() -> list[Path]:
    """Every Python file of the wings that is ours."""
    found = [path for wing in WINGS for path in (ROOT / wing).rglob("*.py")]
    return [path for path in found if "{{" not in str(path) and "versions" not in path.parts]


@pytest.mark.parametrize("room", rooms(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_room_is_small_and_says_what_lives_in_it(room: Path) -> None:
    """A module begins with a docstring, has at most 400 lines, and no function over 60."""
    text = room.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert ast.get_docstring(tree), f"{room} does not say what lives in it"
    # The records and the schema are one shelf each: cutting them would hide what belongs together.
    if room.name not in {"models.py", "tables.py"}:
        assert len(text.splitlines()) <= LONGEST_ROOM
    long = [
        f"{node.name} ({(node.end_lineno or 0) - node.lineno + 1} lines)"
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno >= LONGEST_FUNCTION
    ]
    assert long == []


def test_no_room_has_a_vague_name() -> None:
    """No module is called by what it is not about."""
    assert [room for room in rooms() if room.stem in VAGUE] == []


def test_every_public_name_has_a_docstring() -> None:
    """Public modules, classes and functions say what they give."""
    missing = []
    for room in rooms():
        for node in ast.parse(room.read_text(encoding="utf-8")).body:
            if not isinstance(node, ast.ClassDef | ast.FunctionDef) or node.name.startswith("_"):
                continue
            if not ast.get_docstring(node):
                missing.append(f"{room.relative_to(ROOT)}: {node.name}")
            if isinstance(node, ast.ClassDef):
                missing += [
                    f"{room.relative_to(ROOT)}: {node.name}.{item.name}"
                    for item in node.body
                    if isinstance(item, ast.FunctionDef)
                    and not item.name.startswith("_")
                    and not ast.get_docstring(item)
                    and not any("overload" in ast.unparse(mark) for mark in item.decorator_list)
                ]
    assert missing == []


def test_every_package_is_typed() -> None:
    """Each package in a wing carries py.typed, so that a consumer's checker reads it."""
    packages = [path.parent for wing in WINGS for path in (ROOT / wing).glob("*/__init__.py")]
    assert packages
    assert [package for package in packages if not (package / "py.typed").exists()] == []


def test_every_entry_point_leads_somewhere() -> None:
    """What pyproject.toml promises to others can be imported."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for group in project["entry-points"].values():
        for target in group.values():
            module, _, attribute = target.partition(":")
            found = importlib.import_module(module)
            assert not attribute or getattr(found, attribute)


def test_importing_the_face_stays_light() -> None:
    """`import crmkit` loads neither Flask nor a database nor the phone tables."""
    code = "import sys, crmkit; print(*sorted({'flask', 'sqlalchemy', 'phonenumbers', 'click'} & set(sys.modules)))"
    assert run([executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == ""


def test_the_import_contracts_hold() -> None:
    """Layers import downwards only."""
    tool = Path(executable).with_name("lint-imports")
    done = run([tool, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_wheel_holds_our_packages_and_their_templates(tmp_path: Path) -> None:
    """A built wheel has crmkit's packages at its root and the templates as data, and nothing else."""
    offline = ("--no-index", "--no-build-isolation", "--no-deps")
    run([executable, "-m", "pip", "wheel", "-q", *offline, "-w", tmp_path, str(ROOT)], check=True)
    names = zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist()
    assert {name.split("/")[0].split("-")[0].partition("_")[0] for name in names} == {"crmkit"}
    assert any(name.startswith("crmkit_templates/webhook_app/") and name.endswith("Dockerfile") for name in names)
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/"))]
