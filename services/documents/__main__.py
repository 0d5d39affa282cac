"""Writes the pages that follow from tables: docs/transitions.md and docs/postings.md.

python -m services.documents            write both
python -m services.documents --check    write nothing; fail unless both are fresh
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from services.documents.machines import transitions_page
from services.documents.postings import postings_page

ROOT: Final = Path(__file__).resolve().parents[2]
FIX: Final = "run python -m services.documents"


def pages() -> dict[str, str]:
    """Give every page by its path."""
    return {"docs/transitions.md": transitions_page(), "docs/postings.md": postings_page()}


def check(root: Path) -> list[str]:
    """List the pages that are missing or stale. Writes nothing."""
    found = {path: root / path for path in pages()}
    return [
        f"{path}: {'stale' if found[path].is_file() else 'missing'}; {FIX}"
        for path, text in pages().items()
        if not found[path].is_file() or found[path].read_text("utf-8") != text
    ]


def write(root: Path) -> list[str]:
    """Write every page."""
    for path, text in pages().items():
        (root / path).write_text(text, "utf-8")
    return []


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Run the command line; 0 when all is well, else 1 with a line on stderr for each problem."""
    parser = argparse.ArgumentParser(prog="python -m services.documents", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--check", action="store_true", help="write nothing")
    problems = (check if parser.parse_args(arguments).check else write)(root)
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
