"""The models between two migrations: the same SQL as with Django's own state, and fewer classes made for it."""

import pytest
from django.db import connection, migrations, models
from django.db.migrations.state import ProjectState

from portal.db import contexts
from portal.db.state import State

ID = ("id", models.BigAutoField(primary_key=True))
OPERATIONS = [
    migrations.CreateModel("Exchange", [ID, ("name", models.CharField(max_length=20))]),
    migrations.CreateModel("Line", [ID, ("exchange", models.ForeignKey("db.Exchange", models.CASCADE))]),
    migrations.CreateModel("Call", [ID, ("line", models.ForeignKey("db.Line", models.PROTECT))]),
    migrations.AddConstraint("Line", models.UniqueConstraint(fields=["exchange"], name="lab_one_line")),
    migrations.AddIndex("Exchange", models.Index(fields=["name"], name="lab_name")),
    migrations.AddField("Line", "dial", models.CharField(max_length=9, default="0", db_index=True)),
    # What refers to a key follows it: for this the state has to know everybody who does.
    migrations.AlterField("Exchange", "id", models.IntegerField(primary_key=True)),
    # An index of our own is told from one that the column brings along by its name.
    migrations.AlterField("Exchange", "name", models.TextField(unique=True)),
    migrations.RemoveConstraint("Line", "lab_one_line"),
    migrations.RemoveIndex("Exchange", "lab_name"),
    migrations.RenameField("Line", "dial", "digits"),
    migrations.DeleteModel("Call"),
]


def statements(state):
    """Return the SQL of the operations, from a state whose classes are there from the beginning, as in an upgrade."""
    migration = migrations.Migration("0001_lab", "db")
    migration.operations = OPERATIONS
    state.apps  # noqa: B018
    with contexts.owner(), connection.schema_editor(collect_sql=True) as editor:
        migration.apply(state, editor, collect_sql=True)
    return editor.collected_sql


@pytest.mark.django_db
def test_it_makes_the_sql_that_djangos_own_makes():
    ours, theirs = State(), ProjectState()

    made = statements(ours)

    assert len(made) > len(OPERATIONS)
    assert made == statements(theirs)
    assert ours == theirs


def test_a_new_model_leaves_the_classes_of_others_alone():
    state = State()
    state.apps  # noqa: B018
    OPERATIONS[0].state_forwards("db", state)
    exchange = state.apps.get_model("db", "Exchange")

    for operation in OPERATIONS[1:5]:
        operation.state_forwards("db", state)

    assert state.apps.get_model("db", "Exchange") is exchange
    assert [index.name for index in exchange._meta.indexes] == ["lab_name"]
    assert [relation.name for relation in exchange._meta.related_objects] == ["line"]
