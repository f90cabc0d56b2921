"""Connection strings: no secret survives in what may be stored or shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentledger import postgres_dsn, postgres_sources, registry
from agentledger.errors import AgentLedgerError, UsageError
from agentledger.settings import Settings


@pytest.mark.parametrize(
    ("dsn", "public", "secrets", "server"),
    [
        ("postgres://u@h:5/db", "postgresql://u@h:5/db", (), "h:5/db"),
        ("postgresql://u:p%40ss@h/db?sslmode=require", "postgresql://u@h/db?sslmode=require",
         ("p@ss",), "h/db"),
        ("postgresql:///db?host=/run/pg&password=x", "postgresql:///db?host=%2Frun%2Fpg", ("x",),
         "/run/pg/db"),
        ("host=a port=5 dbname=b password='it\\'s' user=c", "host=a port=5 dbname=b user=c",
         ("it's",), "a:5/b"),
        ("service=shop", "service=shop", (), "service shop/shop"),
        ("postgresql:///", "postgresql:///", (), "service default/default"),
    ],
)  # fmt: skip
def test_a_connection_string_is_taken_apart(
    dsn: str, public: str, secrets: tuple[str, ...], server: str
) -> None:
    found = postgres_dsn.parse(dsn)
    assert (found.public, found.secrets, found.server) == (public, secrets, server)


@pytest.mark.parametrize(
    "dsn",
    ["", "shop", "mysql://u:hunter2@h/db", "postgresql://u:hunter2#x@h/db", "host=a =hunter2"],
)
def test_what_is_no_connection_string_is_refused_without_being_repeated(dsn: str) -> None:
    with pytest.raises(UsageError) as refused:
        postgres_dsn.parse(dsn)
    assert "hunter2" not in str(refused.value)


def test_limits_are_added_where_their_owner_set_none() -> None:
    assert "connect_timeout=3&" in postgres_dsn.for_use("postgresql://h/db?connect_timeout=3")
    assert postgres_dsn.for_use("postgresql://h/db?connect_timeout=3").count("connect_timeout") == 1
    assert "connect_timeout=10" in postgres_dsn.for_use("host=h dbname=db")


@given(password=st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=6))
def test_no_message_repeats_a_password(password: str) -> None:
    from urllib.parse import quote

    dsn = f"postgresql://u:{quote(password, safe='')}@h/db"
    assert password not in postgres_dsn.parse(dsn).public
    message = f"cannot connect with {dsn}: {password}"
    assert password not in postgres_dsn.without_secrets(message, dsn)
    assert quote(password, safe="") not in postgres_dsn.without_secrets(message, dsn)


def test_an_entry_is_kept_without_its_password_and_found_again(tmp_path) -> None:  # noqa: ANN001
    settings = Settings(home=tmp_path / "home", host_zone="Europe/Paris")
    with pytest.raises(UsageError, match="--dsn-env"):
        postgres_sources.new_entry("postgresql://u:hunter2@h/db", "t")
    entry = postgres_sources.new_entry("postgres://u@h/db", '"ob-poc".intent_events')
    source = registry.add_postgres_source(settings, entry)
    again = registry.add_postgres_source(settings, entry, zone="Asia/Tokyo")
    assert (source.zone, again.zone) == ("UTC", "Asia/Tokyo")
    assert len(registry.load_config(settings).sources) == 1
    other = postgres_sources.new_entry("postgres://u@h/db", "chat_events")
    registry.add_postgres_source(settings, other)
    assert len(registry.load_config(settings).sources) == 2
    place = postgres_sources.place_of("postgres://u:hunter2@h/db", '"ob-poc".intent_events')
    assert registry.remove_source(settings, "postgres", place).location == entry.place
    assert [s.location for s in registry.load_config(settings).sources] == [other.place]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('location = "postgresql://u:hunter2@h/db"\ntable = "t"', "holds a password"),
        ('location = "postgresql://u@h/db"', "needs a `table`"),
        ('location = "postgresql://u@h/db"\ntable = "t"\nas = "x"', "no contract"),
        ('location = "postgresql://u@h/db"\ntable = "t"\noverlap_minutes = -1', "must be a number"),
        ('location = "h"\ntable = "t"', "no connection string"),
    ],
)
def test_an_entry_that_cannot_be_used_is_told_without_its_password(
    tmp_path,
    line: str,
    said: str,  # noqa: ANN001
) -> None:
    settings = Settings(home=tmp_path, host_zone="UTC")
    settings.config_path.write_text(f'[[sources]]\nkind = "postgres"\n{line}\n')
    with pytest.raises(AgentLedgerError, match=said) as refused:
        registry.load_config(settings)
    assert "hunter2" not in str(refused.value)
