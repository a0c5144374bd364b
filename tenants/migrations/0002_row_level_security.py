"""Who may see the rows of people, customers and hosts; hosts are open to read before a place is known."""

from django.db import migrations

from portal.db.rls import APP, MSP, TENANT, THIS_MSP, EnableRls

OWN_CUSTOMERS = f"SELECT id FROM tenants_customer WHERE msp_id = {THIS_MSP}"  # noqa: S608
OWN_MSP = f"(SELECT msp_id FROM tenants_customer WHERE id = {TENANT})"  # noqa: S608
# Between a request's Host header and its place, and on the operator's console: no tenant, no MSP.
NO_PLACE = f"{TENANT} IS NULL AND {THIS_MSP} IS NULL"


def policy(table: str, name: str, command: str, role: str, using: str = "", check: str = "") -> migrations.RunSQL:
    conditions = (f" USING ({using})" if using else "") + (f" WITH CHECK ({check})" if check else "")
    return migrations.RunSQL(
        f'CREATE POLICY "{name}" ON "{table}" FOR {command} TO {role}{conditions}',
        f'DROP POLICY "{name}" ON "{table}"',
    )


def msp_over(table: str, column: str = "tenant_id") -> migrations.RunSQL:
    """An MSP looks after the rows of its customers, too."""
    own = f"{column} IN ({OWN_CUSTOMERS})"
    return policy(table, "msp_customers", "ALL", MSP, own, own)


class Migration(migrations.Migration):
    dependencies = [("tenants", "0001_initial")]

    operations = [
        EnableRls("tenants_customer", tenant_column="id", ingest=("select", "update"), maintained=("select", "update")),
        policy("tenants_customer", "no_place_reads", "SELECT", APP, NO_PLACE),
        EnableRls(
            "tenants_customerregion",
            tenant_column="customer_id",
            msp_column=None,
            ingest=("select",),
            maintained=("select",),
        ),
        msp_over("tenants_customerregion", "customer_id"),
        EnableRls("tenants_domain", app_select=f"({NO_PLACE}) OR (tenant_id IS NULL AND msp_id = {OWN_MSP})"),
        policy("tenants_domain", "operator_adds", "INSERT", APP, check=f"{NO_PLACE} AND kind = 'operator'"),
        EnableRls(
            "tenants_basedomain",
            tenant_column=None,
            app_select=f"({NO_PLACE}) OR msp_id = {OWN_MSP}",
            ingest=("select",),
            maintained=("select",),
        ),
        # A brand is on the log-in page: it is for everybody to see, and for its MSP to change.
        EnableRls("tenants_brand", tenant_column=None, app_select="true"),
        EnableRls("tenants_membership"),
        msp_over("tenants_membership"),
        EnableRls("tenants_invitation"),
        msp_over("tenants_invitation"),
        EnableRls("tenants_apitoken"),
        msp_over("tenants_apitoken"),
        EnableRls("tenants_acting"),
    ]
