"""What a bill drew goes with it where it is thrown away; changed it never is."""

from django.db import migrations

BEFORE = "DROP TRIGGER guard ON plans_drawnperiod; CREATE TRIGGER guard BEFORE {when} ON plans_drawnperiod"
THEN = " FOR EACH ROW EXECUTE FUNCTION plans_refuse_change()"


class Migration(migrations.Migration):
    dependencies = [("plans", "0002_guards")]

    operations = [
        migrations.RunSQL(BEFORE.format(when="UPDATE") + THEN, BEFORE.format(when="UPDATE OR DELETE") + THEN),
    ]
