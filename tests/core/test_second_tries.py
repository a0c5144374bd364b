"""What a run says of tests that passed only when they were tried again."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FLAKY = """
import pathlib, pytest

@pytest.mark.flaky(reruns=1)
@pytest.mark.parametrize("number", range({tests}))
def test_of_a_daemon(number, tmp_path_factory):
    tried = pathlib.Path({folder!r}) / str(number)
    if number < {flaky} and not tried.exists():
        tried.touch()
        raise OSError("the machine stalled")
"""


def run(folder, flaky, *words, tests=5):
    (folder / "test_flaky.py").write_text(FLAKY.format(tests=tests, flaky=flaky, folder=str(folder)))
    (folder / "pytest.ini").write_text("[pytest]\naddopts = -q\n")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.second_tries", "-p", "no:django", "-p", "no:cacheprovider",
         *words, str(folder)],
        cwd=folder, capture_output=True, text=True, check=False,
        env=inherited | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    return done.returncode, [line for line in done.stdout.splitlines() if line.startswith("needed a second try")]


def test_a_few_are_named_and_let_the_run_pass(tmp_path):
    code, lines = run(tmp_path, 2)

    assert code == 0
    assert len(lines) == 1 and lines[0].startswith("needed a second try (2): ")
    assert all(f"test_flaky.py::test_of_a_daemon[{number}]" in lines[0] for number in (0, 1))


def test_more_than_eight_fail_the_run_also_when_two_processes_share_it(tmp_path):
    code, lines = run(tmp_path, 9, "-n", "2", tests=10)

    assert code == 1
    assert "needed a second try (9; more than 8, so this run has failed): " in lines[0]


def test_every_run_of_ours_has_it(request):
    assert request.config.pluginmanager.has_plugin("tests.second_tries")
