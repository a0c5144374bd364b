"""Every list of every portal can be narrowed, taken home, and says what it is while it is empty."""

import importlib
from collections.abc import Iterator

import pytest

from portal.ui.lists import ListPage

for place in ("operator", "msp", "customer"):
    importlib.import_module(f"portal.urls_{place}")


def lists(kind: type[ListPage] = ListPage) -> Iterator[type[ListPage]]:
    """Yield the lists that are pages themselves, not what they have in common."""
    for each in kind.__subclasses__():
        is_page = not each.__subclasses__() or (each.title and each.columns)
        if is_page and ".tests" not in each.__module__:
            yield each
        yield from lists(each)


@pytest.mark.parametrize("kind", sorted(set(lists()), key=str), ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
def test_a_list_can_be_narrowed_exported_and_be_empty(kind):
    assert kind.search_fields or kind.search is not ListPage.search or kind.filters
    assert kind.export_name
    assert kind.empty is not ListPage.empty
