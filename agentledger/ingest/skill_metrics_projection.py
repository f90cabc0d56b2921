"""How a record of `skill_metrics.json` becomes a row of `raw.skill_usage`, in SQL.

Belongs here: the one projection that the fast and the tolerant path share: which values are plain,
what the privacy rules keep of each, and the hashes. Does not belong here: detection
(`skill_metrics.py`), what a strange value means (`skill_metrics_values.py`), casts and outcomes
(the staging model).
"""

from collections.abc import Iterable

from agentledger import privacy
from agentledger.ingest.skill_metrics import RECORD_FIELDS, Shape

USUAL_NAMES: dict[Shape, tuple[tuple[str, ...], ...]] = {
    "skills": (
        ("invoked_at", "completed_at", "duration_ms", "success", "followup_actions", "session_id",
         "metadata"),
    ),
    "invocations": (
        ("skill_name", "invoked_at", "workflow_path", "completed", "duration_seconds",
         "follow_up_actions", "error_type"),
        ("skill_name", "invoked_at", "session_id", "workflow_path", "completed",
         "duration_seconds", "user_query", "alternatives_considered", "selection_rank",
         "follow_up_actions", "error_type"),
    ),
    "table": (("skill_name", "invoked_at"),),
}  # fmt: skip
"""Member names in the order in which the known writers write them: comparing with these is cheaper
than asking for each name whether it is known. Any other order is only slower."""

_DIGITS_OR_Z = ", ".join(f"'{character}'" for character in "0123456789Z")

NO_SESSION = ("", "migrated", "00000000-0000-0000-0000-000000000000")
"""Ways in which writers and migrators say that they know no session: one tuple, told apart by the
ordinal."""

KEPT_ACTIONS = ("git commit", "git push", "continue")
"""Follow-up actions that are not free text (formats.md 1.3)."""

_TRANSFORM = (
    '{"skill_name":"VARCHAR","invoked_at":"VARCHAR","completed_at":"VARCHAR",'
    '"session_id":"VARCHAR","completed":"VARCHAR","success":"VARCHAR","duration_ms":"VARCHAR",'
    '"duration_seconds":"VARCHAR","followup_actions":"VARCHAR","follow_up_actions":"JSON",'
    '"alternatives_considered":"JSON","selection_rank":"VARCHAR","workflow_path":"VARCHAR",'
    '"workflow_phase":"VARCHAR","workflow_step_id":"VARCHAR","error_type":"VARCHAR",'
    '"user_query":"VARCHAR","metadata":{"workflow":"VARCHAR","agent":"VARCHAR"},'
    '"_flags":"VARCHAR"}'
)


def _is_plain_text(field: str) -> str:
    """SQL: the text can have been nothing but text (the rest goes to the exact, tolerant path).

    Numbers lie between '-' and ':'; DuckDB writes them anew (1e5 becomes 100000.0), so that the two
    paths would see two texts.
    """
    return (
        f"(x.{field} is null or not (starts_with(x.{field}, '{{') or starts_with(x.{field}, '[')) "
        f"and x.{field} not in ('true', 'false') and (x.{field} < '-' or x.{field} >= ':' "
        f"or try_cast(x.{field} as double) is null))"
    )


def _is_plain_time(field: str) -> str:
    # A cast is cheaper than a pattern. A digit first and a digit or Z last leave out the words that
    # the engine understands as times, and names of zones; a sentence does not cast at all.
    return (
        f"(x.{field} >= '0' and x.{field} < ':' and right(x.{field}, 1) in ({_DIGITS_OR_Z}) "
        f"and length(x.{field}) >= 10 and try_cast(x.{field} as timestamptz) is not null)"
    )


def _is_plain_number(field: str) -> str:
    # Comparing with '0' and ':' asks for a leading digit without cutting the text.
    return (
        f"(x.{field} is null or (x.{field} >= '0' and x.{field} < ':' "
        f"and isfinite(try_cast(x.{field} as double))))"
    )


def _is_plain_count(field: str) -> str:
    # A cast would round 1.5; a number without these two letters has no fraction and no exponent.
    return (
        f"(x.{field} is null or (x.{field} >= '0' and x.{field} < ':' and length(x.{field}) < 10 "
        f"and not contains(x.{field}, '.') and not contains(x.{field}, 'e') "
        f"and try_cast(x.{field} as integer) is not null))"
    )


IS_PLAIN = " and ".join(
    [
        # A letter, an underscore or a slash first: neither a number nor an object nor a list.
        "(skill_key is not null or x.skill_name not in ('true', 'false') and ("
        "x.skill_name >= ':' and not starts_with(x.skill_name, '{') "
        "and not starts_with(x.skill_name, '[') or starts_with(x.skill_name, '/')))",
        "trim(coalesce(skill_key, x.skill_name)) <> ''",
        _is_plain_time("invoked_at"),
        f"(x.completed_at is null or {_is_plain_time('completed_at')})",
        "(x.completed is null or x.completed in ('true', 'false'))",
        "(x.success is null or x.success in ('true', 'false'))",
        *(
            _is_plain_text(name)
            for name in (
                "session_id", "workflow_path", "workflow_phase",
                "workflow_step_id", "error_type", "user_query",
            )
        ),
        _is_plain_number("duration_ms"),
        _is_plain_number("duration_seconds"),
        _is_plain_count("followup_actions"),
        _is_plain_count("selection_rank"),
        "(x.follow_up_actions is null or starts_with(x.follow_up_actions, '['))",
        "(x.alternatives_considered is null or starts_with(x.alternatives_considered, '['))",
        "(has_usual_names or list_unique(names) = len(names))",
        r"not contains(record, '\u0000')",
    ]
)  # fmt: skip
"""SQL: nothing about the record is unusual. One that is sends its file down the tolerant path, so
that exactly one piece of code decides what a strange value means."""


def _kept(field: str, pattern: str, usual: tuple[str, ...] = ()) -> str:
    """SQL: the text where it is allowed, `other` where it is not, NULL where there is none.

    The usual values are compared before the pattern is tried: it costs ten times as much.
    """
    shortcut = f"when {field} in ({', '.join(map(_quoted, usual))}) then {field} " if usual else ""
    return (
        f"case when {field} is null then null {shortcut}"
        f"when regexp_full_match({field}, '{pattern}') then {field} else 'other' end"
    )


def _withheld(name: str, field: str) -> str:
    """SQL: length and keyed hash of a text that was replaced by `other`, or NULL."""
    return (
        f"case when {_is_withheld(name, field)} then json_object('{name}', "
        f"json_object('length', length({field}), "
        f"'hash', {privacy.sql_keyed_hash(privacy.sql_normalised(field))})) end"
    )


def _is_withheld(name: str, field: str) -> str:
    return f"({name} = 'other' and {field} <> 'other')"


_CLASS = privacy.CLASS_NAME_PATTERN.strip("^$")
_NAME = privacy.PLAIN_NAME_PATTERN.strip("^$")
_USUAL_PATHS = ("quick", "comprehensive", "daily", "setup", "execution", "verification")
_FREE_FIELDS = (
    ("workflow_path", "path_text", _CLASS, _USUAL_PATHS),
    ("workflow_phase", "phase_text", _CLASS, ()),
    ("workflow", "workflow_text", _NAME, ()),
    ("agent", "agent_text", _NAME, ()),
    ("error_class", "error_text", _CLASS, ("timeout", "network", "validation")),
)
"""Raw column, text it is made of, what is allowed, and the values met most."""

HASHED_COLUMNS = (
    "skill_name", "invoked_at", "completed_at", "session_id", "completed", "success",
    "duration_ms", "duration_seconds", "followup_count", "followup_actions", "alternatives",
    "selection_rank", "workflow_path", "workflow_phase", "workflow", "agent", "error_class",
    "error_length", "error_hash", "query_length", "query_hash", "step_hash", "withheld",
)  # fmt: skip
"""Everything that is kept of a record: the content whose change makes a new version. The variant is
left out, so that an export's copy of a record is recognised as the same content."""


def projection_sql(records: str, shape: Shape) -> str:
    """SQL from records to staged rows; the only place where a record becomes raw columns.

    Args:
        records: SQL with columns file_id, project_id, ordinal, skill_key, record.
        shape: Decides which names are known.
    """
    known = _sql_list([*sorted(RECORD_FIELDS[shape]), "_flags"])
    no_session = ", ".join(map(_quoted, NO_SESSION))
    usual = ", ".join(_sql_list(names) for names in USUAL_NAMES[shape])
    kept = ", ".join(
        f"{_kept(text, rule, usual)} as {name}" for name, text, rule, usual in _FREE_FIELDS
    )
    # The error's text has columns of its own; the others are rarely withheld and share one.
    others = [(name, text) for name, text, _, _ in _FREE_FIELDS if name != "error_class"]
    withheld = _merged([_withheld(name, text) for name, text in others])
    is_any_withheld = " or ".join(_is_withheld(name, text) for name, text in others)
    query_text = privacy.sql_normalised("x.user_query")
    return f"""
        with transformed as (
            select file_id, project_id, ordinal, skill_key, record,
                json_transform(record, '{_TRANSFORM}') as x,
                json_keys(record) as names
            from ({records})
        ),
        recognised as (
            select *, coalesce(names in ({usual}), false) as has_usual_names from transformed
        ),
        named as (
            select *,
                coalesce(skill_key, x.skill_name) as skill_name,
                nullif(trim(x.error_type), '') as error_text,
                nullif(trim(x.workflow_path), '') as path_text,
                nullif(trim(x.workflow_phase), '') as phase_text,
                nullif(trim(x.metadata.workflow), '') as workflow_text,
                nullif(trim(x.metadata.agent), '') as agent_text,
                coalesce({IS_PLAIN}, false) as is_plain,
                case when not has_usual_names and not list_has_all({known}, names)
                    then list_filter(names, lambda name: not list_contains({known}, name))
                end as unknown_names
            from recognised
        ),
        allowed as (select *, {kept} from named),
        kept as (
            select file_id, ordinal, skill_name, project_id, is_plain, unknown_names,
                x.invoked_at as invoked_at, x.completed_at as completed_at,
                x.session_id as session_id, x.completed as completed, x.success as success,
                x.duration_ms as duration_ms, x.duration_seconds as duration_seconds,
                case when x.follow_up_actions is not null
                    then cast(json_array_length(x.follow_up_actions) as varchar)
                    else x.followup_actions end as followup_count,
                {_kept_list("x.follow_up_actions", _one_of(KEPT_ACTIONS))} as followup_actions,
                {
        _kept_list("x.alternatives_considered", f"regexp_full_match(item, '{_NAME}')")
    } as alternatives,
                x.selection_rank as selection_rank,
                workflow_path, workflow_phase, workflow, agent, error_class,
                length(error_text) as error_length,
                case when {_is_withheld("error_class", "error_text")}
                    then {privacy.sql_keyed_hash(privacy.sql_normalised("error_text"))}
                end as error_hash,
                length(x.user_query) as query_length,
                case when trim(x.user_query) <> ''
                    then {privacy.sql_keyed_hash(query_text)} end as query_hash,
                case when x.workflow_step_id is not null
                    then {privacy.sql_keyed_hash("x.workflow_step_id")} end as step_hash,
                case when {is_any_withheld} then {withheld} end as withheld,
                x._flags as flags
            from allowed
        )
        select *,
            cast(md5_number(concat_ws(chr(31), project_id, skill_name, invoked_at,
                case when session_id in ({no_session}) then ''
                    else coalesce(session_id, '') end)) as uuid) as tuple_key,
            cast(md5_number(concat_ws(chr(31), {_hashed_list()})) as uuid) as content_hash
        from kept"""


def _sql_list(values: Iterable[str]) -> str:
    return "[" + ", ".join(map(_quoted, values)) + "]"


def _quoted(value: str) -> str:
    """SQL literal of one of our own constants."""
    return f"'{value}'"


def _one_of(values: tuple[str, ...]) -> str:
    return f"item in ({', '.join(map(_quoted, values))})"


def _kept_list(field: str, is_kept: str) -> str:
    """SQL: a JSON list of texts in which whatever is not allowed is replaced by `other`."""
    return (
        f"case when {field} is null then null when json_array_length({field}) = 0 then '[]' "
        f"else cast(to_json(list_transform(cast({field} as varchar[]), "
        f"lambda item: case when {is_kept} then item else 'other' end)) as varchar) end"
    )


def _merged(parts: list[str]) -> str:
    merged = "'{}'::json"
    for part in parts:
        merged = f"json_merge_patch({merged}, coalesce({part}, '{{}}'::json))"
    return f"cast({merged} as varchar)"


def _hashed_list() -> str:
    # Unknown is not empty: a marker that no text can hold keeps the two apart in the hash.
    return ", ".join(f"coalesce(cast({name} as varchar), chr(30))" for name in HASHED_COLUMNS)
