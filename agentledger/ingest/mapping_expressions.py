"""The expressions of a mapping file: what they may say, and how they are read.

Belongs here: tokens, grammar, limits. Does not belong here: the tree they become
(`mapping_tree.py`), its SQL (`mapping_sql.py`), the mapping file around it (`mapping.py`).

The language is closed: paths into the record, literals, operators and the functions of `FUNCTIONS`.
There is no word in it for a file, a table, a setting or a statement, so a mapping written by a
stranger can read nothing but the record in front of it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from agentledger.ingest.mapping_tree import (
    FUNCTIONS,
    LIST_FUNCTIONS,
    SCALAR_FUNCTIONS,
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

MAX_CHARACTERS = 2000
"""Of one expression; the longest of the shipped ones has under 100."""

MAX_DEPTH = 20
"""Brackets and operators inside one another."""

MAX_EACH = 3
"""Lists inside lists that one path may walk through."""

_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+)
    | (?P<number>[0-9]{1,15}(?:\.[0-9]{1,15})?(?:[eE][+-]?[0-9]{1,3})?)
    | (?P<text>"[^"]*"|'[^']*')
    | (?P<quoted>`[^`]+`)
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<mark>\?\?|==|!=|<=|>=|[-+*/<>().,\[\]$])""",
    re.VERBOSE,
)
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_WORDS = frozenset({"and", "or", "not", "true", "false", "null"})
_COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    position: int


def parse(text: str) -> Node:
    """Read one expression.

    Raises:
        ExpressionError: When it is not of the language, too long or nested too deep.
    """
    parser = _Parser(_tokens(text))
    node = parser.expression(0)
    if parser.kind != "end":
        raise parser.unexpected("the expression should end here")
    return node


def parse_path(text: str) -> Path:
    """Read an expression that must be a path.

    Raises:
        ExpressionError: When it is not one.
    """
    node = parse(text)
    if not isinstance(node, Path):
        raise ExpressionError(f"`{text}` is no path; write names with dots, such as run.cost")
    return node


def is_unprintable(text: str) -> bool:
    """Whether a text holds what no name or value of a log is looked for with."""
    return _UNPRINTABLE.search(text) is not None


def _tokens(text: str) -> list[_Token]:
    if len(text) > MAX_CHARACTERS:
        raise ExpressionError(
            f"the expression has {len(text)} characters; at most {MAX_CHARACTERS} are read"
        )
    bad = _UNPRINTABLE.search(text)
    if bad is not None:
        raise ExpressionError(
            f"there is a control character at character {bad.start() + 1}; remove it"
        )
    tokens, position = [], 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ExpressionError(
                f"`{text[position]}` at character {position + 1} is not part of the language; "
                "a name with other characters than letters, digits and _ stands in `backticks`"
            )
        kind = match.lastgroup or ""
        if kind == "name" and match.group() in _WORDS:
            kind = "word"
        if kind != "space":
            tokens.append(_Token(kind, match.group(), position))
        position = match.end()
    tokens.append(_Token("end", "", len(text)))
    return tokens


class _Parser:
    """One token ahead, one method per level of binding."""

    def __init__(self, tokens: list[_Token]) -> None:
        self.tokens = tokens
        self.at = 0

    @property
    def kind(self) -> str:
        return self.tokens[self.at].kind

    def is_next(self, *texts: str) -> bool:
        token = self.tokens[self.at]
        return token.kind in ("mark", "word") and token.text in texts

    def take(self) -> _Token:
        token = self.tokens[self.at]
        if token.kind != "end":
            self.at += 1
        return token

    def unexpected(self, what: str) -> ExpressionError:
        token = self.tokens[self.at]
        found = "the expression ends" if token.kind == "end" else f"found `{token.text}`"
        return ExpressionError(f"{found} at character {token.position + 1}: {what}")

    def expect(self, mark: str) -> None:
        if not self.is_next(mark):
            raise self.unexpected(f"`{mark}` is missing")
        self.take()

    def expression(self, depth: int) -> Node:
        """The loosest binding: `a ?? b`, the first that is known."""
        if depth > MAX_DEPTH:
            raise ExpressionError(f"the expression is nested deeper than {MAX_DEPTH} levels")
        members = [self._either(depth)]
        while self.is_next("??"):
            self.take()
            members.append(self._either(depth))
        return members[0] if len(members) == 1 else Call("coalesce", tuple(members))

    def _either(self, depth: int) -> Node:
        return self._chain(("or",), self._both, depth)

    def _both(self, depth: int) -> Node:
        return self._chain(("and",), self._denied, depth)

    def _denied(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise ExpressionError(f"the expression is nested deeper than {MAX_DEPTH} levels")
        if self.is_next("not"):
            self.take()
            return Operation("not", (self._denied(depth + 1),))
        return self._compared(depth)

    def _compared(self, depth: int) -> Node:
        left = self._sum(depth)
        if not self.is_next(*_COMPARISONS):
            return left
        operator = self.take().text
        return Operation(operator, (left, self._sum(depth)))

    def _sum(self, depth: int) -> Node:
        return self._chain(("+", "-"), self._product, depth)

    def _product(self, depth: int) -> Node:
        return self._chain(("*", "/"), self._signed, depth)

    def _chain(self, operators: tuple[str, ...], level: Callable[[int], Node], depth: int) -> Node:
        node = level(depth)
        links = 0
        while self.is_next(*operators):
            links += 1
            if links > MAX_DEPTH:  # each link nests its left side one deeper
                raise ExpressionError(f"more than {MAX_DEPTH} `{operators[0]}` in a row")
            node = Operation(self.take().text, (node, level(depth)))
        return node

    def _signed(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise ExpressionError(f"the expression is nested deeper than {MAX_DEPTH} levels")
        if self.is_next("-"):
            self.take()
            return Operation("negative", (self._signed(depth + 1),))
        return self._single(depth)

    def _single(self, depth: int) -> Node:
        if self.is_next("("):
            self.take()
            node = self.expression(depth + 1)
            self.expect(")")
            return node
        if self.is_next("$"):
            self.take()
            self.expect(".")
            return self._path(depth, is_of_document=True)
        if self.kind == "number":
            return Literal(self.take().text, is_number=True)
        if self.kind == "text":
            return Literal(self.take().text[1:-1])
        if self.is_next("true", "false", "null"):
            word = self.take().text
            return Literal(None if word == "null" else word == "true")
        if self.kind == "name" and self.tokens[self.at + 1].text == "(":
            return self._call(depth)
        if self.kind in ("name", "quoted"):
            return self._path(depth, is_of_document=False)
        raise self.unexpected("expected a name, a literal or a bracket")

    def _call(self, depth: int) -> Node:
        token = self.tokens[self.at]
        if token.text not in FUNCTIONS:
            raise self.unexpected(
                f"there is no such function; there are {', '.join(sorted(FUNCTIONS))}"
            )
        self.take()
        self.take()
        arguments = [self.expression(depth + 1)]
        while self.is_next(","):
            self.take()
            arguments.append(self.expression(depth + 1))
        self.expect(")")
        return _called(token.text, arguments)

    def _path(self, depth: int, *, is_of_document: bool) -> Path:
        steps: list[Step] = [self._name()]
        while self.is_next(".", "["):
            if self.take().text == ".":
                steps.append(self._name())
            else:
                steps.append(self._bracket(depth))
        if sum(isinstance(step, Each) for step in steps) > MAX_EACH:
            raise ExpressionError(f"a path may walk through at most {MAX_EACH} lists")
        return Path(tuple(steps), is_of_document)

    def _name(self) -> str:
        if self.kind == "quoted":
            return self.take().text[1:-1]
        if self.kind == "name":
            return self.take().text
        raise self.unexpected("expected the name of a member; one like `and` needs backticks")

    def _bracket(self, depth: int) -> Step:
        if self.is_next("]"):
            self.take()
            return Each(None)
        if self.is_next("-"):
            raise self.unexpected("members are counted from 0; the last is last(path[])")
        token = self.tokens[self.at]
        if token.kind == "number" and token.text.isdigit() and self.tokens[self.at + 1].text == "]":
            self.at += 2
            return int(token.text)
        condition = self.expression(depth + 1)
        self.expect("]")
        return Each(condition)


def _called(name: str, arguments: list[Node]) -> Node:
    if name in LIST_FUNCTIONS:
        path = arguments[0]
        if len(arguments) != 1 or not isinstance(path, Path) or not path.is_many:
            raise ExpressionError(
                f"`{name}` takes one path through a list, such as {name}(calls[].tokens)"
            )
        return Many(name, path)
    fewest, most = SCALAR_FUNCTIONS[name]
    if not fewest <= len(arguments) <= most:
        raise ExpressionError(
            f"`{name}` takes {fewest if fewest == most else f'{fewest} to {most}'} value(s), "
            f"found {len(arguments)}"
        )
    return Call(name, tuple(arguments))
