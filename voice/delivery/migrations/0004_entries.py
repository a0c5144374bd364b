from django.db import migrations, models
from django.db.models import Q

KINDS = [
    ("calls.rated", "Rated calls"),
    ("adjustment.applied", "Calls priced again"),
    ("invoice.issued", "Invoices"),
    ("credit_note.issued", "Credit notes"),
    ("payment.recorded", "Payments"),
    ("payment.reversed", "Payments that went back"),
    ("entry.booked", "Reminder fees, write-offs and corrections"),
    ("ping", "Test messages"),
]
DOCUMENTS = ["invoice.issued", "credit_note.issued", "payment.recorded", "payment.reversed", "entry.booked"]
TOLD = ["calls.rated", "adjustment.applied", *DOCUMENTS]


class Migration(migrations.Migration):
    dependencies = [("delivery", "0003_reversals")]

    operations = [
        migrations.RemoveConstraint("endpoint", "delivery_endpoint_kinds_known"),
        migrations.RemoveConstraint("message", "delivery_message_tells_something"),
        migrations.AlterField("message", "kind", models.TextField(choices=KINDS)),
        migrations.AddConstraint(
            "endpoint",
            models.CheckConstraint(
                condition=Q(kinds__contained_by=TOLD) & Q(kinds__len__gte=1),
                name="delivery_endpoint_kinds_known",
                violation_error_message="Choose what it is sent.",
            ),
        ),
        migrations.AddConstraint(
            "message",
            models.CheckConstraint(
                condition=Q(kind="calls.rated", document=None, first_invited__isnull=False)
                | Q(kind="adjustment.applied", document=None, first_invited__isnull=False, proposal__isnull=False)
                | Q(kind__in=DOCUMENTS, document__isnull=False)
                | Q(kind="ping"),
                name="delivery_message_tells_something",
            ),
        ),
    ]
