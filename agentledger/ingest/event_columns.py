"""SQL for what may be kept of one field of an event, one function per kind of field.

Belongs here: expressions over a field of the parsed record `x`: names, class names, identifiers,
numbers, times, free text. Does not belong here: lists and objects (`event_list_columns.py`), which
fields a format has (`event_formats.py`), casts and meanings (the staging models).

Every expression keeps a value only when it is what the field is for; anything else becomes `other`,
NULL or a keyed hash, so that no free text gets through (formats.md section 0).
"""

from collections.abc import Callable, Sequence

from agentledger import privacy

NAME_PATTERN = privacy.PLAIN_NAME_PATTERN.strip("^$")
_CLASS = privacy.CLASS_NAME_PATTERN.strip("^$")
_ID = "[A-Za-z0-9_][A-Za-z0-9_.:/-]{0,127}"  # a name without @: an address is no id
TITLE_PATTERN = "[A-Za-z0-9_/][A-Za-z0-9_.:/@+-]{0,63}( [A-Za-z0-9_.:/@+-]{1,40}){0,3}"
_TIME = "[0-9+-][0-9Tt:., ZzeE+-]{0,40}"
_NUMBER = "-?[0-9]{1,40}([.][0-9]{1,40})?([eE][+-]?[0-9]{1,4})?"
NOT_A_NUMBER = "NaN"
"""What stands for a text in the place of a figure, which may say anything: staging refuses it."""

_BOOLEANS = "'true', 'false', 't', 'f', '0', '1'"
_NIL = "'', '00000000-0000-0000-0000-000000000000', '00000000000000000000000000000000'"


def name(field: str) -> str:
    """A name of a verb, enum value or version; anything else is `other`."""
    return _matching(field, NAME_PATTERN)


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
    return _matching(field, TITLE_PATTERN)


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


def text(field: str) -> str:
    """A private text as a list of one, for the vault alone."""
    return f"case when trim(x.{field}) <> '' then [x.{field}] end"


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
