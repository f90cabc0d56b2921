"""Keyed hashes: the same in Python and in SQL, and useless without the key."""

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentledger import privacy
from agentledger.errors import AgentLedgerError
from agentledger.settings import Settings

KEY = bytes(range(32))


def test_the_hash_is_hmac_sha_256() -> None:
    """RFC 4231, test case 2: key `Jefe`, data `what do ya want for nothing?`."""
    assert privacy.keyed_hash(b"Jefe", "what do ya want for nothing?") == (
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )


@pytest.fixture(scope="module")
def connection():
    with duckdb.connect() as opened:
        privacy.set_hmac_pads(opened, KEY)
        yield opened


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_sql_and_python_hash_alike(connection, text: str) -> None:
    [(digest,)] = connection.execute(
        f"select {privacy.sql_keyed_hash('$1::varchar')}", [text]
    ).fetchall()
    assert digest == privacy.keyed_hash(KEY, text)


@given(st.text(st.characters(codec="latin-1", exclude_characters="\0")))
def test_sql_and_python_normalise_alike(connection, text: str) -> None:
    [(normal,)] = connection.execute(
        f"select {privacy.sql_normalised('$1::varchar')}", [text]
    ).fetchall()
    assert normal == privacy.normalise_text(text)


def test_equal_requests_have_one_normal_form() -> None:
    assert privacy.normalise_text("  Fix\tthe\n BUG ") == "fix the bug"
    assert privacy.normalise_text("e\u0301") == privacy.normalise_text("\u00e9")


def test_the_key_is_made_once_and_damage_is_named(tmp_path) -> None:
    settings = Settings(home=tmp_path, host_zone="UTC")
    key = privacy.load_or_create_key(settings)
    assert privacy.load_or_create_key(settings) == key
    assert len(key) == 32
    settings.key_path.write_text("oops")
    with pytest.raises(AgentLedgerError, match="backup"):
        privacy.load_or_create_key(settings)


def test_project_ids_depend_on_the_key() -> None:
    """An unkeyed hash of a path could be guessed."""
    assert privacy.project_id(KEY, "/a") != privacy.project_id(KEY[::-1], "/a")
    assert len(privacy.project_id(KEY, "/a")) == 32
