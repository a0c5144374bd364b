"""The walls, read from the catalogue: no table of many tenants without row-level security, no link across schemas."""

import ast
import gc
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from portal.db import contexts
from portal.db.context import ROLES, TEMPLATE

# Tables with a tenant's or an MSP's id, with every partition; tenants_customer is its own tenant.
SHARED = """
    SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity, c.relispartition,
           (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid)
      FROM pg_class c
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
       AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND NOT a.attisdropped
                      AND a.attname IN ('tenant_id', 'msp_id', 'customer_id'))
"""
CROSSING = """
    SELECT k.conrelid::regclass::text, k.conname FROM pg_constraint k
      JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class f ON f.oid = k.confrelid
     WHERE k.contype = 'f' AND c.relnamespace <> f.relnamespace
"""
# Which tables of some apps a role may write: a policy lets it, and so does a privilege.
WRITTEN = """
    SELECT DISTINCT c.relname, command.name
      FROM pg_class c
     CROSS JOIN (VALUES ('INSERT', 'a'), ('UPDATE', 'w'), ('DELETE', 'd')) AS command (name, code)
      JOIN pg_policy p ON p.polrelid = c.oid AND p.polcmd IN ('*', command.code::"char")
           AND %s::regrole = ANY (p.polroles)
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
       AND split_part(c.relname, '_', 1) = ANY (%s)
       AND CASE command.name WHEN 'DELETE' THEN has_table_privilege(%s, c.oid, 'DELETE')
                             ELSE has_any_column_privilege(%s, c.oid, command.name) END
"""
MONEY = ["rating", "receivables", "payments", "plans", "margin", "rerating", "delivery", "currencies", "advisor"]
# A customer asks about a line, which its MSP is told of, and sets a limit of its own. The operator's desk for taxes
# works in the same role without a place, and its policies demand that there is none.
OWN_WORD = {
    ("receivables_linequestion", "INSERT"), ("receivables_notice", "INSERT"), ("rating_account", "UPDATE"),
    ("receivables_taxrule", "INSERT"), ("receivables_taxcheck", "INSERT"),
}  # fmt: skip
OWN_LIMIT = """
    SELECT attname FROM pg_attribute WHERE attrelid = 'rating_account'::regclass AND attnum > 0 AND NOT attisdropped
       AND has_column_privilege(%s, attrelid, attnum, 'UPDATE') ORDER BY attname
"""
PRIVILEGES = "SELECT has_table_privilege(%s, %s, %s)"


def rows(sql, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()


def test_every_table_of_many_tenants_is_protected_even_from_its_owner(db):
    found = rows(SHARED)

    assert len(found) > 10
    assert [name for name, protected, *_ in found if not protected] == []
    assert [name for name, _, partition, policies in found if not partition and not policies] == []


def test_no_role_may_touch_a_partition_by_its_own_name(db):
    partitions = [name for name, _, is_partition, _ in rows(SHARED) if is_partition]
    for name in partitions:
        for role in ("app", "msp", "ingest"):
            assert rows(PRIVILEGES, ROLES[role], name, "SELECT, INSERT, UPDATE, DELETE") == [(False,)]


def test_what_happened_cannot_be_changed(db):
    for role in ("app", "msp", "ingest"):
        assert rows(PRIVILEGES, ROLES[role], "core_auditentry", "UPDATE, DELETE, TRUNCATE") == [(False,)]


def test_customers_write_nothing_of_the_money_but_what_is_theirs_to_say(db):
    assert set(rows(WRITTEN, ROLES["app"], MONEY, ROLES["app"], ROLES["app"])) == OWN_WORD
    assert rows(OWN_LIMIT, ROLES["app"]) == [("own_limit_micros",), ("row_version",)]


def test_functions_that_see_all_rows_look_names_up_in_our_schemas_alone(db):
    """Such a function runs with its owner's rights: whoever calls it must not choose which table a name means."""
    found = rows("SELECT proname, proconfig FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace")

    assert len(found) > 5
    assert [name for name, config in found if config != ["search_path=pg_catalog, public"]] == []


def test_no_role_is_above_row_level_security(db):
    assert rows("SELECT rolname FROM pg_roles WHERE rolname LIKE 'strowger%%' AND (rolsuper OR rolbypassrls)") == []


def test_no_constraint_crosses_schemas(db):
    assert rows(CROSSING) == []


def test_the_template_is_closed_to_the_portal(db):
    assert rows("SELECT has_schema_privilege('strowger_app', %s, 'USAGE')", TEMPLATE) == [(False,)]
    assert rows(PRIVILEGES, "strowger_app", "db_customer_template", "UPDATE") == [(False,)]


def test_acme_sees_its_own_people_and_no_others(acme, globex, alice, mallory):
    assert alice.memberships.count() == 1
    assert mallory.memberships.count() == 0
    with contexts.customer(globex):
        assert (alice.memberships.count(), mallory.memberships.count()) == (0, 1)


SOURCES = [
    path
    for folder in ("portal", "tenants", "voice", "sbc")
    for path in (Path(settings.BASE_DIR) / folder).rglob("*.py")
    if "migrations" not in path.parts and "tests" not in path.parts
]


@pytest.fixture(scope="module")
def trees():
    # Python 3.11 loses count of a tree's depth when the collector stops it, and something collected prints a traceback.
    gc.disable()
    try:
        return {path: ast.parse(path.read_text()) for path in SOURCES}
    finally:
        gc.enable()


def test_nobody_enters_a_tenant_by_with(trees):
    """Django-tenants keeps what to restore in a list that all threads share."""
    found = [
        f"{path}:{node.lineno}"
        for path, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.With | ast.AsyncWith)
        for item in node.items
        if isinstance(item.context_expr, ast.Name | ast.Attribute)
        and ast.unparse(item.context_expr).split(".")[-1] in ("tenant", "customer", "acme")
    ]
    assert found == []


def test_async_code_does_not_ask_the_connection_who_it_is(trees):
    """A context set in one thread is not that of the next; async code passes the tenant along."""
    found = [
        f"{path}:{inner.lineno}"
        for path, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.AsyncFunctionDef)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Attribute) and inner.attr in ("schema_name", "tenant")
        and ast.unparse(inner.value) == "connection"
    ]  # fmt: skip
    assert found == []


def test_schemas_are_named_in_one_place(trees):
    """Everybody else passes a customer; nobody builds a search path or a schema's name."""
    found = [
        str(path)
        for path in trees
        if "search_path" in path.read_text() and "portal/db/" not in str(path)
    ]  # fmt: skip
    assert found == []
