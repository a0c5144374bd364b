from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sbc", "0007_hour_counts")]

    operations = [
        migrations.AlterField(
            model_name="alarm",
            name="kind",
            field=models.TextField(
                choices=[
                    ("token", "Node token used twice"),
                    ("gap", "Records missing"),
                    ("spool", "Record store replaced"),
                    ("quarantine", "Records that belong to nobody"),
                    ("refused", "Configuration refused"),
                    ("held", "Configuration waits for a person"),
                    ("drift", "Node changed by hand"),
                    ("node", "Trouble with a node"),
                    ("daemon", "Part of the node is down"),
                    ("trunk", "Trunk refuses calls"),
                    ("call", "Call that needs attention"),
                    ("orphan", "Call end without a call"),
                    ("compile", "Configuration could not be compiled"),
                    ("message", "Message not understood"),
                    ("certificate", "Certificate ends, was refused or lacks a name"),
                    ("counts", "Records that do not add up"),
                ]
            ),
        ),
    ]
