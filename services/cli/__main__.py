"""`python -m services.cli` is `openitem`."""

from services.cli import main

main()
