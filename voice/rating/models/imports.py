"""A file of rates on its way into a deck: how it is read, what is wrong with it, and what it would change."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from voice.rating.models.decks import DeckVersion


class DeckImport(models.Model):
    """The file of a draft version: read with `options`, checked as a job, emptied once it has done its work."""

    class State(models.TextChoices):
        ASKING = "asking", _("Waiting for you")
        CHECKING = "checking", _("Checking")
        CHECKED = "checked", _("Ready to activate")
        ACTIVATING = "activating", _("Activating")
        DONE = "done", _("Done")
        FAILED = "failed", _("Needs attention")

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="+")
    version = models.OneToOneField(DeckVersion, models.CASCADE, related_name="file")
    name = models.TextField(_("file"), max_length=200)
    content = models.BinaryField()
    options = models.JSONField(default=dict)
    state = models.TextField(choices=State, default=State.ASKING)
    total = models.PositiveIntegerField(default=0)
    good = models.PositiveIntegerField(default=0)
    bad = models.PositiveIntegerField(default=0)
    message = models.TextField(blank=True)
    # The deck's row_version with which the file was compared: a deck that moved on is compared again.
    compared_with = models.PositiveIntegerField(null=True)
    job_id = models.UUIDField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class DeckImportError(models.Model):
    """What is wrong with one row of a file, in words."""

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="+", db_index=False)
    batch = models.ForeignKey(DeckImport, models.CASCADE, related_name="errors", db_index=False)
    row = models.PositiveIntegerField()
    column = models.TextField(blank=True)
    value = models.TextField(blank=True)
    words = models.TextField()

    class Meta:
        indexes = [models.Index(fields=["batch", "row"], name="rating_import_error_row")]

    def __str__(self) -> str:
        return f"{self.row}: {self.words}"


class DeckLine(models.Model):
    """What a draft would change: a rate to come, or one to end; what stays as it is has no line."""

    class Change(models.TextChoices):
        NEW = "new", _("New")
        UP = "up", _("Dearer")
        DOWN = "down", _("Cheaper")
        TERMS = "terms", _("Other terms")
        GONE = "gone", _("Gone")

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="+", db_index=False)
    version = models.ForeignKey(DeckVersion, models.CASCADE, related_name="lines", db_index=False)
    row = models.PositiveIntegerField(_("line"), default=0)
    change = models.TextField(_("change"), choices=Change)
    # Thousandths by which the price per minute rises; what was free and is not any more rises most.
    rise = models.IntegerField(default=0)
    alarm = models.BooleanField(default=False)
    # The rate that it replaces or ends, and its price; what calls cost after it is gone, null for nothing left.
    replaces = models.BigIntegerField(null=True)
    before = models.BigIntegerField(null=True)
    falls_to = models.BigIntegerField(null=True)
    direction = models.TextField()
    prefix = models.TextField(blank=True)
    callers = models.TextField(blank=True)
    destination = models.TextField(blank=True)
    per_minute = models.BigIntegerField(null=True)
    fee = models.BigIntegerField(default=0)
    minimum = models.PositiveIntegerField(default=1)
    increment = models.PositiveIntegerField(default=1)
    grace = models.PositiveIntegerField(default=0)
    minimum_charge = models.BigIntegerField(default=0)
    maximum_charge = models.BigIntegerField(null=True)
    blocked = models.BooleanField(default=False)
    band_prices = models.JSONField(default=dict)
    begins = models.DateTimeField()
    ends = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["version", "-rise"], name="rating_line_worst"),
            models.Index(fields=["version", "prefix"], name="rating_line_prefix"),
        ]

    def __str__(self) -> str:
        return f"{self.change} {self.prefix}"
