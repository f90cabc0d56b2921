"""A mapping as a format of events: the same allow-list as our own contract, filled by expressions.

Belongs here: which SQL fills which field, units, choices. Does not belong here: expressions
(`mapping_sql.py`), what may be kept of a field (`event_columns.py`), records
(`mapped_records.py`).

What a mapping fills is still judged field by field like an event of the contract, so that no free
text gets through, whatever an expression points at.
"""

from collections.abc import Mapping as Dictionary
from dataclasses import dataclass

from agentledger.ingest import event_columns as kept
from agentledger.ingest.event_format import EventFormat
from agentledger.ingest.mapping import (
    FIELDS,
    UNITS,
    MappedField,
    Mapping,
    MappingError,
    Scalar,
)
from agentledger.ingest.mapping_sql import DOCUMENT_MEMBER, Compiler, pointer, quoted
from agentledger.ingest.mapping_tree import Each, ExpressionError, Node, Path, paths_of
from agentledger.ingest.usage_formats import USAGE_COLUMNS

LEFT_OUT = "is_left_out"
"""Staged column: the mapping's `where` does not hold."""

_COLUMNS = {
    **{name: sql for name, sql in USAGE_COLUMNS.items() if name != "schema_version"},
    "started_at": kept.time("started_at"),
    "model_version": kept.name("model_version"),
}


@dataclass(frozen=True, slots=True)
class MappedFormat:
    """A mapping, compiled."""

    mapping: Mapping
    format: EventFormat
    document_places: tuple[tuple[str, ...], ...]
    """Places of the document around a record that its expressions read."""


def compiled(mapping: Mapping) -> MappedFormat:
    """Compile a mapping.

    Raises:
        MappingError: When an expression cannot stand where it stands.
    """
    compiler = Compiler(has_document=isinstance(mapping.records, tuple))
    values: dict[str, str] = {name: "cast(null as varchar)" for name in FIELDS}  # noqa: C420 - type
    values["patterns"] = "cast(null as json)"
    for field, mapped in mapping.fields.items():
        try:
            values[field] = f"try({_field_sql(compiler, field, mapped)})"
        except ExpressionError as error:
            raise MappingError(f"{mapping.reference}: {field}: {error}.") from error
    left_out = "false"
    if mapping.where is not None:
        try:
            left_out = f"not coalesce(try({compiler.condition(mapping.where)}), false)"
        except ExpressionError as error:
            raise MappingError(f"{mapping.reference}: where: {error}.") from error
    packed = ", ".join(
        f"{field} := {sql}" for field, sql in (*values.items(), (LEFT_OUT, left_out))
    )
    places = ", ".join(map(quoted, compiler.places or [""]))
    known = _known_names(mapping)
    alternatives = _told_by(mapping)
    return MappedFormat(
        mapping,
        EventFormat(
            name=mapping.format_name,
            told_by=alternatives,
            fields={},
            columns={**_COLUMNS, LEFT_OUT: f"x.{LEFT_OUT}"},
            free_fields=("agent_id", "task_type", "model"),
            identity="event_id",
            must_have=f"(({LEFT_OUT} and len(names) > 0) or {_has_one_of(alternatives)})",
            project_field="project_id",
            known_names=known,
            other_table="usage_events",
            row_select=f"* exclude ({LEFT_OUT}), 'mapped:{mapping.name}' as variant",
            reads=f"try(json_extract_string(r.record, [{places}]))",
            rewrites=f"struct_pack({packed})",
            rewritten=(*values, LEFT_OUT),
            keyed_as=f"mapped:{mapping.name}",
            glimpses=_glimpses(mapping) if mapping.looks_inside else {},
            unknown_inside="unmapped_inside" if mapping.looks_inside else None,
        ),
        tuple(compiler.document_places),
    )


def _field_sql(compiler: Compiler, field: str, mapped: MappedField) -> str:
    if field == "patterns":
        return _patterns_sql(compiler, mapped)
    text = compiler.text(mapped.node)
    if mapped.unknown:
        text = f"case when {_is_one_of(text, mapped.unknown)} then null else {text} end"
    if mapped.choices is not None:
        tests = " ".join(
            f"when {_is_one_of(text, (found,))} then {_scalar(meant)}"
            for found, meant in mapped.choices
        )
        otherwise = "null" if mapped.otherwise is None else _scalar(mapped.otherwise)
        text = f"case {tests} else {otherwise} end"
    elif mapped.otherwise is not None:
        text = f"coalesce({text}, {_scalar(mapped.otherwise)})"
    units = UNITS.get(field)
    factor = units.get(mapped.unit or "") if units is not None else None
    return text if factor in (None, "1") else _scaled(text, str(factor))


def _patterns_sql(compiler: Compiler, mapped: MappedField) -> str:
    node = mapped.node
    if mapped.choices or mapped.unknown or mapped.otherwise is not None:
        raise ExpressionError("takes a path alone")
    if not isinstance(node, Path):
        raise ExpressionError("needs a path to a list of names, or to an object name -> count")
    return f"to_json({compiler.values(node)})" if node.is_many else compiler.json(node)


def _scaled(text: str, factor: str) -> str:
    """A number in another unit; exact in decimals, so that 0.0001107 USD are 0.01107 cents."""
    exact = (
        f"cast(try_cast({text} as decimal(30, 15)) * cast('{factor}' as decimal(15, 9)) as double)"
    )
    product = f"coalesce(try({exact}), try_cast({text} as double) * {float(factor)!r})"
    return f"regexp_replace(cast({product} as varchar), '[.]0$', '')"


def _is_one_of(text: str, values: tuple[Scalar, ...]) -> str:
    tests = []
    for value in values:
        tests.append(f"{text} = {_scalar(value)}")
        number = _as_number(value)
        if number is not None:  # 1 and 1.0 are the same number
            tests.append(f"try_cast({text} as double) = cast({quoted(number)} as double)")
    return "(" + " or ".join(tests) + ")"


def _as_number(value: Scalar) -> str | None:
    if isinstance(value, bool):
        return None
    try:
        return repr(float(value))
    except (ValueError, OverflowError):
        return None


def _scalar(value: Scalar) -> str:
    if isinstance(value, bool):
        return "'true'" if value else "'false'"
    return quoted(str(value))


def _used(mapping: Mapping) -> list[Path]:
    nodes: list[Node] = [mapped.node for mapped in mapping.fields.values()]
    if mapping.where is not None:
        nodes.append(mapping.where)
    has_document = isinstance(mapping.records, tuple)
    return [
        path for node in nodes for path in paths_of(node)
        if not (path.is_of_document and has_document)
    ]  # fmt: skip


def _known_names(mapping: Mapping) -> frozenset[str]:
    used = {str(path.steps[0]) for path in _used(mapping)}
    ignored = {name for name in mapping.ignored if "." not in name}
    return frozenset({*used, *ignored, *mapping.requires, DOCUMENT_MEMBER})


def _told_by(mapping: Mapping) -> tuple[frozenset[str], ...]:
    """What tells a record of this log: what it requires, else anything that tells its time."""
    if mapping.requires:
        return (frozenset(mapping.requires),)
    times = [
        frozenset({str(path.steps[0])})
        for path in paths_of(mapping.fields["occurred_at"].node)
        if not (path.is_of_document and isinstance(mapping.records, tuple))
    ]
    return tuple(dict.fromkeys(times)) or (frozenset(),)


def _has_one_of(alternatives: tuple[frozenset[str], ...]) -> str:
    if frozenset() in alternatives:
        return "len(names) >= 0"
    tests = (
        "list_has_all(names, [" + ", ".join(map(quoted, sorted(names))) + "])"
        for names in alternatives
    )
    return "(" + " or ".join(tests) + ")"


def _glimpses(mapping: Mapping) -> Dictionary[str, str]:
    """The unmapped members of objects of which another member is mapped, with dots."""
    inside: dict[tuple[str, ...], set[str]] = {}
    for path in _used(mapping):
        names = [step for step in path.steps if not isinstance(step, Each)]
        if len(names) != len(path.steps):
            continue  # members of lists are not listed: there may be thousands of kinds
        for length in range(1, len(names)):
            parent = tuple(str(name) for name in names[:length])
            inside.setdefault(parent, set()).add(str(names[length]))
    lists = []
    for parent, used in sorted(inside.items()):
        dotted = ".".join(parent) + "."
        ignored = {name[len(dotted) :] for name in mapping.ignored if name.startswith(dotted)}
        known = ", ".join(map(quoted, sorted(used | ignored)))
        lists.append(
            f"list_transform(list_filter(try(json_keys(x.record, {quoted(pointer(parent))})), "
            f"lambda k: not list_contains([{known}], k)), lambda k: {quoted(dotted)} || k)"
        )
    return {"unmapped_inside": f"list_concat({', '.join(lists)}, []::varchar[])" if lists else "[]"}
