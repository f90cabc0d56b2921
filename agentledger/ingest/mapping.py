"""Mapping files: how the records of a foreign log become events of our usage contract.

Belongs here: what a mapping is, finding and opening one, its fingerprint, the mappings that ship.
Does not belong here: checking one (`mapping_reader.py`), its expressions
(`mapping_expressions.py`), the rows (`mapped_format.py`), the records (`mapped_records.py`).
"""

import hashlib
import json
import tomllib
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agentledger import registry
from agentledger.errors import UsageError
from agentledger.ingest.mapping_tree import Node

SHIPPED_FOLDER = Path(__file__).parents[1] / "mappings"

MAX_BYTES = 64 * 1024
"""Of a mapping file; the shipped ones have under 3 KB."""

VERSION = 1
"""Raised when the same mapping would give other rows: files are then read anew."""

FIELDS = (
    "event_id", "agent_id", "occurred_at", "started_at", "task_type", "success", "cost_cents",
    "latency_ms", "patterns", "provider", "model", "model_version", "prompt_tokens",
    "completion_tokens", "cache_read_tokens", "cache_write_tokens", "total_tokens", "session_id",
    "project_id", "run_id", "error_type",
)  # fmt: skip
"""Fields of the contract that a mapping may fill (formats.md 4.1)."""

TIME_UNITS = {"iso": None, "epoch_s": "1", "epoch_ms": "0.001", "epoch_us": "0.000001",
              "epoch_ns": "0.000000001"}  # fmt: skip
COST_UNITS = {"cents": "1", "usd": "100", "microusd": "0.0001"}
DURATION_UNITS = {"ms": "1", "s": "1000", "min": "60000", "us": "0.001", "ns": "0.000001"}
UNITS: Dictionary[str, Dictionary[str, str | None]] = {
    "occurred_at": TIME_UNITS,
    "started_at": TIME_UNITS,
    "cost_cents": COST_UNITS,
    "latency_ms": DURATION_UNITS,
}
"""Field → unit a mapping may state → factor to the unit of the contract; None for a text."""

Scalar = str | int | float | bool


class MappingError(UsageError):
    """A mapping file that cannot be used; the text names the file, the line and the field."""


@dataclass(frozen=True, slots=True)
class MappedField:
    """Where one field of the contract comes from."""

    node: Node
    source: str
    """The expression as written."""
    unit: str | None = None
    choices: tuple[tuple[Scalar, Scalar], ...] | None = None
    """Value of the record → value of the contract; others are `otherwise`."""
    otherwise: Scalar | None = None
    unknown: tuple[Scalar, ...] = ()
    """Values that the log writes where it does not know."""


@dataclass(frozen=True, slots=True)
class Mapping:
    """A mapping file, checked."""

    name: str
    reference: str
    """Name of a shipped mapping, or the path of a file: what `config.toml` holds."""
    fingerprint: str
    fields: Dictionary[str, MappedField]
    records: str | tuple[str, ...] = "lines"
    """`lines`, `document`, or the names that lead from a document to its list of records."""
    requires: tuple[str, ...] = ()
    """Members without which a record is not of this log."""
    where: Node | None = None
    ignored: frozenset[str] = frozenset()
    """Members left alone on purpose."""
    zone: str | None = None
    delimiter: str = ","
    looks_inside: bool = False
    """Whether unmapped members of inner objects are listed, too: for a check, not for a load."""

    @property
    def format_name(self) -> str:
        """Name of the format that it is for the ledger of files; changes with what it says."""
        return f"mapped_{self.fingerprint}"


def shipped() -> list[str]:
    """Names of the mappings that ship."""
    return sorted(path.stem for path in SHIPPED_FOLDER.glob("*.toml"))


def resolve_reference(reference: str) -> str:
    """What `config.toml` keeps: the name of a shipped mapping as it is, a path resolved.

    Raises:
        UsageError: When it is neither.
    """
    if reference in shipped():
        return reference
    if not reference.strip():
        raise UsageError("The mapping is empty. Give the name of one that ships, or a file.")
    resolved = registry.resolve_given(reference)
    if not Path(resolved).is_file():
        raise UsageError(
            f"There is no mapping {reference!r}. Give a file, or one of: {', '.join(shipped())}."
        )
    return resolved


def load(reference: str) -> Mapping:
    """Read the mapping of a name or path.

    Raises:
        MappingError: When it cannot be used.
    """
    is_shipped = reference in shipped()
    path = SHIPPED_FOLDER / f"{reference}.toml" if is_shipped else Path(reference).expanduser()
    if not path.is_absolute():
        raise MappingError(
            f"There is no mapping {reference!r}; there are {', '.join(shipped())}. "
            "A file of yours stands in config.toml with its whole path."
        )
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise MappingError(
            f"Cannot read the mapping {reference}: {error.strerror or error}. "
            "Put it back, or name another with `agentledger source add mapped`."
        ) from error
    return parse(data, reference)


def parse(data: bytes, reference: str) -> Mapping:
    """Read the bytes of a mapping file.

    Raises:
        MappingError: When it cannot be used.
    """
    if len(data) > MAX_BYTES:
        raise MappingError(f"{reference}: larger than {MAX_BYTES // 1024} KB; this is no mapping.")
    try:
        text = data.decode("utf-8-sig")
        document = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise MappingError(f"{reference}: not UTF-8. Save it as UTF-8 text.") from error
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise MappingError(f"{reference}: not TOML: {error}.") from error
    from agentledger.ingest.mapping_reader import MappingReader

    return MappingReader(reference, text).mapping(document)


def fingerprint(document: dict[str, Any]) -> str:
    """Of what a mapping says: a comment or another order of its lines changes nothing."""
    said = {key: value for key, value in document.items() if key not in ("title", "ignore")}
    text = json.dumps([VERSION, said], sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
