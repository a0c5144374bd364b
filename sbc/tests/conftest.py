"""A real SBC for the tests that ask for one."""

from sbc.tests.sip.fixtures import sbc, stage

__all__ = ["sbc", "stage"]
