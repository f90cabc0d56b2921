"""How a PostgreSQL server is named, without a secret in it.

Belongs here: taking a connection string apart, finding a secret in it, the form in which it may be
stored and shown, what is added to it before use. Does not belong here: connecting
(`ingest/postgres_session.py`), the registry (`registry.py`).

A connection string is a URI (`postgresql://user@host/db`) or libpq's `key=value` pairs.
"""

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from agentledger.errors import UsageError

SCHEMES = ("postgresql", "postgres")

CONNECTION_DEFAULTS = {
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
    "application_name": "agentledger",
}
"""libpq waits for ever by default; a server that is gone must be noticed within a minute."""

ADVICE = (
    "A password is never stored. Put the whole connection string into an environment variable and "
    "type `--dsn-env NAME`; or leave the password out and keep it in libpq's password file "
    "(~/.pgpass, `passfile=`) or service file (`service=NAME`)."
)

HIDDEN = "***"

_PAIR = re.compile(r"\s*([A-Za-z_]+)\s*=\s*('(?:\\.|[^'\\])*'|(?:\\.|[^\s'\\])*)\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Dsn:
    """A connection string taken apart."""

    public: str
    """Without any secret."""
    secrets: tuple[str, ...]
    """The values that may never be shown or stored."""
    host: str
    database: str

    @property
    def server(self) -> str:
        """Host and database, as people are told of them."""
        return f"{self.host}/{self.database}"


def parse(dsn: str) -> Dsn:
    """Take a connection string apart.

    Raises:
        UsageError: When it is none; the message never repeats it, for it may hold a password.
    """
    text = dsn.strip()
    try:
        return _parse_uri(text) if "://" in text else _parse_pairs(text)
    except ValueError as error:
        raise UsageError(
            "This is no connection string of PostgreSQL. Give a URI such as "
            "postgresql://user@host:5432/database, or pairs such as "
            "'host=db.example dbname=shop user=reader', or 'service=NAME'."
        ) from error


def for_use(dsn: str) -> str:
    """A connection string with the limits that are ours, where its owner set none."""
    text = dsn.strip()
    if "://" in text:
        parts = urlsplit(text)
        query = parse_qsl(parts.query, keep_blank_values=True)
        given = {name for name, _ in query}
        query += [item for item in CONNECTION_DEFAULTS.items() if item[0] not in given]
        return _uri(parts.netloc, parts.path, query)
    given = {name for name, _ in _pairs(text)}
    added = [f"{name}={value}" for name, value in CONNECTION_DEFAULTS.items() if name not in given]
    return " ".join([text, *added])


def without_secrets(text: str, dsn: str) -> str:
    """A message without the connection string that it may quote, or any secret of it."""
    parsed = parse(dsn)
    hidden = {dsn.strip(), for_use(dsn), *parsed.secrets, *map(quote, parsed.secrets)}
    for secret in sorted(hidden - {""}, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return text


def _parse_uri(text: str) -> Dsn:
    parts = urlsplit(text)
    if parts.scheme not in SCHEMES:
        raise ValueError(parts.scheme)
    account, _, place = parts.netloc.rpartition("@")
    user, _, password = account.partition(":")
    query = parse_qsl(parts.query, keep_blank_values=True)
    secrets = [unquote(password)] + [value for name, value in query if _is_secret(name)]
    kept = [(name, value) for name, value in query if not _is_secret(name)]
    named = dict(kept)
    netloc = f"{user}@{place}" if user else place
    public = _uri(netloc, parts.path, kept)
    database = unquote(parts.path.lstrip("/")) or named.get("dbname") or unquote(user)
    if parts.fragment:
        raise ValueError("fragment")  # most likely a `#` inside a password
    host = unquote(place) or named.get("host") or f"service {named.get('service', 'default')}"
    return Dsn(public, tuple(s for s in secrets if s), host, database or "default")


def _uri(netloc: str, path: str, query: list[tuple[str, str]]) -> str:
    asked = f"?{urlencode(query, quote_via=quote)}" if query else ""
    return f"postgresql://{netloc}{path}{asked}"


def _parse_pairs(text: str) -> Dsn:
    pairs = _pairs(text)
    if not pairs:
        raise ValueError("nothing")
    named = dict(pairs)
    secrets = tuple(value for name, value in pairs if _is_secret(name) and value)
    public = " ".join(f"{name}={_quoted(value)}" for name, value in pairs if not _is_secret(name))
    host = named.get("host") or named.get("hostaddr")
    if host is None:
        host = f"service {named['service']}" if "service" in named else "local"
    elif "port" in named:
        host = f"{host}:{named['port']}"
    database = named.get("dbname") or named.get("service") or named.get("user") or "default"
    return Dsn(public, secrets, host, database)


def _pairs(text: str) -> list[tuple[str, str]]:
    pairs, position = [], 0
    while position < len(text):
        found = _PAIR.match(text, position)
        if found is None:
            raise ValueError("not a pair")
        name, value = found.groups()
        bare = value[1:-1] if value.startswith("'") else value
        pairs.append((name.lower(), re.sub(r"\\(.)", r"\1", bare)))
        position = found.end()
    return pairs


def _is_secret(name: str) -> bool:
    lowered = name.lower()
    return lowered in ("scram_client_key", "scram_server_key") or any(
        mark in lowered for mark in ("password", "secret")
    )


def _quoted(value: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9_./:@,-]+", value):
        return value
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
