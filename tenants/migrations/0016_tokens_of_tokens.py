from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tenants", "0015_words_of_a_source")]

    operations = [
        migrations.AddField(
            "apitoken",
            "made_with",
            models.ForeignKey(
                "tenants.apitoken",
                models.DO_NOTHING,
                null=True,
                db_constraint=False,
                related_name="made",
                editable=False,
            ),
        ),
    ]
