"""The MSP's stock of telephone numbers and its life cycle."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portal.core.fields import E164Field


class StockNumberQuerySet(models.QuerySet["StockNumber"]):
    def free(self) -> "StockNumberQuerySet":
        """Numbers that may be given to any customer now."""
        cooled = Q(state=StockNumber.State.COOLING, cooling_until__lte=timezone.now())
        return self.filter(Q(state=StockNumber.State.AVAILABLE) | cooled)

    def in_number_order(self) -> "StockNumberQuerySet":
        return self.order_by("e164")


class StockNumber(models.Model):
    """A telephone number that an MSP may give to its customers. It belongs to at most one of them at a time."""

    class Kind(models.TextChoices):
        GEOGRAPHIC = "geographic", _("Geographic")
        MOBILE = "mobile", _("Mobile")
        NATIONAL = "national", _("National")
        TOLL_FREE = "toll_free", _("Toll-free")

    class State(models.TextChoices):
        AVAILABLE = "available", _("Available")
        RESERVED = "reserved", _("Reserved")
        ALLOCATED = "allocated", _("Allocated")
        COOLING = "cooling", _("Cooling")
        CLOSED = "closed", _("Closed")

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="stock")
    e164 = E164Field(_("number"))
    country = models.TextField(_("country"), max_length=2)
    kind = models.TextField(_("kind"), choices=Kind, default=Kind.GEOGRAPHIC)
    carrier = models.ForeignKey(
        "carriers.Carrier", models.PROTECT, null=True, blank=True, related_name="stock", verbose_name=_("carrier")
    )
    tenant = models.ForeignKey(
        "tenants.Customer", models.PROTECT, null=True, blank=True, related_name="stock", verbose_name=_("customer")
    )
    state = models.TextField(_("state"), choices=State, default=State.AVAILABLE)
    cooling_until = models.DateTimeField(_("cooling until"), null=True, blank=True)
    # Millionths of the MSP's currency: see design D7.
    monthly_cost = models.BigIntegerField(_("monthly cost"), null=True, blank=True)
    row_version = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = StockNumberQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["e164"],
                name="inventory_stock_e164_once",
                violation_error_message=_("This number cannot be added. If it is yours, ask the operator to check it."),
            ),
            models.CheckConstraint(
                name="inventory_stock_country_code",
                condition=Q(country__regex=r"^[A-Z]{2}$"),
                violation_error_message=_("Use a country code of two letters, for example DE."),
            ),
            models.CheckConstraint(
                name="inventory_stock_allocated_has_customer",
                condition=Q(state="allocated", tenant__isnull=False)
                | Q(state="reserved")
                | (~Q(state__in=["allocated", "reserved"]) & Q(tenant=None)),
                violation_error_message=_("Only an allocated or reserved number belongs to a customer."),
            ),
            models.CheckConstraint(
                name="inventory_stock_cooling_has_end",
                condition=Q(state="cooling", cooling_until__isnull=False)
                | (~Q(state="cooling") & Q(cooling_until=None)),
                violation_error_message=_("A cooling number needs the date when it is free again."),
            ),
            models.CheckConstraint(
                name="inventory_stock_cost_not_negative",
                condition=Q(monthly_cost=None) | Q(monthly_cost__gte=0),
                violation_error_message=_("The monthly cost cannot be negative."),
            ),
        ]
        indexes = [
            models.Index(fields=["msp", "e164"], name="inventory_stock_msp_e164"),
            models.Index(fields=["tenant", "e164"], name="inventory_stock_tenant_e164"),
        ]

    def __str__(self) -> str:
        return self.e164


class Allocation(models.Model):
    """The time for which a customer held a number: the proof of who had the right to use it, and when."""

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="+")
    stock = models.ForeignKey(StockNumber, models.PROTECT, related_name="allocations")
    tenant = models.ForeignKey("tenants.Customer", models.PROTECT, related_name="+")
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["stock"],
                condition=Q(until=None),
                name="inventory_allocation_one_holder",
                violation_error_message=_("This number already belongs to a customer."),
            )
        ]
        indexes = [models.Index(fields=["tenant", "since"], name="inventory_allocation_tenant")]

    def __str__(self) -> str:
        return f"{self.stock_id} → {self.tenant_id}"


class StockImport(models.Model):
    """A file or range of numbers on its way into the stock: checked first, stored when somebody confirms it."""

    class State(models.TextChoices):
        CHECKING = "checking", _("Checking")
        CHECKED = "checked", _("Ready to import")
        IMPORTING = "importing", _("Importing")
        DONE = "done", _("Imported")
        FAILED = "failed", _("Needs attention")
        CANCELLED = "cancelled", _("Cancelled")

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="+")
    name = models.TextField(_("file"), max_length=200)
    content = models.BinaryField()
    default_country = models.TextField(max_length=2)
    carrier = models.ForeignKey("carriers.Carrier", models.PROTECT, null=True, blank=True, related_name="+")
    state = models.TextField(choices=State, default=State.CHECKING)
    total = models.PositiveIntegerField(default=0)
    good = models.PositiveIntegerField(default=0)
    bad = models.PositiveIntegerField(default=0)
    stored = models.PositiveIntegerField(default=0)
    message = models.TextField(blank=True)
    job_id = models.UUIDField(null=True, editable=False)
    created_by = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class StockImportError(models.Model):
    """What is wrong with one row of an import, in words."""

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="+")
    batch = models.ForeignKey(StockImport, models.CASCADE, related_name="errors")
    row = models.PositiveIntegerField()
    column = models.TextField(blank=True)
    value = models.TextField(blank=True)
    words = models.TextField()

    class Meta:
        indexes = [models.Index(fields=["batch", "row"], name="inventory_import_error_row")]

    def __str__(self) -> str:
        return f"{self.row}: {self.words}"
