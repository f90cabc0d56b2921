"""SQL for what may be kept of one field of an event, one function per kind of field.

Belongs here: expressions over a field of the parsed record `x`: names, class names, identifiers,
numbers, times, lists of names, free text. Does not belong here: which fields a format has
(`event_formats.py`), casts and meanings (the staging models).

Every expression keeps a value only when it is what the field is for; anything else becomes `other`,
NULL or a keyed hash, so that no free text gets through (formats.md section 0).
"""

from collections.abc import Callable, Sequence

from agentledger import privacy

_NAME = privacy.PLAIN_NAME_PATTERN.strip("^$")
_CLASS = privacy.CLASS_NAME_PATTERN.strip("^$")
_ID = "[A-Za-z0-9_][A-Za-z0-9_.:/-]{0,127}"  # a name without @: an address is no id
_TITLE = "[A-Za-z0-9_/][A-Za-z0-9_.:/@+-]{0,63}( [A-Za-z0-9_.:/@+-]{1,40}){0,3}"
_TIME = "[0-9+-][0-9Tt:., ZzeE+-]{0,40}"
_NUMBER = "-?[0-9]{1,40}([.][0-9]{1,40})?([eE][+-]?[0-9]{1,4})?"
NOT_A_NUMBER = "NaN"
"""What stands for a text in the place of a figure, which may say anything: staging refuses it."""

_BOOLEANS = "'true', 'false', 't', 'f', '0', '1'"
_NIL = "'', '00000000-0000-0000-0000-000000000000', '00000000000000000000000000000000'"
_USUAL_LENGTH = 1300
"""Characters of ten pairs of a long name and a score."""

_MAX_LIST = 1000
"""Entries kept of a list: a workflow of more steps is no workflow."""


def name(field: str) -> str:
    """A name of a verb, enum value or version; anything else is `other`."""
    return _matching(field, _NAME)


def short_texts(fields: Sequence[str]) -> str:
    """Whether all that is given of some fields are names that are ids, too.

    One look at the values side by side is cheaper than one at each. Between them stands a NUL,
    because a sentence may hold anything else: the caller leaves out lines with a NUL of their own.
    """
    given = ", ".join(f"x.{field}" for field in fields)
    return f"regexp_full_match(concat_ws(chr(0), {given}), '({_ID}\\x00)*{_ID}')"


def short_name(field: str) -> str:
    """What `name` keeps, of a field among those of `short_texts`."""
    return f"case when x.are_short then x.{field} else {name(field)} end"


def short_identifier(field: str) -> str:
    """What `identifier` keeps, of a field among those of `short_texts`."""
    is_plain = f"x.are_short and x.{field} not in ({_NIL})"
    return f"case when {is_plain} then x.{field} else {identifier(field)} end"


def title(field: str) -> str:
    """A name that people choose, of a workflow or skill: a few words; a sentence is `other`."""
    return _matching(field, _TITLE)


def class_name(field: str) -> str:
    """A bare class name or code; a message is `other`."""
    return _matching(field, _CLASS)


def identifier(field: str) -> str:
    """An id: plain text as it is; a sentence or an address in its place is hashed."""
    text = f"trim(x.{field})"
    return (
        f"case when x.{field} is null or x.{field} in ({_NIL}) then null "
        f"when regexp_full_match(x.{field}, '{_ID}') then x.{field} "
        f"when {text} in ({_NIL}) then null "
        f"when regexp_full_match({text}, '{_ID}') then {text} "
        f"else {privacy.sql_keyed_hash(text)} end"
    )


def hashed(field: str) -> str:
    """The keyed hash of an id."""
    return (
        f"case when x.{field} is null or trim(x.{field}) in ({_NIL}) then null "
        f"else {privacy.sql_keyed_id(f'trim(x.{field})')} end"
    )


def hashed_text(field: str) -> str:
    """The keyed hash of a text in its normal form, or NULL when there is none."""
    text = privacy.sql_normalised(f"x.{field}")
    return (
        f"case when x.{field} is null or trim(x.{field}) = '' then null "
        f"else {privacy.sql_keyed_hash(text)} end"
    )


def rekeyed(field: str) -> str:
    """A producer's hash of a short text: guessable unless it is keyed with our key already."""
    text, digest = f"lower(trim(x.{field}))", "[0-9a-f]{64}"
    keyed = "x.hash_scheme = 'hmac-sha256' and regexp_full_match"
    # Most are ours and as we wrote them: they are neither trimmed nor folded.
    return (
        f"case when x.{field} is null then null "
        f"when {keyed}(x.{field}, '{digest}') then x.{field} "
        f"when {text} = '' then null "
        f"when {keyed}({text}, '{digest}') then {text} else {privacy.sql_keyed_hash(text)} end"
    )


def length(field: str, stated: str | None = None) -> str:
    """Characters of a text; `stated` is a field in which the producer gave it itself."""
    own = f"length(x.{field})"
    return own if stated is None else f"coalesce({own}, try_cast(x.{stated} as bigint))"


def number(field: str) -> str:
    """A number as it was written; anything else is NULL."""
    return _trimmed(field, lambda text: f"regexp_full_match({text}, '{_NUMBER}')")


def figure(field: str) -> str:
    """A number as it was written; anything else that was written is `NaN`, so that it is told."""
    return (
        f"coalesce({number(field)}, "
        f"case when x.{field} is not null and trim(x.{field}) <> '' then '{NOT_A_NUMBER}' end)"
    )


def boolean(field: str) -> str:
    """A truth value in one of the spellings that databases export; anything else is NULL."""
    text = f"lower(trim(x.{field}))"
    return (
        f"case when x.{field} in ({_BOOLEANS}) then x.{field} "
        f"when {text} in ({_BOOLEANS}) then {text} end"
    )


def class_name_of(text: str) -> str:
    """Like `class_name`, of SQL for a part of a text."""
    return (
        f"case when {text} is null or {text} = '' then null "
        f"when regexp_full_match({text}, '{_CLASS}') then {text} else 'other' end"
    )


def time(field: str) -> str:
    """A time as it was written; a text that cannot be one is NULL."""
    return _trimmed(field, lambda text: f"regexp_full_match({text}, '{_TIME}')")


def _trimmed(field: str, is_kept: Callable[[str], str]) -> str:
    # Few values need trimming: as they are first, so that the others do not pay for it.
    value, text = f"x.{field}", f"trim(x.{field})"
    return f"case when {is_kept(value)} then {value} when {is_kept(text)} then {text} end"


def names(field: str) -> str:
    """A JSON list of names, in order, repeats kept; NULL and `[]` stay different."""
    return _listed(field, _NAME)


def titles(field: str) -> str:
    """A JSON list of names that people choose (`title`), in order, repeats kept."""
    return _listed(field, _TITLE)


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
    plain_item = f"regexp_full_match(item ->> '$', '{_NAME}')"
    plain_name = f"regexp_full_match(k, '{_NAME}') and k <> 'other'"
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
    kept_ = f"case when regexp_full_match({name_}, '{_NAME}') then {name_} else 'other' end"
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


def text(field: str) -> str:
    """A private text as a list of one, for the vault alone."""
    return f"case when trim(x.{field}) <> '' then [x.{field}] end"


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
        f"json_array(case when regexp_full_match({verb}, '{_NAME}') then {verb} else 'other' end, "
        f"try_cast({score} as double)))) as varchar)"
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
        f"'{_NAME}') then item ->> 'verb' else 'other' end, "
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


def withheld(fields: Sequence[str]) -> str:
    """A JSON object of length and keyed hash of each value that became `other`, or NULL.

    Over the columns of the names and, as `given_<name>`, what the producer gave.
    """
    parts, conditions = [], []
    for field in fields:
        text = f"trim(given_{field})"
        condition = f"{field} = 'other' and {text} <> 'other'"
        conditions.append(condition)
        parts.append(
            f"case when {condition} then json_object('{field}', json_object('length', "
            f"length(given_{field}), 'hash', "
            f"{privacy.sql_keyed_hash(privacy.sql_normalised(text))})) else '{{}}'::json end"
        )
    merged = parts[0]
    for part in parts[1:]:
        merged = f"json_merge_patch({merged}, {part})"
    return f"case when {' or '.join(conditions)} then cast({merged} as varchar) end"


def _matching(field: str, pattern: str) -> str:
    text = f"trim(x.{field})"
    return (
        f"case when x.{field} is null then null "
        f"when regexp_full_match(x.{field}, '{pattern}') then x.{field} "
        f"when {text} = '' then null "
        f"when regexp_full_match({text}, '{pattern}') then {text} else 'other' end"
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
