"""Says at the end of a run which tests needed their second try; more than a few are no stalls of a busy machine."""

from typing import Any

import pytest

# Of some four hundred tests over real sockets, daemons and browsers.
MOST = 8


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run in which too many tests needed a second try."""
    if len(_needed(session.config)) > MOST and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Name them in one line, which stands in what CI keeps, too."""
    needed = _needed(config)
    if needed:
        verdict = f"; more than {MOST}, so this run has failed" if len(needed) > MOST else ""
        terminalreporter.ensure_newline()
        terminalreporter.write_line(f"needed a second try ({len(needed)}{verdict}): {' '.join(needed)}", yellow=True)


def _needed(config: pytest.Config) -> list[str]:
    # A worker of several has no such reporter: the one that counts is where all reports come together.
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    return list(dict.fromkeys(report.nodeid for report in reporter.stats.get("rerun", []))) if reporter else []
