"""What the migrator remembers: the SQL that makes a customer's schema, and the SQL of each migration since."""

from django.db import models


class CustomerTemplate(models.Model):
    """The statements that make a new customer's schema; the newest row is the one in use."""

    sql = models.TextField()
    fingerprint = models.TextField()
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "db_customer_template"


class CustomerMigration(models.Model):
    """A migration of the customers' apps as it ran on the template; one without SQL takes the ordinary executor."""

    app = models.TextField()
    name = models.TextField()
    sql = models.TextField(null=True)

    class Meta:
        db_table = "db_customer_migration"
        constraints = [models.UniqueConstraint(fields=["app", "name"], name="db_customer_migration_once")]
