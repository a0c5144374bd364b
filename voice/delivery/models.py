"""What an MSP's other systems are told: a feed of messages, who gets them, and how each delivery went."""

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxLengthValidator, MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from portal.core.fields import EncryptedTextField

SHORT, LONG = [MaxLengthValidator(80)], [MaxLengthValidator(500)]


class Kind(models.TextChoices):
    """What a message tells; the values are the types of Standard Webhooks."""

    CALLS = "calls.rated", _("Rated calls")
    ADJUSTMENT = "adjustment.applied", _("Calls priced again")
    INVOICE = "invoice.issued", _("Invoices")
    CREDIT_NOTE = "credit_note.issued", _("Credit notes")
    PAYMENT = "payment.recorded", _("Payments")
    REVERSAL = "payment.reversed", _("Payments that went back")
    ENTRY = "entry.booked", _("Reminder fees, write-offs and corrections")
    PING = "ping", _("Test messages")


# What is told of one row of the books.
DOCUMENTS = (Kind.INVOICE, Kind.CREDIT_NOTE, Kind.PAYMENT, Kind.REVERSAL, Kind.ENTRY)
TOLD = (Kind.CALLS, Kind.ADJUSTMENT, *DOCUMENTS)


class Feed(models.Model):
    """How far an MSP's messages go: calls priced up to `marked_at` are in it, and `sequence` is its last number."""

    msp = models.OneToOneField("tenants.Msp", models.PROTECT, primary_key=True, related_name="+")
    began_at = models.DateTimeField()
    marked_at = models.DateTimeField()
    sequence = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.msp_id}: {self.sequence}"


class Message(models.Model):
    """One thing, or up to 500 calls, told once under a number that grows without a gap; its text is made when read."""

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="+", db_index=False)
    sequence = models.BigIntegerField()
    key = models.UUIDField(unique=True)
    kind = models.TextField(choices=Kind)
    at = models.DateTimeField()
    # Calls are rows of charges that never change again; the days are where to look for them.
    calls = ArrayField(models.UUIDField(), default=list)
    first_invited = models.DateTimeField(null=True)
    last_invited = models.DateTimeField(null=True)
    document = models.BigIntegerField(null=True)
    # What priced these calls again.
    proposal = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["msp", "sequence"], name="delivery_message_number_once"),
            models.UniqueConstraint(
                fields=["msp", "kind", "document"], condition=~Q(document=None), name="delivery_message_document_once"
            ),
            models.CheckConstraint(
                name="delivery_message_tells_something",
                condition=Q(kind=Kind.CALLS, document=None, first_invited__isnull=False)
                | Q(kind=Kind.ADJUSTMENT, document=None, first_invited__isnull=False, proposal__isnull=False)
                | Q(kind__in=DOCUMENTS, document__isnull=False)
                | Q(kind=Kind.PING),
            ),
        ]
        indexes = [
            models.Index(fields=["msp", "at"], name="delivery_message_recent"),
            models.Index(
                fields=["msp", "proposal"], condition=Q(proposal__isnull=False), name="delivery_message_proposal"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.sequence}"

    @property
    def webhook_id(self) -> str:
        return f"msg_{self.key.hex}"


class Endpoint(models.Model):
    """An address of the MSP's that is sent messages as they come."""

    class State(models.TextChoices):
        ACTIVE = "active", _("Active")
        PAUSED = "paused", _("Paused")

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="webhooks")
    name = models.TextField(_("name"), validators=SHORT)
    url = models.URLField(_("address"), max_length=500)
    kinds = ArrayField(models.TextField(), verbose_name=_("what it is sent"))
    secret = EncryptedTextField(editable=False)
    state = models.TextField(choices=State, default=State.ACTIVE, editable=False)
    # Since when nothing got through; empty while all is well.
    failing_since = models.DateTimeField(null=True, editable=False)
    last_error = models.TextField(blank=True, editable=False)
    delivered_at = models.DateTimeField(null=True, editable=False)
    row_version = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "msp",
                Lower("name"),
                name="delivery_endpoint_name_once",
                violation_error_message=_("You already have a webhook with this name."),
            ),
            models.CheckConstraint(
                name="delivery_endpoint_has_name", condition=~Q(name=""), violation_error_message=_("Give it a name.")
            ),
            models.CheckConstraint(
                name="delivery_endpoint_is_web",
                condition=Q(url__startswith="https://") | Q(url__startswith="http://"),
                violation_error_message=_("Use an address that begins with https://."),
            ),
            models.CheckConstraint(
                name="delivery_endpoint_kinds_known",
                condition=Q(kinds__contained_by=list(TOLD)) & Q(kinds__len__gte=1),
                violation_error_message=_("Choose what it is sent."),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Store(models.Model):
    """A place of the MSP's that files are put into on a schedule."""

    class Way(models.TextChoices):
        SFTP = "sftp", _("SFTP")
        S3 = "s3", _("S3 bucket")

    class Content(models.TextChoices):
        CALLS = "calls", _("Rated calls, CSV")
        ALL = "all", _("Everything, JSON lines")

    class Every(models.TextChoices):
        HOUR = "hour", _("each hour")
        DAY = "day", _("each day after midnight (UTC)")

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="file_stores")
    name = models.TextField(_("name"), validators=SHORT)
    way = models.TextField(_("by"), choices=Way, default=Way.SFTP)
    host = models.TextField(_("host"), validators=[MaxLengthValidator(253)])
    port = models.PositiveIntegerField(
        _("port"), default=22, validators=[MinValueValidator(1), MaxValueValidator(65535)]
    )
    folder = models.TextField(_("folder, or bucket and folder"), blank=True, validators=LONG)
    username = models.TextField(_("user name, or access key"), validators=[MaxLengthValidator(128)])
    secret = EncryptedTextField(_("password, private key or secret key"), default="", blank=True)
    host_key = models.TextField(_("the server's host key"), blank=True, validators=[MaxLengthValidator(2000)])
    content = models.TextField(_("content"), choices=Content, default=Content.CALLS)
    every = models.TextField(_("when"), choices=Every, default=Every.DAY)
    enabled = models.BooleanField(_("in use"), default=True)
    # The last message of the feed that is in a file.
    sequence = models.BigIntegerField(default=0, editable=False)
    next_at = models.DateTimeField(editable=False)
    row_version = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "msp",
                Lower("name"),
                name="delivery_store_name_once",
                violation_error_message=_("You already have a place with this name."),
            ),
            models.CheckConstraint(
                name="delivery_store_has_name", condition=~Q(name=""), violation_error_message=_("Give it a name.")
            ),
            models.CheckConstraint(
                name="delivery_store_host_is_host",
                condition=Q(host__regex=r"^[0-9A-Za-z]([0-9A-Za-z.-]*[0-9A-Za-z])?$"),
                violation_error_message=_("Enter a host name, for example files.example.com."),
            ),
            models.CheckConstraint(
                name="delivery_store_folder_is_plain",
                condition=Q(folder__regex=r"^[0-9A-Za-z][0-9A-Za-z._/-]*$|^$"),
                violation_error_message=_("Use letters, digits, dots, dashes and / only, without a / in front."),
            ),
            models.CheckConstraint(
                name="delivery_store_sftp_has_key",
                condition=~Q(way="sftp") | ~Q(host_key=""),
                violation_error_message=_("Give the server's host key: without it anybody could take the files."),
            ),
            models.CheckConstraint(
                name="delivery_store_s3_has_bucket",
                condition=~Q(way="s3") | ~Q(folder=""),
                violation_error_message=_("Name the bucket."),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Attempted(models.Model):
    """Something that is tried until it gets through: what came of it last, and when it is tried next."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        DONE = "done", _("Delivered")
        FAILED = "failed", _("Given up")

    state = models.TextField(choices=State, default=State.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)

    class Meta:
        abstract = True


class Delivery(Attempted):
    """A message on its way to one endpoint."""

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="+", db_index=False)
    endpoint = models.ForeignKey(Endpoint, models.CASCADE, related_name="deliveries", db_index=False)
    message = models.ForeignKey(Message, models.CASCADE, related_name="deliveries", db_index=False)
    status = models.PositiveIntegerField(null=True)
    took_ms = models.PositiveIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "message"], name="delivery_delivery_once"),
        ]
        indexes = [
            models.Index(fields=["endpoint", "next_at"], condition=Q(state="waiting"), name="delivery_due"),
            models.Index(fields=["message"], name="delivery_of_message"),
        ]

    def __str__(self) -> str:
        return f"{self.message} → {self.endpoint}"


class StoredFile(Attempted):
    """A file of the messages from `first` to `last`, put into one store; written anew it is the same file."""

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="+", db_index=False)
    store = models.ForeignKey(Store, models.CASCADE, related_name="files", db_index=False)
    name = models.TextField()
    first = models.BigIntegerField()
    last = models.BigIntegerField()
    size = models.BigIntegerField(null=True)
    rows = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "first"], name="delivery_file_once"),
            models.CheckConstraint(name="delivery_file_range", condition=Q(last__gte=F("first"))),
        ]
        indexes = [models.Index(fields=["store", "next_at"], condition=Q(state="waiting"), name="delivery_file_due")]

    def __str__(self) -> str:
        return self.name
