"""What pages are made of: tables, and the words that stand below a constant in the code."""

import ast
import inspect
from collections.abc import Iterable, Sequence
from itertools import pairwise
from types import ModuleType
from typing import Final

GENERATED: Final = "<!-- Written by `python -m services.documents` from {}; do not edit. -->"


def table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Write a table of Markdown."""
    cells = [heading, ["---"] * len(heading), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in cells]


def said_of(module: ModuleType, name: str) -> str:
    """Give the words below a constant of a module: they are the page's too, so that there is one text."""
    body = ast.parse(inspect.getsource(module)).body
    for before, after in pairwise(body):
        named = isinstance(before, ast.AnnAssign) and ast.unparse(before.target) == name
        if named and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            return inspect.cleandoc(str(after.value.value))
    raise LookupError(f"{module.__name__}.{name} has no words below it")
