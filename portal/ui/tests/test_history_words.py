"""How a stored value reads in the audit log and the history of an object."""

import pytest

from portal.ui.history import in_words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (True, "yes"),
        (None, "–"),
        ([], "–"),
        (["10.0.0.0/8", "192.0.2.0/24"], "10.0.0.0/8, 192.0.2.0/24"),
        (
            [{"fqdn": "a.example", "tls_port": 5061}, {"fqdn": "b.example"}],
            "fqdn a.example, tls port 5061; fqdn b.example",
        ),
    ],
)
def test_a_stored_value_reads_as_people_write_it(value, words):
    assert in_words(value) == words
