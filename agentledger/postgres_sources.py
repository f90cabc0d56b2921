"""A table on a PostgreSQL server as an entry of `config.toml`.

Belongs here: the fields of such an entry, what is refused, where its password comes from at run
time. Does not belong here: editing the file (`registry.py`), connection strings as such
(`postgres_dsn.py`), connecting (`ingest/postgres_session.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agentledger import postgres_dsn, settings
from agentledger.errors import AgentLedgerError, UsageError

KIND = "postgres"

DEFAULT_ZONE = "UTC"
"""Columns without a zone hold UTC in the tables that are known, whatever the zone of this host."""

STATEMENT_TIMEOUT_SECONDS = 300
"""One statement copies some hundred thousand rows: seconds, unless the server is in trouble."""

OVERLAP_MINUTES = 10.0
"""Transactions that write telemetry are short; what commits later than this is found by the sweep
of row versions."""

MAX_TIMEOUT_SECONDS = 24 * 3600
MAX_OVERLAP_MINUTES = 31 * 24 * 60.0


@dataclass(frozen=True, slots=True)
class PostgresEntry:
    """Which table, on which server, and how it is read."""

    dsn: str
    """Connection string without any secret."""
    table: str
    contract: str | None = None
    """Which contract the table follows, where its name and columns do not tell."""
    dsn_env: str | None = None
    """Environment variable that holds the whole connection string."""
    statement_timeout_seconds: int = STATEMENT_TIMEOUT_SECONDS
    overlap_minutes: float = OVERLAP_MINUTES

    @property
    def place(self) -> str:
        """What names this source: the connection string without secrets, `#`, the table."""
        return f"{self.dsn}#{self.table}"

    @property
    def path(self) -> str:
        """The table as the ledger of files names it."""
        return f"postgres://{postgres_dsn.parse(self.dsn).server}/{self.table}"

    @property
    def project_name(self) -> str:
        """Name of the project that rows belong to which name none themselves."""
        return f"{postgres_dsn.parse(self.dsn).database}.{self.table}".replace('"', "")

    def fields(self) -> dict[str, Any]:
        """The entry as `config.toml` holds it, but for what every source has."""
        found: dict[str, Any] = {"location": self.dsn, "table": self.table}
        if self.contract is not None:
            found["as"] = self.contract
        if self.dsn_env is not None:
            found["dsn_env"] = self.dsn_env
        if self.statement_timeout_seconds != STATEMENT_TIMEOUT_SECONDS:
            found["statement_timeout_seconds"] = self.statement_timeout_seconds
        if self.overlap_minutes != OVERLAP_MINUTES:
            found["overlap_minutes"] = self.overlap_minutes
        return found


def new_entry(
    dsn: str | None,
    table: str | None,
    *,
    contract: str | None = None,
    dsn_env: str | None = None,
) -> PostgresEntry:
    """Make an entry of what a person typed.

    Raises:
        UsageError: When it holds a password, or does not say which table on which server.
    """
    if dsn_env is not None:
        if dsn is not None:
            raise UsageError("Give the connection string or --dsn-env NAME, not both.")
        found = postgres_dsn.parse(_from_environment(dsn_env))
    elif not (dsn or "").strip():
        raise UsageError(
            "Which server? Type: agentledger source add postgres DSN --table NAME, or --dsn-env "
            "NAME where the connection string holds a password."
        )
    else:
        found = postgres_dsn.parse(str(dsn))
        if found.secrets:
            raise UsageError(
                f"The connection string holds a password. {postgres_dsn.ADVICE} "
                "Nothing was stored; the password may stand in the history of your shell."
            )
    if not (table or "").strip():
        raise UsageError("Which table? Add --table NAME, for example --table agent_telemetry.")
    return PostgresEntry(found.public, str(table).strip(), _contract(contract), dsn_env)


def read_entry(entry: Mapping[str, Any], where: str) -> PostgresEntry:
    """Read an entry of `config.toml`.

    Raises:
        AgentLedgerError: When it lacks something or holds a password.
    """
    try:
        found = postgres_dsn.parse(str(entry.get("location") or ""))
        contract = _contract(entry.get("as"))
    except UsageError as error:
        raise AgentLedgerError(f"{where}: a [[sources]] entry of kind postgres: {error}") from None
    if found.secrets:
        raise AgentLedgerError(
            f"{where}: the `location` of a [[sources]] entry of kind postgres holds a password. "
            f"Take it out. {postgres_dsn.ADVICE}"
        )
    table, named = entry.get("table"), entry.get("dsn_env")
    if not isinstance(table, str) or not table.strip():
        raise AgentLedgerError(f"{where}: a [[sources]] entry of kind postgres needs a `table`.")
    timeout = entry.get("statement_timeout_seconds", STATEMENT_TIMEOUT_SECONDS)
    overlap = entry.get("overlap_minutes", OVERLAP_MINUTES)
    _check_number(timeout, "statement_timeout_seconds", 1, MAX_TIMEOUT_SECONDS, where)
    _check_number(overlap, "overlap_minutes", 0, MAX_OVERLAP_MINUTES, where)
    return PostgresEntry(
        found.public,
        table.strip(),
        contract,
        str(named) if named else None,
        int(timeout),
        float(overlap),
    )


def place_of(location: str, table: str | None = None) -> str:
    """What names a source, of what a person typed: a connection string, with `#` and its table.

    Raises:
        UsageError: When it is no connection string.
    """
    dsn, _, behind = location.rpartition("#")
    if table is None and dsn:
        table, location = behind, dsn
    public = postgres_dsn.parse(location).public
    return f"{public}#{table}" if table else public


def connection_string(entry: PostgresEntry) -> str:
    """The connection string to use now, with its secret if it has one.

    Raises:
        UsageError: When the environment variable is missing or names another database.
    """
    if entry.dsn_env is None:
        return entry.dsn
    dsn = _from_environment(entry.dsn_env)
    if postgres_dsn.parse(dsn).public != entry.dsn:
        raise UsageError(
            f"The environment variable {entry.dsn_env} names another server, database or user than "
            "when the source was added. Remove the source and add it again, or mend the variable."
        )
    return dsn


def _from_environment(name: str) -> str:
    value = settings.environment_value(name)
    if not value:
        raise UsageError(
            f"The environment variable {name} is not set. It must hold the connection string, "
            "for example postgresql://user:password@host:5432/database."
        )
    return value


def _contract(name: Any) -> str | None:
    if name is None:
        return None
    from agentledger.ingest.postgres_tables import TABLES

    if name not in TABLES:
        raise UsageError(f"There is no contract {name!r}. Known: {', '.join(TABLES)}.")
    return str(name)


def _check_number(value: Any, name: str, least: float, most: float, where: str) -> None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not least <= value <= most:
        raise AgentLedgerError(
            f"{where}: `{name}` must be a number from {least} to {most:g}, found {value!r}."
        )
