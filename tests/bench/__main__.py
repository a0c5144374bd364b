"""`make bench`: every figure of the README, from this machine, now; `make bench ONLY=customers` for one group."""

import os
import sys
from importlib import import_module

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings_test")

GROUPS = [
    "customers", "pages", "records", "decks", "rerating", "invoices", "einvoices", "margin", "changes", "frames",
    "signalling", "neighbour", "restart",
]  # fmt: skip


def main(only: list[str]) -> int:
    unknown = [name for name in only if name not in GROUPS]
    if unknown:
        print(f"No such group: {', '.join(unknown)}. There are: {', '.join(GROUPS)}.", file=sys.stderr)
        return 2
    missed = []
    for name in only or GROUPS:
        figures = import_module(f"tests.bench.{name}").run()
        missed += [figure.figure for figure in figures if not figure.ok]
    if missed:
        print(f"# goals missed: {', '.join(missed)}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main([word for word in " ".join(sys.argv[1:]).split() if word]))
