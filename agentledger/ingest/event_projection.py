"""How the text of an event becomes a row of its raw table, in SQL.

Belongs here: the one projection that whole lines and the tolerant path share: parsing, the
allow-list, which lines are strange, identity and content hash. Does not belong here: the formats
(`event_formats.py`), the SQL of a kind of field (`event_columns.py`).
"""

import json
from collections.abc import Mapping, Sequence

from agentledger import privacy
from agentledger.ingest import event_columns as kept_columns
from agentledger.ingest.event_formats import EventFormat


def projection_sql(
    event_format: EventFormat,
    records: str,
    usual_names: Sequence[str],
    *,
    is_clean: bool,
    is_uniform: bool = False,
    keeps_texts: bool = False,
) -> str:
    """SQL from texts to staged rows.

    Args:
        event_format: Decides what is kept.
        records: Relation with file_id, line_no, byte_offset, ordinal, record, flags.
        usual_names: Members of a usual event in their order, as `usual_names` finds them: comparing
            with them is cheaper than asking for each name whether it is known.
        is_clean: The texts come from the tolerant path, which has judged them already.
        is_uniform: As many names stand in the texts as if each had the usual ones and no other.
            Then nothing lists the names: the statement fails when a text lacks or repeats one.
        keeps_texts: Add `private_texts`, for the vault; NULL where the source keeps none.

    Returns:
        SQL with the columns of the raw table that do not depend on the run, `is_plain`,
        `member_names` (JSON list of the names of a record that is not a usual one, which are
        judged once for all that have the same) and `unknown_inside`.
    """
    parsed = _parsed(event_format, records, usual_names, is_uniform=is_uniform)
    is_plain = "true" if is_clean else _is_plain(event_format, keeps_texts=keeps_texts)
    return _projected(event_format, parsed, is_plain, keeps_texts=keeps_texts)


def columns_projection_sql(
    event_format: EventFormat, rows: str, *, keeps_texts: bool = False
) -> str:
    """SQL from rows of a table to staged rows: the fields come as columns, not as text.

    Args:
        event_format: Decides what is kept.
        rows: Relation with file_id, line_no, byte_offset, ordinal, flags and `x`, a struct of the
            fields; with `glimpses`, `record`, too.
        keeps_texts: Add `private_texts`, for the vault.
    """
    fields = event_format.fields
    listed = ", ".join(f"r.x.{name} as {name}" for name in fields)
    short = kept_columns.short_texts(list(event_format.short_fields))
    record = "r.record" if event_format.glimpses else "null::varchar as record"
    are_short = short if event_format.short_fields else "false"
    parsed = f"""select *, {are_short} as are_short from (
                select r.file_id, r.line_no, r.byte_offset, r.ordinal, r.flags,
                    f.source_id, f.project_id as root_project_id, f.names_projects,
                    f.keeps_texts, null::varchar[] as names, true as is_usual, {record},
                    false as has_nul,
                    {listed}
                from {rows} as r
                join batch_files as f on f.file_id = r.file_id) as x"""
    return _projected(event_format, parsed, "true", keeps_texts=keeps_texts)


def _projected(event_format: EventFormat, parsed: str, is_plain: str, *, keeps_texts: bool) -> str:
    """The steps after parsing, which all ways of reading share."""
    columns = (*event_format.columns, *event_format.parts)
    kept = ",\n                ".join(
        f"{expression} as {column}"
        for column, expression in (*event_format.columns.items(), *event_format.parts.items())
    )
    names = ", ".join((*columns, *(("withheld",) if event_format.free_fields else ())))
    # Unknown is not empty: a marker that no text can hold keeps the two apart in the hash.
    hashed = ", ".join(
        f"coalesce(cast({column} as varchar), chr(30))" for column in sorted(columns)
    )
    identity = event_format.identity
    private, seen = _private_steps(event_format, keeps_texts=keeps_texts)
    key_name = event_format.keyed_as or event_format.name
    # No step is kept in memory but the one that looks into long lines; and a column per field, as
    # a `case` over a member of a struct takes all members along.
    return f"""
        with parsed as (
            {parsed}
        ),{seen}
        kept as (
            select file_id, line_no, byte_offset, ordinal, flags, has_nul, names,
                source_id, {_project(event_format)} as project_id,
                is_usual, {event_format.unknown_inside or "null::varchar[]"} as unknown_inside,
                {private}
                {"".join(f"x.{name} as given_{name}, " for name in event_format.free_fields)}
                {kept}
            from {"seen" if event_format.glimpses else "parsed"} as x
        ),
        texts as (
            select *, concat_ws(chr(31), {hashed}, chr(30)) as content_text
            from kept
        ),
        hashed as (
            {_hashed(event_format)}
        )
        select file_id, line_no, byte_offset, ordinal, source_id, project_id, {names}, content_hash,
            cast(md5_number(concat_ws(chr(31), getvariable('identity_salt'), '{key_name}',
                coalesce(lower({identity}), cast(content_hash as varchar)))) as uuid) as record_key,
            nullif(concat_ws(',', flags, case when {identity} is null then 'derived_id' end), '')
                as flags,
            {"private_texts," if keeps_texts else ""}
            {is_plain} as is_plain,
            case when not is_usual then cast(to_json(names) as varchar) end as member_names,
            unknown_inside
        from hashed"""


def _parsed(
    event_format: EventFormat, records: str, usual_names: Sequence[str], *, is_uniform: bool
) -> str:
    """SQL of a relation with a column per field, and what is asked of the text itself."""
    fields = event_format.fields
    present = {name: fields[name] for name in (usual_names if is_uniform else fields)}
    transform = f"json_transform_strict(record, {_literal(json.dumps(present))})"
    usual = "[" + ", ".join(map(_literal, usual_names)) + "]::varchar[]"
    listed = ", ".join(f"x.{name}" for name in event_format.rewritten) or ", ".join(
        f"x.{name}"
        if name in present
        else f"json_transform(null::json, '{json.dumps(kind)}') as {name}"
        for name, kind in fields.items()
    )
    short = [name for name in event_format.short_fields if name in present]
    has_nul = "contains(r.record, '\\u0000')"
    are_short = f"not {has_nul} and {kept_columns.short_texts(short)}" if short else "false"
    if is_uniform:
        names, is_usual = "null::varchar[]", "true"
    else:
        transform = f"try(json_transform(record, {_literal(json.dumps(present))}))"
        names, is_usual = "try(json_keys(record))", f"coalesce(names = {usual}, false)"
    read = (
        f"(select *, {event_format.reads or transform} as x, {names} as names from {records} as r)"
    )
    if event_format.rewrites is not None:
        read = f"(select r.* replace ({event_format.rewrites} as x) from {read} as r)"
    return f"""select r.file_id, r.line_no, r.byte_offset, r.ordinal, r.flags,
                f.source_id, f.project_id as root_project_id, f.names_projects, f.keeps_texts,
                r.names, {is_usual} as is_usual, r.record,
                {has_nul} as has_nul, {listed}, {are_short} as are_short
            from {read} as r
            join batch_files as f on f.file_id = r.file_id"""


def _is_plain(event_format: EventFormat, *, keeps_texts: bool) -> str:
    """SQL of whether a row may stay, as far as one row tells it.

    A name that stands twice is found by `member_names`, later; but texts go to the vault at once.
    """
    judged = f"{event_format.must_have} and not has_nul"
    if keeps_texts:
        judged += " and case when is_usual then true else list_unique(names) = len(names) end"
    return f"coalesce({judged}, false)"


def _hashed(event_format: EventFormat) -> str:
    """SQL of the content hash, and of what was withheld, which is rare and part of the content."""
    if not event_format.free_fields:
        return "select *, cast(md5_number(content_text) as uuid) as content_hash from texts"
    return f"""select *, cast(case when withheld is null then md5_number(content_text)
                else md5_number(content_text || withheld) end as uuid) as content_hash
            from (
                select *, case when contains(content_text, 'other')
                    then {kept_columns.withheld(event_format.free_fields)} end as withheld
                from texts
            )"""


def usual_names(event_format: EventFormat, first: Sequence[str]) -> tuple[str, ...]:
    """The names of a first event, if they are all known, plain and different; else none."""
    is_usual = len(set(first)) == len(first) and set(first) <= event_format.fields.keys()
    return tuple(first) if is_usual else ()


def _private_texts(event_format: EventFormat) -> str:
    """SQL of a list of the private fields that have a text, of sources that keep them."""
    fields = ", ".join(
        f"struct_pack(field := '{name}', "
        f"kind := '{'json' if name in event_format.json_texts else 'text'}', texts := {expression})"
        for name, expression in event_format.texts.items()
    )
    given = "e.texts is not null and len(e.texts) > 0"
    return f"case when keeps_texts then list_filter([{fields}], lambda e: {given}) end"


def _private_steps(event_format: EventFormat, *, keeps_texts: bool) -> tuple[str, str]:
    """What is selected for the vault, and the step before it.

    Texts are taken where the line is still there.
    """
    if not keeps_texts:
        return "", _seen_sql(event_format, {})
    taken = {"private_texts": _private_texts(event_format)}
    if event_format.glimpses:
        return "private_texts,", _seen_sql(event_format, taken)
    return f"{taken['private_texts']} as private_texts, ", ""


def _seen_sql(event_format: EventFormat, taken: Mapping[str, str]) -> str:
    """The step that looks into the line beside what was parsed of it, and lets it go."""
    if not event_format.glimpses:
        return ""
    glimpses = ", ".join(
        f"{sql} as {name}" for name, sql in (*event_format.glimpses.items(), *taken.items())
    )
    return (
        f"\n        seen as materialized (select * exclude (record), {glimpses} from parsed as x),"
    )


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


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
