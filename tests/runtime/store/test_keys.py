"""Keyring: what seals tokens and what hook secrets come from."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from crmkit.errors import ConfigError
from crmkit_runtime.database import Database
from crmkit_runtime.keys import Keyring

OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))


def test_what_is_sealed_opens_with_any_key_of_the_ring() -> None:
    """After a rotation old seals still open, and what is sealed again needs the new key only."""
    sealed = Keyring([OLD]).seal(b"pair")
    both = Keyring([NEW, OLD])
    assert (both.unseal(sealed), Keyring([NEW]).unseal(both.reseal(sealed))) == (b"pair", b"pair")


def test_a_foreign_key_is_said() -> None:
    """A seal of another key is a ConfigError that says what to put where."""
    with pytest.raises(ConfigError, match=r"sealed with another key.*Put that key back"):
        Keyring([NEW]).unseal(Keyring([OLD]).seal(b"pair"))


def test_the_environment_wins_over_the_file(database: Database) -> None:
    """CRMKIT_KEY is used where it is set, else the file beside the database."""
    sealed = Keyring([NEW]).seal(b"pair")
    by_file = Keyring.load(database, {})
    assert Keyring.load(database, {"CRMKIT_KEY": f" {OLD} , {NEW} "}).unseal(sealed) == b"pair"
    with pytest.raises(ConfigError):
        by_file.unseal(sealed)


def test_a_missing_key_is_said(database: Database) -> None:
    """Without variable and file the remedy names both."""
    Path(f"{database.path}.key").unlink()
    with pytest.raises(ConfigError, match=r"CRMKIT_KEY is not set and there is no .*\.key.*restore the key file"):
        Keyring.load(database, {})


@pytest.mark.parametrize(
    "text", ["secret", "x" * 44, "ключ", f"{OLD},short"], ids=["word", "long", "russian", "second"]
)
def test_a_text_that_is_no_key_is_said(database: Database, text: str) -> None:
    """A wrong key is refused at start, and the message does not repeat it."""
    with pytest.raises(ConfigError, match="CRMKIT_KEY is not a key") as error:
        Keyring.load(database, {"CRMKIT_KEY": text})
    assert text not in str(error.value)


def test_derived_secrets_are_stable_long_and_apart() -> None:
    """The same purpose gives the same secrets, one a key, newest first; another purpose gives others."""
    ring = Keyring([NEW, OLD])
    secrets = ring.derive("hook:acme")
    assert secrets == [*Keyring([NEW]).derive("hook:acme"), *Keyring([OLD]).derive("hook:acme")]
    assert [len(secret) * 5 for secret in secrets] == [160, 160]
    assert len({*secrets, *ring.derive("hook:other")}) == 4


def test_a_ring_shows_no_key() -> None:
    """`repr` tells how many keys there are and nothing of them."""
    assert repr(Keyring([OLD])) == "Keyring(1 keys)"
