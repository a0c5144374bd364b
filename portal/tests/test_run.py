"""What `make run` makes of the machine that it finds."""

import os
import sys

import pytest

from portal import run


class Gone(Exception):
    """The process is another program from here on."""


@pytest.fixture
def machine(monkeypatch):
    """A machine with Python, node and npm on which nothing may be installed; `machine` names what is there beyond."""
    there = {*run.SBC_PACKAGES, *run.TEST_PACKAGES}
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("STROWGER_ENGINE", raising=False)
    monkeypatch.setattr(run, "_environment", lambda say: "as it was")
    monkeypatch.setattr(run, "_front_end", lambda say: "as they were")
    monkeypatch.setattr(run, "_has", there.__contains__)
    monkeypatch.setattr(run, "_may_install", lambda packages: False)
    return there


@pytest.fixture
def started(monkeypatch):
    """Return what the command line becomes, and the engine that it is given."""

    def start(*words):
        def become(file, command, environment):
            raise Gone(command[1:], environment["STROWGER_ENGINE"])

        monkeypatch.setattr(sys, "argv", ["portal.run", *words])
        monkeypatch.setattr(os, "execvpe", become)
        monkeypatch.chdir(".")  # and back, when the test is over
        with pytest.raises(Gone) as gone:
            run.main()
        return gone.value.args

    return start


def test_with_everything_there_the_engine_is_kamailio(machine, started):
    assert started("run") == (["-m", "portal.launch"], "kamailio")


@pytest.mark.parametrize("part", run.SBC_PACKAGES)
def test_without_a_part_of_the_sbc_it_runs_in_memory_and_says_so(machine, started, capsys, part):
    machine.remove(part)

    assert started("run") == (["-m", "portal.launch"], "memory")
    assert f"missing ({run.SBC_PACKAGES[part]}): the SBC runs in memory, no real calls" in capsys.readouterr().out


def test_who_wants_no_sbc_gets_none(machine, started):
    assert started("--engine", "memory", "run")[1] == "memory"


def test_without_what_only_tests_need_calls_are_real(machine, started):
    machine.remove("chromium")
    assert started("--tests", "run")[1] == "kamailio"


def test_where_nothing_may_be_left_out_a_missing_part_ends_it(machine, monkeypatch):
    machine.remove("kamailio")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(run.Stop, match="missing"):
        run.prepare(tests=True, engine="kamailio", quiet=True)
