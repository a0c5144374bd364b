"""Which tests share a process where several run them: those that share daemons, a browser, or what they have seen.

xdist's own groups (`--dist loadgroup`) have no effect with pytest 9.2, which does not read the ids that xdist 3.8 sets.
"""

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

# One browser and portal for the one, one whole installation for the other.
FOLDERS = ("tests/browser/", "tests/system/")


class ByStage(LoadScopeScheduling):
    """A file's tests stay together, and those of some folders.

    The folders begin, since they take minutes in which they mostly wait; then what has the most tests.
    """

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)

    def _assign_work_unit(self, node: Any) -> None:
        for folder in FOLDERS:
            if folder in self.workqueue:
                self.workqueue.move_to_end(folder, last=False)
        super()._assign_work_unit(node)


def scope_of(nodeid: str) -> str:
    """Return what a test shares its process with."""
    file = nodeid.partition("::")[0]
    return next((folder for folder in FOLDERS if file.startswith(folder)), file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByStage:
    return ByStage(config, log)
