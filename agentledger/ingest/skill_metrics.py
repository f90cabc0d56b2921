"""The format `skill_metrics.json`: its five variants, how they are told, what may be read of them.

Belongs here: detection by shape, the allow-list of names, the SQL that reads whole documents. Does
not belong here: how a record becomes a row (`skill_metrics_projection.py`), decoding broken
documents (`skill_metrics_records.py`).

Source of the format: formats.md section 1 of the shared documents.
"""

import re
from dataclasses import dataclass
from typing import Literal

import msgspec

Shape = Literal["skills", "invocations", "table"]
"""Which root member holds the records: a map name → list (V-D), or one list (all others). The
rows of a SQLite store are records like those of a list; one of its tables says when they ended."""

RECORD_FIELDS: dict[Shape, frozenset[str]] = {
    "skills": frozenset(
        {
            "invoked_at",
            "completed_at",
            "duration_ms",
            "success",
            "followup_actions",
            "session_id",
            "metadata",
        }
    ),
    "invocations": frozenset(
        {
            "skill_name",
            "invoked_at",
            "session_id",
            "workflow_path",
            "completed",
            "duration_seconds",
            "user_query",
            "alternatives_considered",
            "selection_rank",
            "follow_up_actions",
            "error_type",
            "workflow_phase",
            "workflow_step_id",
        }
    ),
}
RECORD_FIELDS["table"] = RECORD_FIELDS["invocations"] | {"completed_at"}
"""The allow-list; every other name is counted, its value never read."""

ROOT_FIELDS = frozenset(
    {"version", "generated_at", "skills", "invocations", "last_updated", "summary", "exported_at"}
)

FIRST_LIST = re.compile(rb'\s*\{\s*"(?:[^"\\]|\\.)*"\s*:\s*\[')


@dataclass(frozen=True, slots=True)
class Inspection:
    """What the root of a well-formed document tells, without decoding one record."""

    shape: Shape
    variant: str
    unknown_root_fields: tuple[str, ...]


_ROOT = msgspec.json.Decoder(dict[str, msgspec.Raw])


def inspect(data: bytes) -> Inspection | None:
    """Recognise a well-formed document by its shape.

    Returns:
        None when the document must take the tolerant path: not JSON, another shape, or unclear.
    """
    try:
        root = _ROOT.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    unknown = tuple(sorted(name for name in root if name not in ROOT_FIELDS))
    skills = bytes(root["skills"]) if "skills" in root else b""
    if FIRST_LIST.match(skills):
        return None if "invocations" in root else Inspection("skills", "V-D", unknown)
    if "invocations" not in root or not bytes(root["invocations"]).lstrip().startswith(b"["):
        return None
    return Inspection("invocations", variant_of(frozenset(root)), unknown)


def variant_of(root_names: frozenset[str]) -> str:
    """Name the variant of a document with an `invocations` list, by its root members.

    `V0/V1` is resolved by the records: V1 has session ids (formats.md 1.2).
    """
    if "summary" in root_names and "exported_at" in root_names:
        return "VX"
    return "V0/V1" if "skills" in root_names else "V2"


def read_sql(shape: Shape, max_object_bytes: int) -> str:
    """SQL that reads whole documents, given as the list parameter, into one row per record.

    Columns: filename, ordinal (from 0, in file order), skill_key (V-D only), record (JSON).

    `records = true` matters: with one column named, DuckDB otherwise guesses from the content and
    takes eight times as long for one huge object (docs/adr/0003).
    """
    options = (
        f"records = true, filename = true, format = 'unstructured', "
        f"maximum_object_size = {max_object_bytes}"
    )
    if shape == "invocations":
        return (
            "select filename, generate_subscripts(invocations, 1) - 1 as ordinal, "
            "cast(null as varchar) as skill_key, unnest(invocations) as record "
            f"from read_json(?, columns = {{'invocations': 'JSON[]'}}, {options})"
        )
    return f"""
        select filename, first_ordinal + generate_subscripts(entry.value, 1) - 1 as ordinal,
            entry.key as skill_key, unnest(entry.value) as record
        from (
            select filename, unnest(entries) as entry, unnest(list_transform(
                range(len(entries)),
                lambda earlier: coalesce(list_sum(lengths[:earlier]), 0)::bigint
            )) as first_ordinal
            from (
                select filename, map_entries(skills) as entries,
                    list_transform(map_values(skills), lambda list: len(list)) as lengths
                from read_json(?, columns = {{'skills': 'MAP(VARCHAR, JSON[])'}}, {options})
            )
        )"""
