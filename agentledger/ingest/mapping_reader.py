"""Checking a mapping file, member by member.

Belongs here: what each member may be, and a complaint that says file, line, field and what to do.
Does not belong here: what a mapping is (`mapping.py`), its expressions
(`mapping_expressions.py`).
"""

import json
import re
from typing import Any

from agentledger.errors import UsageError
from agentledger.ingest import mapping_expressions
from agentledger.ingest.mapping import (
    FIELDS,
    UNITS,
    MappedField,
    Mapping,
    MappingError,
    Scalar,
    fingerprint,
)
from agentledger.ingest.mapping_tree import ExpressionError, Literal, Node
from agentledger.zones import check_zone

_KEYS = frozenset(
    {"name", "title", "records", "requires", "where", "ignore", "zone", "delimiter", "fields"}
)
_FIELD_KEYS = frozenset({"from", "value", "unit", "map", "otherwise", "unknown"})
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_MAX_ENTRIES = 200


class MappingReader:
    """Checks one document; every complaint says where."""

    def __init__(self, reference: str, text: str) -> None:
        self.reference = reference
        self.lines = text.splitlines()

    def mapping(self, document: dict[str, Any]) -> Mapping:
        """The mapping that a document is, once every member of it was looked at."""
        self._known(document, _KEYS, None)
        name = document.get("name")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise self.error(
                "name", 'needs `name = "..."` of up to 40 small letters, digits, - and _'
            )
        fields = document.get("fields")
        if not isinstance(fields, dict):
            raise self.error("fields", "needs a table [fields] that fills agent_id and occurred_at")
        self._known(fields, frozenset(FIELDS), "fields")
        for needed in ("agent_id", "occurred_at"):
            if needed not in fields:
                raise self.error("fields", f"`{needed}` is missing; an event cannot be without it")
        zone = document.get("zone")
        if zone is not None:
            self._zone(zone)
        return Mapping(
            name=name,
            reference=self.reference,
            fingerprint=fingerprint(document),
            fields={field: self._field(field, value) for field, value in fields.items()},
            records=self._records(document.get("records", "lines")),
            requires=self._names(document, "requires"),
            where=self._where(document.get("where")),
            ignored=frozenset(self._names(document, "ignore")),
            zone=zone,
            delimiter=self._delimiter(document.get("delimiter", ",")),
        )

    def error(self, key: str, what: str) -> MappingError:
        """A complaint about a member, with its place in the file."""
        line = self._line_of(key)
        where = self.reference if line is None else f"{self.reference}, line {line}"
        return MappingError(f"{where}: {key}: {what}.")

    def _line_of(self, key: str) -> int | None:
        pattern = re.compile(rf"\s*\[?\s*[\"']?(fields\.)?{re.escape(key)}[\"']?\s*(=|\]|\.)")
        matches = (number for number, line in enumerate(self.lines, 1) if pattern.match(line))
        return next(matches, None)

    def _known(self, table: dict[str, Any], known: frozenset[str], inside: str | None) -> None:
        for key in table:
            if key not in known:
                place = f"in [{inside}]" if inside else "in a mapping"
                raise self.error(
                    key[:80], f"is not known {place}; known are {', '.join(sorted(known))}"
                )

    def _expression(self, key: str, text: str) -> Node:
        try:
            return mapping_expressions.parse(text)
        except ExpressionError as error:
            raise self.error(key, str(error)) from error

    def _field(self, field: str, value: Any) -> MappedField:
        table = value if isinstance(value, dict) else {"from": value}
        self._known(table, _FIELD_KEYS, f"fields.{field}")
        if isinstance(table.get("from"), str) and "value" not in table:
            source = table["from"]
            node = self._expression(field, source)
        else:
            given = table.get("value", table.get("from"))
            if not _is_scalar(given) or len(table.keys() & {"from", "value"}) != 1:
                raise self.error(
                    field, "needs either an expression (`from`), or a constant (`value`)"
                )
            constant = self._needed(field, given)
            node, source = _constant(constant), json.dumps(constant)
        unit = table.get("unit")
        self._unit(field, unit, node)
        return MappedField(
            node=node,
            source=source,
            unit=unit,
            choices=self._choices(field, table.get("map")),
            otherwise=self._scalar(field, table.get("otherwise")),
            unknown=tuple(self._list(field, table.get("unknown", []))),
        )

    def _unit(self, field: str, unit: Any, node: Node) -> None:
        units = UNITS.get(field)
        if units is None:
            if unit is not None:
                raise self.error(field, f"takes no unit; only {', '.join(UNITS)} do")
        elif not isinstance(unit, str) or unit not in units:
            if unit is None and isinstance(node, Literal) and node.value is None:
                return
            raise self.error(
                field,
                f'say in which unit it is: {field} = {{ from = "...", unit = "..." }} with one of '
                f"{', '.join(units)}",
            )

    def _choices(self, field: str, given: Any) -> tuple[tuple[Scalar, Scalar], ...] | None:
        if given is None:
            return None
        if not isinstance(given, dict) or not 1 <= len(given) <= _MAX_ENTRIES:
            raise self.error(
                field, 'needs `map` as a table such as { resolved = true, "0" = false }'
            )
        return tuple(
            (self._text(field, name), self._needed(field, value)) for name, value in given.items()
        )

    def _list(self, field: str, given: Any) -> list[Scalar]:
        if not isinstance(given, list) or len(given) > _MAX_ENTRIES:
            raise self.error(field, "needs a list of texts or numbers")
        return [self._needed(field, value) for value in given]

    def _needed(self, field: str, value: Any) -> Scalar:
        found = self._scalar(field, value)
        if found is None:
            raise self.error(field, "holds something that is no text, number or truth value")
        return found

    def _scalar(self, field: str, value: Any) -> Scalar | None:
        if value is not None and not _is_scalar(value):
            raise self.error(field, "holds something that is no text, number or truth value")
        return self._text(field, value) if isinstance(value, str) else value

    def _text(self, field: str, value: str) -> str:
        if mapping_expressions.is_unprintable(value):
            raise self.error(field, "holds a control character; remove it")
        return value

    def _names(self, document: dict[str, Any], key: str) -> tuple[str, ...]:
        return tuple(str(name) for name in self._list(key, document.get(key, [])))

    def _where(self, given: Any) -> Node | None:
        if given is None:
            return None
        if not isinstance(given, str):
            raise self.error("where", "needs an expression in quotes")
        return self._expression("where", given)

    def _records(self, given: Any) -> str | tuple[str, ...]:
        if given in ("lines", "document"):
            return given
        try:
            path = mapping_expressions.parse_path(given if isinstance(given, str) else "")
        except ExpressionError as error:
            raise self.error("records", str(error)) from error
        names = tuple(step for step in path.steps if isinstance(step, str))
        if not path.is_of_document or len(names) != len(path.steps):
            raise self.error(
                "records", 'must be "lines", "document", or the place of a list: "$.runs"'
            )
        return names

    def _zone(self, zone: Any) -> None:
        try:
            check_zone(self._text("zone", zone) if isinstance(zone, str) else "?")
        except UsageError as error:
            raise self.error("zone", str(error).rstrip(".")) from error

    def _delimiter(self, given: Any) -> str:
        if given not in (",", ";", "\t", "|"):
            raise self.error("delimiter", 'must be one of "," ";" "\\t" "|"')
        return given


def _is_scalar(value: Any) -> bool:
    return isinstance(value, (str, bool, int, float))


def _constant(value: Scalar) -> Node:
    if isinstance(value, bool):
        return Literal(value)
    return Literal(str(value), is_number=not isinstance(value, str))
