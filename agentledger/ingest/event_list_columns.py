"""SQL for what may be kept of one field of an event that holds several values.

Belongs here: expressions over a list or object of the parsed record `x`: names, counts, candidates,
observations, members for the vault. Does not belong here: single values, and what a name is
(`event_columns.py`), which fields a format has (`event_formats.py`), casts and meanings (the
staging models).

As of single values, a member is kept only when it is what the field is for (formats.md section 0).
"""

from agentledger import privacy
from agentledger.ingest.event_columns import NAME_PATTERN, TITLE_PATTERN

_USUAL_LENGTH = 1300
"""Characters of ten pairs of a long name and a score."""

_MAX_LIST = 1000
"""Entries kept of a list: a workflow of more steps is no workflow."""


def names(field: str) -> str:
    """A JSON list of names, in order, repeats kept; NULL and `[]` stay different."""
    return _listed(field, NAME_PATTERN)


def titles(field: str) -> str:
    """A JSON list of names that people choose (`title`), in order, repeats kept."""
    return _listed(field, TITLE_PATTERN)


def _listed(field: str, pattern: str) -> str:
    # A list that some database stored as text is read as the list that it is.
    value = f"x.{field}"
    item = (
        "case when json_type(item) = 'VARCHAR' and "
        f"regexp_full_match(item ->> '$', '{pattern}') then item ->> '$' else 'other' end"
    )
    listed = (
        f"cast(to_json(list_transform(cast({_as_list(value)} as json[])[:{_MAX_LIST}], "
        f"lambda item: {item})) as varchar)"
    )
    # Most lists are as they should be, and one look is cheaper than taking them apart.
    return (
        f"case when {value} is null then null "
        f'when regexp_full_match({value}, \'\\[("{pattern}",)*"{pattern}"\\]|\\[\\]\') '
        f"then cast({value} as varchar) "
        f"when json_type({_as_list(value)}) = 'ARRAY' then {listed} end"
    )


def name_counts(field: str) -> str:
    """A JSON object name → count, from a list of names or from an object; other shapes are NULL."""
    value = f"x.{field}"
    plain_item = f"regexp_full_match(item ->> '$', '{NAME_PATTERN}')"
    plain_name = f"regexp_full_match(k, '{NAME_PATTERN}') and k <> 'other'"
    listed = (
        f"list_transform(cast({_as_list(value)} as json[])[:{_MAX_LIST}], lambda item: case when "
        f"json_type(item) = 'VARCHAR' and {plain_item} "
        "then item ->> '$' else 'other' end)"
    )
    names_ = f"list_distinct(json_keys({value})[:{_MAX_LIST}])"
    kept_ = f"list_filter({names_}, lambda k: {plain_name})"
    pairs = (
        f"list_concat(list_transform({kept_}, lambda k: struct_pack(k := k, v := try_cast("
        f"json_extract_string({value}, '$.\"' || k || '\"') as double))), "
        f"case when len({names_}) > len({kept_}) then [struct_pack(k := 'other', "
        f"v := cast(len({names_}) - len({kept_}) as double))] end)"
    )
    return (
        f"case when {value} is null then null "
        f"when json_type({_as_list(value)}) = 'ARRAY' "
        f"then cast(to_json(list_histogram({listed})) as varchar) "
        f"when json_type({value}) = 'OBJECT' "
        f"then cast(to_json(map_from_entries({pairs})) as varchar) end"
    )


def member_names(field: str) -> str:
    """A JSON list of the `name` of each object of a list: tools called, nothing they were given."""
    value = f"x.{field}"
    name_ = "coalesce(item ->> '$.name', item ->> '$.function.name', item ->> '$.tool_name')"
    kept_ = f"case when regexp_full_match({name_}, '{NAME_PATTERN}') then {name_} else 'other' end"
    listed = (
        f"cast(to_json(list_transform(cast({_as_list(value)} as json[])[:{_MAX_LIST}], "
        f"lambda item: {kept_})) as varchar)"
    )
    return f"case when json_type({_as_list(value)}) = 'ARRAY' then {listed} end"


def list_length(field: str) -> str:
    """How many members a list has."""
    value = f"x.{field}"
    return (
        f"case when json_type({_as_list(value)}) = 'ARRAY' "
        f"then json_array_length({_as_list(value)}) end"
    )


def members(field: str) -> str:
    """The members of a private list as JSON, one by one, for the vault alone."""
    value = f"x.{field}"
    listed = (
        f"list_transform(cast({_as_list(value)} as json[]), lambda item: cast(item as varchar))"
    )
    return (
        f"case when json_type({_as_list(value)}) = 'ARRAY' then {listed} "
        f"when json_type({value}) <> 'NULL' then [cast({value} as varchar)] end"
    )


def candidates(field: str) -> str:
    """A JSON list of at most ten pairs of verb and score, from pairs or from objects."""
    value = f"x.{field}"
    pair = r'\["[A-Za-z0-9_][A-Za-z0-9_.:/@-]*",-?[0-9.]+([eE][+-]?[0-9]+)?\]'
    verb = (
        "case json_type(item) when 'ARRAY' then item ->> 0 when 'OBJECT' then item ->> 'verb' "
        "when 'VARCHAR' then item ->> '$' end"
    )
    score = (
        "case json_type(item) when 'ARRAY' then item ->> 1 when 'OBJECT' then item ->> 'score' end"
    )
    listed = (
        f"cast(to_json(list_transform(cast({_as_list(value)} as json[])[:10], lambda item: "
        f"json_array(case when regexp_full_match({verb}, '{NAME_PATTERN}') then {verb} "
        f"else 'other' end, try_cast({score} as double)))) as varchar)"
    )
    return (
        f"case when {value} is null then null "
        f"when length({value}) < {_USUAL_LENGTH} "
        f"and regexp_full_match({value}, '\\[({pair},){{0,9}}{pair}\\]') "
        f"then cast({value} as varchar) "
        f"when json_type({_as_list(value)}) = 'ARRAY' then {listed} end"
    )


def stage_flow(field: str) -> str:
    """Counts by source and tier: kept when every name in it is plain, else NULL."""
    value = f"x.{field}"
    return (
        f"case when length({value}) < 4000 "
        f"and regexp_full_match({value}, '[{{}}A-Za-z0-9_\":,.-]+') "
        f"then cast({value} as varchar) end"
    )


def observations(field: str) -> str:
    """Verbs that a state observer looked at, and whether their state is reachable.

    The predicate that failed is free text: its length and keyed hash stay.
    """
    value = f"x.{field}"
    predicate = "item ->> 'failing_predicate'"
    item = (
        "json_object('verb', case when regexp_full_match(item ->> 'verb', "
        f"'{NAME_PATTERN}') then item ->> 'verb' else 'other' end, "
        "'state_reachable', try_cast(item ->> 'state_reachable' as boolean), "
        "'failing_predicate_length', coalesce(length(" + predicate + "), "
        "try_cast(item ->> 'failing_predicate_length' as bigint)), "
        "'failing_predicate_hash', case when " + predicate + " is not null then "
        f"{privacy.sql_keyed_hash(privacy.sql_normalised(predicate))} "
        "when regexp_full_match(item ->> 'failing_predicate_hash', '[0-9a-f]{64}') "
        "then item ->> 'failing_predicate_hash' end)"
    )
    return (
        f"case when json_type({_as_list(value)}) = 'ARRAY' then cast(to_json(list_transform("
        f"cast({_as_list(value)} as json[])[:{_MAX_LIST}], lambda item: {item})) as varchar) end"
    )


def _as_list(value: str) -> str:
    """A JSON value; one that is text holding JSON, or a list as PostgreSQL prints it, is unpacked.

    PostgreSQL writes `text[]` as `{role,"full name"}`.
    """
    text = f"({value} ->> '$')"
    items = (
        f"to_json(list_transform(string_split(trim({text}, '{{}}'), ','), "
        "lambda item: trim(item, '\" ')))"
    )
    return (
        f"case when json_type({value}) <> 'VARCHAR' then {value} "
        f"when {text} = '{{}}' then '[]'::json "
        f"when try_cast({text} as json) is not null then try_cast({text} as json) "
        f"when regexp_full_match({text}, '\\{{[A-Za-z0-9_.:/@, \"-]+\\}}') then {items} end"
    )
