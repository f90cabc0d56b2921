"""How the text of an event becomes a row of its raw table, in SQL.

Belongs here: the one projection that whole lines and the tolerant path share: parsing, the
allow-list, which lines are strange, identity and content hash. Does not belong here: the formats
(`event_formats.py`), the SQL of a kind of field (`event_columns.py`).
"""

import json
from collections.abc import Sequence

from agentledger import privacy
from agentledger.ingest.event_formats import EventFormat


def projection_sql(
    event_format: EventFormat, records: str, usual_names: Sequence[str], *, is_clean: bool
) -> str:
    """SQL from texts to staged rows.

    Args:
        event_format: Decides what is kept.
        records: Relation with file_id, line_no, byte_offset, ordinal, record, flags.
        usual_names: Members of a usual event in their order, as `usual_names` finds them: comparing
            with them is cheaper than asking for each name whether it is known.
        is_clean: The texts come from the tolerant path, which has judged them already.

    Returns:
        SQL with the columns of the raw table that do not depend on the run, `is_plain` and
        `unknown_names`.
    """
    transform = json.dumps(dict(event_format.fields))
    all_known = sorted(event_format.fields.keys() | event_format.known_names)
    known = "[" + ", ".join(f"'{name}'" for name in all_known) + "]"
    usual = "[" + ", ".join(f"'{name}'" for name in usual_names) + "]::varchar[]"
    kept = ",\n                ".join(
        f"{expression} as {column}"
        for column, expression in (*event_format.columns.items(), *event_format.parts.items())
    )
    record, seen = _seen_sql(event_format)
    names = ", ".join((*event_format.columns, *event_format.parts))
    unknown = (
        f"case when is_usual or list_has_all({known}, names) then null "
        f"else list_filter(names, lambda name: not list_contains({known}, name)) end"
    )
    # Unknown is not empty: a marker that no text can hold keeps the two apart in the hash.
    hashed = ", ".join(
        f"coalesce(cast({column} as varchar), chr(30))"
        for column in sorted((*event_format.columns, *event_format.parts))
    )
    inside = event_format.unknown_inside
    unknown_names = unknown if inside is None else f"list_concat({unknown}, unknown_inside)"
    identity = event_format.identity
    is_plain = (
        "true"
        if is_clean
        # A case, not an `or`: only unusual rows pay for the look at their names.
        else f"coalesce({event_format.must_have} and not has_nul and case when is_usual then true "
        "else list_unique(names) = len(names) end, false)"
    )
    return f"""
        with parsed as materialized (
            select r.file_id, r.line_no, r.byte_offset, r.ordinal, r.flags,
                f.source_id, f.project_id as root_project_id, f.names_projects,
                try(json_transform(r.record, '{transform}')) as x,
                r.names, coalesce(r.names = {usual}, false) as is_usual,{record}
                contains(r.record, '\\u0000') as has_nul
            from (select *, try(json_keys(record)) as names from {records}) as r
            join batch_files as f on f.file_id = r.file_id
        ),{seen}
        kept as (
            select file_id, line_no, byte_offset, ordinal, flags, has_nul, names,
                source_id, {_project(event_format)} as project_id,
                is_usual, {event_format.unknown_inside or "null"} as unknown_inside,
                {kept}
            from {"seen" if seen else "parsed"}
        ),
        hashed as (
            select *, cast(md5_number(concat_ws(chr(31), {hashed})) as uuid) as content_hash
            from kept
        )
        select file_id, line_no, byte_offset, ordinal, source_id, project_id, {names}, content_hash,
            cast(md5_number(concat_ws(chr(31), getvariable('identity_salt'), '{event_format.name}',
                coalesce(lower({identity}), cast(content_hash as varchar)))) as uuid) as record_key,
            nullif(concat_ws(',', flags, case when {identity} is null then 'derived_id' end), '')
                as flags,
            {is_plain} as is_plain,
            {unknown_names} as unknown_names
        from hashed"""


def usual_names(event_format: EventFormat, first: Sequence[str]) -> tuple[str, ...]:
    """The names of a first event, if they are all known, plain and different; else none."""
    is_usual = len(set(first)) == len(first) and set(first) <= event_format.fields.keys()
    return tuple(first) if is_usual else ()


def _seen_sql(event_format: EventFormat) -> tuple[str, str]:
    """The line beside what was parsed of it, and the step that looks into it and lets it go."""
    if not event_format.glimpses:
        return "", ""
    glimpses = ", ".join(f"{sql} as {name}" for name, sql in event_format.glimpses.items())
    return " r.record,", (
        f"\n        seen as materialized (select * exclude (record), {glimpses} from parsed as r),"
    )


def _project(event_format: EventFormat) -> str:
    """The source's own project, or the one that the event names where its source speaks of many."""
    named = event_format.project_sql
    if event_format.project_field is not None:
        named = f"trim(x.{event_format.project_field})"
    if named is None:
        return "root_project_id"
    keyed = privacy.sql_keyed_hash(f"concat_ws(chr(31), 'project', source_id, {named})")
    return (
        f"case when names_projects and {named} <> '' then left({keyed}, 32) "
        "else root_project_id end"
    )
