"""What is installed, by name: adapters, sources, extensions, and the way of a script."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType

import pytest

from crmkit import ConfigError, Extension, connect, registry
from crmkit.adapter import Capability, Level


def said(call: object, *arguments: str, **settings: object) -> str:
    """The message of the ConfigError that the call raises."""
    assert callable(call)
    with pytest.raises(ConfigError) as refused:
        call(*arguments, **settings)
    return str(refused.value)


def test_what_is_installed_is_listed_and_loaded() -> None:
    """Each listed name gives an object that knows that name."""
    assert [registry.adapter(name).vendor for name in registry.vendors()] == registry.vendors()
    assert [registry.source(name).name for name in registry.sources()] == registry.sources()
    assert [registry.extension(name).name for name in registry.extensions()] == registry.extensions()
    assert "amocrm" in registry.vendors()


@pytest.mark.parametrize("name", ["amocrn", "AmoCRM", "amo-crm"])
def test_an_unknown_vendor_gets_the_nearest_name(name: str) -> None:
    """The message names what is installed, and what was probably meant."""
    installed = ", ".join(registry.vendors())
    assert said(registry.adapter, name) == (
        f"there is no CRM adapter {name!r}. Installed: {installed}. Did you mean amocrm?"
    )


def test_a_name_like_no_other_gets_no_hint() -> None:
    """Nothing is guessed."""
    assert said(registry.source, "zzz") == f"there is no source 'zzz'. Installed: {', '.join(registry.sources())}."
    assert said(registry.extension, "call-task").endswith("Did you mean call-tasks?")


def test_an_extension_is_loaded_by_module_and_attribute(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service may name an extension that nobody has installed."""
    module = ModuleType("corner_shop")
    own = Extension("corner-shop")
    module.__dict__.update(extension=own, thing=5)
    monkeypatch.setitem(sys.modules, "corner_shop", module)
    assert registry.extension("corner_shop:extension") is own
    assert said(registry.extension, "corner_shop:thing") == "corner_shop:thing is a int, not an Extension"
    install = ". Install the package, or start in the folder where the module lies."
    assert said(registry.extension, "corner_shop:other") == (
        f"extension corner_shop:other cannot be loaded: module 'corner_shop' has no attribute 'other'{install}"
    )
    assert said(registry.extension, "corner_shops:extension") == (
        f"extension corner_shops:extension cannot be loaded: No module named 'corner_shops'{install}"
    )


def test_an_installation_that_is_broken_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is listed and cannot be imported is one message, as what is not listed is."""
    broken = EntryPoint("broken", "no_such_module:Adapter", "crmkit.adapters")
    monkeypatch.setattr(registry, "entry_points", lambda group: [broken])
    assert said(registry.adapter, "broken") == (
        "CRM adapter broken cannot be loaded: No module named 'no_such_module'. "
        "Install the package, or start in the folder where the module lies."
    )


@pytest.mark.parametrize("name", [":extension", "module:", ".module:extension", "a b:c", "a:b:c", ":"])
def test_a_name_of_no_form_is_said_to_be_none(name: str) -> None:
    """A slip in crmkit.toml is explained and does not surface as an error of the import system."""
    assert said(registry.extension, name) == f"extension {name} is not of the form module:attribute. Mend its name."


def test_a_script_gets_a_crm_without_a_request(tmp_path: Path) -> None:
    """`connect` opens the account by the vendor's settings; text does where they want a secret."""
    crm = connect("amocrm", base_url="https://acme.amocrm.ru", token="t0ken", tokens=tmp_path)
    assert (crm.vendor, crm.supports(Capability.DEALS)) == ("amocrm", Level.NATIVE)
    assert "t0ken" not in repr(vars(crm))
    crm.close()


def test_a_script_with_a_wrong_setting_is_told_the_right_one(tmp_path: Path) -> None:
    """The key at fault and the nearest one are named; no secret is shown."""
    wrong = said(connect, "amocrm", base_url="https://acme.amocrm.ru", tokn="t0ken", tokens=tmp_path)
    assert wrong.startswith("connect('amocrm'): unknown key tokn (did you mean token?)")
    assert "t0ken" not in wrong
    assert said(connect, "bitriks24", base_url="https://acme.bitrix24.ru").startswith("there is no CRM adapter")
