"""Which tests share a process."""

import pytest

from tests.sharing import scope_of


@pytest.mark.parametrize(
    ("test", "scope"),
    [
        ("sbc/tests/test_sip_walls.py::test_a[tests/system/x::y]", "sbc/tests/test_sip_walls.py"),
        ("tests/browser/test_pages.py::test_every_page[owner]", "tests/browser/"),
        ("tests/system/test_month.py::test_a_month", "tests/system/"),
    ],
)
def test_who_shares_daemons_or_a_browser_shares_a_process(test, scope):
    assert scope_of(test) == scope


def test_every_run_of_ours_is_shared_out_like_that(request):
    assert request.config.pluginmanager.has_plugin("tests.sharing")
