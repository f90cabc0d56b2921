"""A data home with one source, to which files are handed bit by bit.

Belongs here: feeding, running, reading. Does not belong here: expectations.
"""

import shutil
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agentledger import registry, warehouse
from agentledger.ingest import collect
from agentledger.settings import Settings

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
AS_OF = datetime(2026, 11, 20, tzinfo=UTC)
MODELS = ("+llm_call_audit", "+usage_quarter_hours", "+fct_tool_calls")


class SourceLedger:
    """One source of one kind, every session of which counts.

    Homes with one `secret` hash alike, so that what they hashed can be compared.
    """

    def __init__(
        self,
        folder: Path,
        dbt: Callable[..., Any],
        kind: str,
        models: tuple[str, ...] = MODELS,
        secret: str | None = None,
    ) -> None:
        self.settings = Settings(home=folder / "home", host_zone="UTC")
        if secret is not None:
            self.settings.home.mkdir(mode=0o700, parents=True)
            self.settings.key_path.write_text(secret)
        self.source = folder / "source"
        self.source.mkdir(parents=True)
        self._dbt = dbt
        self._models = models
        self._runs = 0
        warehouse.prepare_home(self.settings)
        registry.add_source(self.settings, kind, str(self.source), zone="UTC", projects="all")

    def take(self, files: Iterable[Path], root: Path) -> None:
        """Copy files of the reference data into the source."""
        for file in files:
            target = self.source / file.relative_to(root)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)

    def write(self, name: str, text: str) -> None:
        """Write a file of the source."""
        target = self.source / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")

    def run(self, command: str = "run", *arguments: str) -> None:
        """Collect, then build the models."""
        self._runs += 1
        with warehouse.open_warehouse(self.settings) as connection:
            collect.collect(self.settings, connection, run_id=str(self._runs), as_of=AS_OF)
        unit: tuple[str, ...] = ()
        if command == "build":  # tests of other models that read the same parents stay out
            unit = ("--exclude-resource-type", "unit_test", "--indirect-selection", "cautious")
        self._dbt(
            self.settings.warehouse_path, command, *unit, *arguments, "--select", *self._models
        )

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Read the warehouse."""
        with warehouse.open_warehouse(self.settings, read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def naive(self) -> dict[str, int]:
        """Kind of token → what all rows add up to."""
        return dict(
            self.rows("select token_tier, sum(naive_tokens) from marts.llm_call_audit group by 1")
        )

    def facts(self) -> list[list[tuple[Any, ...]]]:
        """Facts and mart, but for what tells where and when a row was loaded."""
        names = ("fct_llm_calls", "fct_tool_calls", "usage_quarter_hours", "llm_call_audit")
        # The last ones hang on the folder of the test where a file names no session.
        left_out = {
            "load_seq", "file_id", "project_id", "session_key", "agent_key", "llm_call_key",
            "message_key", "tool_call_key",
        }  # fmt: skip
        found = []
        for name in names:
            columns = self.rows(
                "select column_name from duckdb_columns() where schema_name = 'marts' "
                f"and table_name = '{name}' order by column_index"
            )
            kept = ", ".join(column for (column,) in columns if column not in left_out)
            found.append(self.rows(f"select {kept} from marts.{name} order by all"))
        return found
