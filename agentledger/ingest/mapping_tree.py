"""The tree of an expression of a mapping: what a mapping can say at all.

Belongs here: the nodes, the functions there are. Does not belong here: how a text becomes a tree
(`mapping_expressions.py`), how a tree becomes SQL (`mapping_sql.py`).
"""

from collections.abc import Iterator
from dataclasses import dataclass

SCALAR_FUNCTIONS = {
    "coalesce": (1, 20),
    "concat": (2, 20),
    "if": (3, 3),
    "lower": (1, 1),
    "upper": (1, 1),
    "trim": (1, 1),
    "part": (3, 3),
    "contains": (2, 2),
    "starts_with": (2, 2),
    "seconds_between": (2, 2),
}
"""Function of single values → fewest and most arguments."""

LIST_FUNCTIONS = frozenset({"sum", "min", "max", "count", "first", "last"})
"""Functions that make one value of a path through a list."""

FUNCTIONS = frozenset({*SCALAR_FUNCTIONS, *LIST_FUNCTIONS})


class ExpressionError(ValueError):
    """The expression is not of the language; the text says where and what to do."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A text, number or truth value that stands in the mapping; None is unknown."""

    value: str | bool | None
    is_number: bool = False


@dataclass(frozen=True, slots=True)
class Each:
    """Every member of a list, or those for which a condition holds."""

    condition: "Node | None"


Step = str | int | Each


@dataclass(frozen=True, slots=True)
class Path:
    """A place in the record, or in the document around it."""

    steps: tuple[Step, ...]
    is_of_document: bool = False

    @property
    def is_many(self) -> bool:
        """Whether it walks through a list."""
        return any(isinstance(step, Each) for step in self.steps)


@dataclass(frozen=True, slots=True)
class Many:
    """A function of `LIST_FUNCTIONS` over the known values along a path through lists."""

    name: str
    path: Path


@dataclass(frozen=True, slots=True)
class Call:
    """A function of `SCALAR_FUNCTIONS`."""

    name: str
    arguments: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Operation:
    """An operator: one of `== != < <= > >= + - * / and or not negative`."""

    operator: str
    operands: "tuple[Node, ...]"


Node = Literal | Path | Many | Call | Operation


def paths_of(node: Node) -> Iterator[Path]:
    """Every path in a tree; those in the conditions of a list are not told apart."""
    if isinstance(node, Path):
        yield node
    elif isinstance(node, Many):
        yield node.path
    elif isinstance(node, Call):
        for argument in node.arguments:
            yield from paths_of(argument)
    elif isinstance(node, Operation):
        for operand in node.operands:
            yield from paths_of(operand)
