"""The models and the migrations say the same."""

import io

from django.core.management import call_command


def test_every_change_of_a_model_has_its_migration(db):
    said = io.StringIO()
    try:
        call_command("makemigrations", "--check", "--dry-run", stdout=said, stderr=said)
    except SystemExit:
        raise AssertionError(said.getvalue())
