"""`what-if`: what would happen if the commands of a file were sent."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from contracts import codec
from services.cli.connect import connection_settings, fail, run
from services.cli.output import Format, Sheet, show
from services.cli.publishing import BadLine, read_line
from services.cli.reading import FormatOption, KnownAtOption, parse_date
from services.reporting.exports.report import Money
from services.reporting.http.what_if import Proposed, WhatIf
from services.runtime import clock
from services.what_if import what_if


def what_if_command(
    file: Annotated[Path, typer.Argument(help="JSON Lines, one command a line, as `publish` takes them.")],
    as_of: Annotated[
        date | None,
        typer.Option(parser=parse_date, metavar="DATE", help="Date of the aging; today if absent."),
    ] = None,
    known_at: KnownAtOption = None,
    how: FormatOption = Format.table,
) -> None:
    """What would happen if commands were sent: answers, entries, documents, buckets. Nothing is done.

    They are played one after the other by the services' own rules over what they hold now, or over what
    was known at an earlier time.

    openitem what-if bounce.jsonl --as-of 2013-06-30
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
        sent = [read_line(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{file} cannot be read: {error}.")
    except BadLine as bad:
        fail(str(bad))
    proposed = [Proposed(one.entry, codec.decode(one.entry, one.body)) for one in sent]
    found = run(what_if(connection_settings(), proposed, as_of or clock.today(), known_at))
    sheets = _sheets(found)
    show(sheets[-1:] if how is Format.csv else sheets, found.model_dump(mode="json"), how)


def _sheets(found: WhatIf) -> list[Sheet]:
    return [
        Sheet(
            "Answers",
            ("command", "service", "answer", "because"),
            [
                (one.name, one.service, "accepted" if one.accepted else one.code, one.text)
                for one in found.answers
            ],
        ),
        Sheet(
            "Documents",
            ("customer", "document", "currency", "status_now", "status_then", "open_now", "open_then"),
            [
                (
                    one.after.customer,
                    one.after.invoice,
                    one.after.currency,
                    one.before.status if one.before else None,
                    one.after.status,
                    Money(one.before.residual if one.before else 0, one.after.currency),
                    Money(one.after.residual, one.after.currency),
                )
                for one in found.documents
            ],
        ),
        Sheet(
            "Payments",
            (
                "customer",
                "payment",
                "currency",
                "status_now",
                "status_then",
                "available_now",
                "available_then",
            ),
            [
                (
                    one.after.customer,
                    one.after.payment,
                    one.after.currency,
                    one.before.status if one.before else None,
                    one.after.status,
                    Money(one.before.available if one.before else 0, one.after.currency),
                    Money(one.after.available, one.after.currency),
                )
                for one in found.payments
            ],
        ),
        Sheet(
            f"Aging of these documents as of {found.as_of}",
            ("customer", "currency", "bucket", "now", "then"),
            [
                (
                    one.customer,
                    one.currency,
                    one.bucket,
                    Money(one.before, one.currency),
                    Money(one.after, one.currency),
                )
                for one in found.buckets
            ],
        ),
        Sheet(
            "Entries",
            ("document", "rule", "posting_date", "account", "role", "currency", "amount", "base"),
            [
                (
                    entry.document,
                    entry.rule,
                    entry.posting_date,
                    line.account,
                    line.role,
                    line.currency,
                    Money(line.amount, line.currency),
                    Money(line.base, entry.base_currency),
                )
                for entry in found.entries
                for line in entry.lines
            ],
        ),
    ]
