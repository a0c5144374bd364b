"""What the erasure goes through, in this order, and what stays and why."""

from sbc.services.retained.books import BOOKS
from sbc.services.retained.holding import Holding
from sbc.services.retained.kept import KEPT
from sbc.services.retained.papers import PAPERS
from sbc.services.retained.people import PEOPLE
from sbc.services.retained.traffic import TRAFFIC

__all__ = ["HOLDINGS", "KEPT", "Holding"]

# The books last: whatever names a document goes before it.
HOLDINGS = (*TRAFFIC, *PAPERS, *PEOPLE, *BOOKS)
