"""Parses OData `$filter` expressions; what may be filtered by which property is the resource's business.

    or-expression   := and-expression { "or" and-expression }
    and-expression  := term { "and" term }
    term            := "not" term | "(" or-expression ")" | path "/any(" name ":" or-expression ")"
                     | ("startswith" | "contains" | "endswith") "(" path "," literal ")"
                     | path ("eq" | "ne" | "gt" | "ge" | "lt" | "le") literal
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..refusal import Refusal

_TOKEN = re.compile(r"\s*(?:'(?:[^']|'')*'"                      # text
                    r"|\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-][\d:]+)?)?"     # a date or an instant
                    r"|[\w.@+-]+(?:/[\w.@+-]+)*"                # a path, an operator, another literal
                    r"|[(),:])")
_COMPARISONS = frozenset({"eq", "ne", "gt", "ge", "lt", "le"})
_FUNCTIONS = frozenset({"startswith", "contains", "endswith"})


@dataclass(frozen=True, slots=True)
class Compare:
    """`path operator value`; functions are operators, too. `path` may begin with a lambda's variable."""

    operator: str
    path: tuple[str, ...]
    value: str | bool | None


@dataclass(frozen=True, slots=True)
class AnyOf:
    """`path/any(variable: condition)`."""

    path: tuple[str, ...]
    variable: str
    condition: Node


@dataclass(frozen=True, slots=True)
class Both:
    """`left and right`, or `left or right`."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Not:
    """`not term`."""

    term: Node


Node = Compare | AnyOf | Both | Not
Predicate = Callable[[Any], bool]


def parse(text: str) -> Node:
    """The expression as a tree. Raises `Refusal` (400) for what is none."""
    parser = _Parser(text)
    node = parser.either()
    if parser.peek():
        raise invalid_filter(text)
    return node


def compiled(node: Node, leaf: Callable[[Compare | AnyOf], Predicate]) -> Predicate:
    """A function that says whether an item meets the expression; `leaf` makes those of the comparisons."""
    if isinstance(node, Both):
        left, right = compiled(node.left, leaf), compiled(node.right, leaf)
        if node.operator == "and":
            return lambda item: left(item) and right(item)
        return lambda item: left(item) or right(item)
    if isinstance(node, Not):
        term = compiled(node.term, leaf)
        return lambda item: not term(item)
    return leaf(node)


def holds(operator: str, actual: Any, wanted: str | bool | None) -> bool:
    """Compare as the directory and Exchange do: text without case."""
    if wanted is None or actual is None:
        return (actual in (None, "")) == (operator == "eq") if wanted is None else operator == "ne"
    if isinstance(wanted, bool) or isinstance(actual, bool):
        return (actual == wanted) == (operator == "eq")
    left, right = str(actual).lower(), wanted.lower()
    match operator:
        case "eq":
            return left == right
        case "ne":
            return left != right
        case "startswith":
            return left.startswith(right)
        case "endswith":
            return left.endswith(right)
        case "contains":
            return right in left
        case "gt" | "ge":
            return left > right or (operator == "ge" and left == right)
        case _:
            return left < right or (operator == "le" and left == right)


def properties(node: Node) -> list[str]:
    """The first segments of all paths, in order."""
    if isinstance(node, Both):
        return properties(node.left) + properties(node.right)
    return properties(node.term) if isinstance(node, Not) else [node.path[0]]


def invalid_filter(text: str = "") -> Refusal:
    """400 for a `$filter` that cannot be read or is not supported."""
    return Refusal(400, "ErrorInvalidUrlQueryFilter",
                   "The query filter contains one or more invalid nodes." + (f" ({text})" if text else ""))


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[str] = []
        place = 0
        while place < len(text.rstrip()):
            match = _TOKEN.match(text, place)
            if match is None:
                raise invalid_filter(text)
            self.tokens.append(match[0].strip())
            place = match.end()
        self.place = 0

    def peek(self) -> str:
        return self.tokens[self.place] if self.place < len(self.tokens) else ""

    def take(self, expected: str = "") -> str:
        token = self.peek()
        if not token or (expected and token.lower() != expected):
            raise invalid_filter(self.text)
        self.place += 1
        return token

    def either(self) -> Node:
        node = self.both()
        while self.peek().lower() == "or":
            self.take()
            node = Both("or", node, self.both())
        return node

    def both(self) -> Node:
        node = self.term()
        while self.peek().lower() == "and":
            self.take()
            node = Both("and", node, self.term())
        return node

    def term(self) -> Node:
        if self.peek().lower() == "not":
            self.take()
            return Not(self.term())
        if self.peek() == "(":
            self.take()
            node = self.either()
            self.take(")")
            return node
        word = self.take()
        if word.lower() in _FUNCTIONS and self.peek() == "(":
            return self.function(word.lower())
        path = tuple(word.split("/"))
        if path[-1].lower() == "any" and self.peek() == "(":
            return self.any_of(path[:-1])
        operator = self.take().lower()
        if operator not in _COMPARISONS or word.startswith("'"):
            raise invalid_filter(self.text)
        return Compare(operator, path, self.literal())

    def function(self, name: str) -> Node:
        self.take("(")
        path = tuple(self.take().split("/"))
        self.take(",")
        value = self.literal()
        self.take(")")
        return Compare(name, path, value)

    def any_of(self, path: tuple[str, ...]) -> Node:
        self.take("(")
        variable = self.take()
        self.take(":")
        condition = self.either()
        self.take(")")
        if not path or not variable:
            raise invalid_filter(self.text)
        return AnyOf(path, variable, condition)

    def literal(self) -> str | bool | None:
        token = self.take()
        if token.startswith("'"):
            return token[1:-1].replace("''", "'")
        return {"null": None, "true": True, "false": False}.get(token.lower(), token)
