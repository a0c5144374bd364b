"""Rows that every part of the portal writes: the audit log, jobs and their files, the keys of API writes."""

import uuid
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _


class Owned(models.Model):
    """A row of a customer, of an MSP, of both, or (with neither) of the operator; row-level security goes by it."""

    tenant_id = models.BigIntegerField(null=True)
    msp_id = models.BigIntegerField(null=True)

    class Meta:
        abstract = True


class AuditEntry(Owned):
    """Who did what to what, and why: written with the change itself, never changed, erased when its time is over."""

    # Made here and not by the database: whoever may write an entry need not be able to read it back.
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    at = models.DateTimeField(_("when"))
    user_id = models.BigIntegerField(null=True)
    email = models.TextField(_("who"), blank=True)
    acting_for = models.TextField(_("on behalf of"), blank=True)
    reason = models.TextField(_("reason"), blank=True)
    ip = models.GenericIPAddressField(_("address"), null=True)
    token_id = models.BigIntegerField(null=True)
    verb = models.TextField(_("what"))
    object_type = models.TextField(blank=True)
    object_id = models.TextField(blank=True)
    object_name = models.TextField(_("object"), blank=True)
    before = models.JSONField(_("before"), null=True)
    after = models.JSONField(_("after"), null=True)
    facts = models.JSONField(_("facts"), default=dict)

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit log")
        indexes = [
            models.Index(fields=["tenant_id", "-at"], name="core_audit_tenant"),
            models.Index(fields=["msp_id", "-at"], name="core_audit_msp"),
            models.Index(fields=["object_type", "object_id", "-at"], name="core_audit_object"),
        ]

    def __str__(self) -> str:
        return f"{self.verb} {self.object_name}"

    @property
    def changes(self) -> list[tuple[str, object, object]]:
        """The values that differ, each with what it was and what it became."""
        before, after = self.before or {}, self.after or {}
        names = dict.fromkeys([*before, *after])
        return [(name, before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)]


class Job(Owned):
    """Work that outlives the page that asked for it: an import, an export."""

    class State(models.TextChoices):
        QUEUED = "queued", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.TextField()
    state = models.TextField(choices=State.choices, default=State.QUEUED)
    total = models.PositiveIntegerField(null=True)
    done = models.PositiveIntegerField(default=0)
    message = models.TextField(blank=True)
    params = models.JSONField(default=dict)
    result = models.JSONField(null=True)
    actor = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    finished_at = models.DateTimeField(null=True)

    OPEN: ClassVar[tuple[str, ...]] = (State.QUEUED, State.RUNNING)

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        indexes = [
            models.Index(fields=["tenant_id", "-created_at"], name="core_job_tenant"),
            models.Index(fields=["msp_id", "-created_at"], name="core_job_msp"),
        ]

    def __str__(self) -> str:
        return self.kind

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN

    @property
    def percent(self) -> int | None:
        """How far it is, or None while nobody knows how much there is to do."""
        if self.state == self.State.DONE:
            return 100
        return min(100, self.done * 100 // self.total) if self.total else None


class JobFile(Owned):
    """What a job was given or has made, kept out of the job's own row."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    job = models.ForeignKey(Job, models.CASCADE, related_name="files")
    name = models.TextField()
    content_type = models.TextField(default="text/csv; charset=utf-8")
    content = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("file")
        verbose_name_plural = _("files")

    def __str__(self) -> str:
        return self.name


class IdempotencyKey(Owned):
    """The answer to an API write, given again when the same write is sent again."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.TextField()
    key = models.TextField()
    digest = models.TextField()
    status = models.PositiveSmallIntegerField(null=True)
    headers = models.JSONField(default=dict)
    body = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("idempotency key")
        verbose_name_plural = _("idempotency keys")
        constraints = [models.UniqueConstraint(fields=["owner", "key"], name="core_idempotencykey_once")]
        indexes = [models.Index(fields=["created_at"], name="core_idempotencykey_age")]

    def __str__(self) -> str:
        return self.key
