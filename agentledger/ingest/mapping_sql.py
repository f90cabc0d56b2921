"""The SQL of an expression of a mapping, over one record and nothing else.

Belongs here: turning a tree of `mapping_tree.py` into SQL. Does not belong here: what a
contract field does with the value (`mapped_format.py`).

Every value is text, as a record has it; a value that does not fit where it stands is NULL. Names
and literals of the mapping reach the SQL as quoted literals alone, through `quoted`.
"""

from agentledger.ingest.mapping_tree import (
    Call,
    Each,
    ExpressionError,
    Literal,
    Many,
    Node,
    Operation,
    Path,
    Step,
)

MAX_SQL_CHARACTERS = 40_000
"""Of one field: an expression that needs more is no mapping."""

DOCUMENT_MEMBER = "$"
"""Member of a record under which the reader puts what the mapping asks of the document around."""

_RECORD = "r.record"


def quoted(text: str) -> str:
    """A SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def pointer(steps: tuple[str | int, ...]) -> str:
    """A JSON pointer (RFC 6901): takes any name, with no character that means something else."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


class Compiler:
    """Compiles the expressions of one mapping, which share the places they read.

    Args:
        has_document: Whether the record stands in a document of its own, so that `$` is not it.
    """

    def __init__(self, *, has_document: bool) -> None:
        self.has_document = has_document
        self.places: list[str] = []
        """JSON pointers of the single values that `x` holds, in order."""
        self.document_places: list[tuple[str, ...]] = []
        self._depth = 0

    def text(self, node: Node, base: str | None = None) -> str:
        """SQL of the value as text."""
        return _limited(self._text(node, base))

    def number(self, node: Node, base: str | None = None) -> str:
        """SQL of the value as DOUBLE."""
        return _limited(self._number(node, base))

    def condition(self, node: Node, base: str | None = None) -> str:
        """SQL of the value as BOOLEAN."""
        return _limited(self._condition(node, base))

    def json(self, path: Path) -> str:
        """SQL of what stands at a path, as JSON."""
        return f"json_extract({_RECORD}, {quoted(pointer(self._single_steps(path)))})"

    def values(self, path: Path) -> str:
        """SQL of the list of values along a path through lists."""
        return self._values(path.steps, None)

    def _text(self, node: Node, base: str | None) -> str:
        if isinstance(node, Literal):
            return _literal(node)
        if isinstance(node, Path):
            return self._place(node, base)
        if _is_numeric(node):
            # Whole numbers lose their `.0`: a count of tokens is read as one.
            return f"regexp_replace(cast({self.number(node, base)} as varchar), '[.]0$', '')"
        if _is_truth(node):
            return f"cast({self.condition(node, base)} as varchar)"
        if isinstance(node, Many):  # first, last
            return f"({self._many(node, base)})[{1 if node.name == 'first' else -1}]"
        if isinstance(node, Call):
            return self._text_call(node, base)
        raise ExpressionError("this cannot be read as a value")

    def _text_call(self, node: Call, base: str | None) -> str:
        if node.name == "if":
            condition, then, otherwise = node.arguments
            return (
                f"case when {self.condition(condition, base)} then {self.text(then, base)} "
                f"else {self.text(otherwise, base)} end"
            )
        if node.name == "part":
            text, separator, position = node.arguments
            return (
                f"nullif(split_part({self.text(text, base)}, {self.text(separator, base)}, "
                f"try_cast({self.number(position, base)} as integer)), '')"
            )
        if node.name == "concat":  # unknown when a part of it is
            parts = (self.text(argument, base) for argument in node.arguments)
            return f"({' || '.join(parts)})"
        arguments = ", ".join(self.text(argument, base) for argument in node.arguments)
        return f"{node.name}({arguments})"  # coalesce, lower, upper, trim

    def _number(self, node: Node, base: str | None) -> str:
        if isinstance(node, Operation) and node.operator in _ARITHMETIC:
            left, right = (self.number(operand, base) for operand in node.operands)
            if node.operator == "/":
                right = f"nullif({right}, 0)"
            return f"({left} {node.operator} {right})"
        if isinstance(node, Operation) and node.operator == "negative":
            return f"(-{self.number(node.operands[0], base)})"
        if isinstance(node, Many) and node.name in ("sum", "min", "max"):
            numbers = f"list_transform({self._many(node, base)}, lambda v: try_cast(v as double))"
            return f"list_{node.name}({numbers})"
        if isinstance(node, Many) and node.name == "count":
            return f"cast(len({self._many(node, base)}) as double)"
        if isinstance(node, Call) and node.name == "seconds_between":
            start, end = (
                f"epoch(try_cast({self.text(item, base)} as timestamptz))"
                for item in node.arguments
            )
            return f"({end} - {start})"
        return f"try_cast({self.text(node, base)} as double)"

    def _condition(self, node: Node, base: str | None) -> str:
        if isinstance(node, Literal) and isinstance(node.value, bool):
            return "true" if node.value else "false"
        if isinstance(node, Operation) and node.operator in ("and", "or"):
            left, right = (self.condition(operand, base) for operand in node.operands)
            return f"({left} {node.operator} {right})"
        if isinstance(node, Operation) and node.operator == "not":
            return f"(not {self.condition(node.operands[0], base)})"
        if isinstance(node, Operation) and node.operator in _COMPARED:
            return self._compared(node, base)
        if isinstance(node, Call) and node.name in ("contains", "starts_with"):
            text, part = (self.text(argument, base) for argument in node.arguments)
            return f"{node.name}({text}, {part})"
        return f"try_cast({self.text(node, base)} as boolean)"

    def _compared(self, node: Operation, base: str | None) -> str:
        left, right = node.operands
        operator = _COMPARED[node.operator]
        for one, other in ((left, right), (right, left)):
            if isinstance(one, Literal) and one.value is None:
                is_known = node.operator == "!="
                if node.operator not in ("==", "!="):
                    raise ExpressionError(f"`{node.operator} null` is never true; use == or !=")
                return f"({self.text(other, base)} is {'not ' if is_known else ''}null)"
        if any(_is_numeric(item) for item in node.operands):
            return f"({self.number(left, base)} {operator} {self.number(right, base)})"
        if any(_is_truth(item) for item in node.operands):
            return f"({self.condition(left, base)} {operator} {self.condition(right, base)})"
        return f"({self.text(left, base)} {operator} {self.text(right, base)})"

    def _place(self, path: Path, base: str | None) -> str:
        """A single value: of the record by its number in `x`, of a member of a list by pointer."""
        if base is not None and not path.is_of_document:
            return f"json_extract_string({base}, {quoted(pointer(_single(path)))})"
        place = pointer(self._single_steps(path))
        if place not in self.places:
            self.places.append(place)
        return f"x[{self.places.index(place) + 1}]"

    def _single_steps(self, path: Path) -> tuple[str | int, ...]:
        steps = _single(path)
        if not path.is_of_document or not self.has_document:
            return steps
        names = tuple(str(step) for step in steps)
        if names not in self.document_places:
            self.document_places.append(names)
        return (DOCUMENT_MEMBER, ".".join(names))

    def _many(self, node: Many, base: str | None) -> str:
        """The known values along a path through lists."""
        path = node.path
        if path.is_of_document and self.has_document:
            raise ExpressionError("a list outside the record cannot be read; name one inside it")
        values = self._values(path.steps, base if not path.is_of_document else None)
        return _limited(f"list_filter({values}, lambda v: v is not null)")

    def _values(self, steps: "Steps", base: str | None) -> str:
        before, each, after = _cut(steps)
        place = quoted(pointer(before))
        members = f"json_extract(json_extract({base or _RECORD}, {place}), '$[*]')"
        self._depth += 1
        item = f"item{self._depth}"
        if each.condition is not None:
            wanted = self.condition(each.condition, item)
            members = f"list_filter({members}, lambda {item}: {wanted})"
        if any(isinstance(step, Each) for step in after):
            inner = self._values(after, item)
            values = f"flatten(list_transform({members}, lambda {item}: {inner}))"
        else:
            inner = f"json_extract_string({item}, {quoted(pointer(_single(Path(after))))})"
            values = f"list_transform({members}, lambda {item}: {inner})"
        self._depth -= 1
        return _limited(values)


_ARITHMETIC = frozenset({"+", "-", "*", "/"})
_COMPARED = {"==": "=", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_NUMERIC_CALLS = frozenset({"sum", "min", "max", "count", "seconds_between"})

Steps = tuple[Step, ...]


def _cut(steps: Steps) -> tuple[tuple[str | int, ...], Each, Steps]:
    """The steps before the first list, the list, the steps after it."""
    before: list[str | int] = []
    for number, step in enumerate(steps):
        if isinstance(step, Each):
            return tuple(before), step, steps[number + 1 :]
        before.append(step)
    raise ExpressionError("the path goes through no list")


def _is_numeric(node: Node) -> bool:
    if isinstance(node, Literal):
        return node.is_number
    if isinstance(node, Operation):
        return node.operator in _ARITHMETIC or node.operator == "negative"
    return isinstance(node, (Call, Many)) and node.name in _NUMERIC_CALLS


def _is_truth(node: Node) -> bool:
    if isinstance(node, Literal):
        return isinstance(node.value, bool)
    if isinstance(node, Operation):
        return not _is_numeric(node)
    return isinstance(node, Call) and node.name in ("contains", "starts_with")


def _literal(node: Literal) -> str:
    if node.value is None:
        return "cast(null as varchar)"
    if isinstance(node.value, bool):
        return "'true'" if node.value else "'false'"
    return quoted(node.value)


def _single(path: Path) -> tuple[str | int, ...]:
    steps = tuple(step for step in path.steps if not isinstance(step, Each))
    if len(steps) != len(path.steps):
        raise ExpressionError(
            "a path through a list has many values; say which: sum(...), first(...), count(...)"
        )
    return steps


def _limited(sql: str) -> str:
    if len(sql) > MAX_SQL_CHARACTERS:
        raise ExpressionError("the expression is too large; split the log or simplify it")
    return sql
