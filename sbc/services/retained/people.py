"""Who could sign in, what was imported and exported, and who did what."""

from sbc.services.retained.holding import Holding
from tenants.models import DataClass

_OVER_JOB = "t.state IN ('done', 'failed') AND NOT EXISTS (SELECT FROM core_jobfile f WHERE f.job_id = t.id)"
_OF_OVER_JOB = "EXISTS (SELECT FROM core_job j WHERE j.id = t.job_id AND j.state IN ('done', 'failed'))"
_IMPORT = "FROM inventory_stockimport i WHERE i.id = t.batch_id"
_OVER_IMPORT = """
    t.state NOT IN ('checking', 'importing')
    AND NOT EXISTS (SELECT FROM inventory_stockimporterror e WHERE e.batch_id = t.id)
"""

# Somebody who belongs to no team any more, and of whom nothing else is left.
_NOBODY = """
    NOT u.is_operator AND NOT EXISTS (SELECT FROM tenants_membership m WHERE m.user_id = u.id)
    AND NOT EXISTS (SELECT FROM tenants_apitoken k WHERE k.user_id = u.id)
    AND NOT EXISTS (SELECT FROM tenants_acting a WHERE a.user_id = u.id)
    AND NOT EXISTS (SELECT FROM tenants_invitation i WHERE i.invited_by_id = u.id)
"""
_USER_SEEN = "(SELECT coalesce(u.last_login, u.created_at) FROM tenants_user u WHERE u.id = t.user_id)"
_UNCONFIRMED = "NOT EXISTS (SELECT FROM account_emailconfirmation c WHERE c.email_address_id = t.id)"
_OF_NOBODY = "EXISTS (SELECT FROM tenants_user u WHERE u.id = t.user_id AND" + _NOBODY + ")"
_IS_NOBODY = "EXISTS (SELECT FROM tenants_user u WHERE u.id = t.id AND" + _NOBODY + ")"
_NO_KEYS = """
    NOT EXISTS (SELECT FROM account_emailaddress e WHERE e.user_id = t.id)
    AND NOT EXISTS (SELECT FROM mfa_authenticator f WHERE f.user_id = t.id)
"""

PEOPLE = (
    # Files first: they belong to their job.
    Holding(DataClass.JOBS, "core_jobfile", "created_at", _OF_OVER_JOB),
    Holding(DataClass.JOBS, "core_job", "created_at", _OVER_JOB),
    Holding(DataClass.JOBS, "inventory_stockimporterror", f"(SELECT i.created_at {_IMPORT})",
            f"EXISTS (SELECT {_IMPORT} AND i.state NOT IN ('checking', 'importing'))", tenant=""),
    Holding(DataClass.JOBS, "inventory_stockimport", "created_at", _OVER_IMPORT, tenant=""),
    Holding(DataClass.ACCESS, "django_session", "expire_date", tenant="", msp=""),
    Holding(DataClass.ACCESS, "account_emailconfirmation", "created", tenant="", msp=""),
    Holding(DataClass.ACCESS, "tenants_invitation", "expires_at"),
    Holding(DataClass.ACCESS, "account_emailaddress", _USER_SEEN, f"{_OF_NOBODY} AND {_UNCONFIRMED}",
            tenant="", msp=""),
    Holding(DataClass.ACCESS, "mfa_authenticator", _USER_SEEN, _OF_NOBODY, tenant="", msp=""),
    Holding(DataClass.ACCESS, "tenants_user", "(coalesce(t.last_login, t.created_at))", f"{_IS_NOBODY} AND {_NO_KEYS}",
            tenant="", msp=""),
    # Entries of the log name a token by its key.
    Holding(DataClass.AUDIT, "tenants_apitoken", "(least(t.revoked_at, t.expires_at))"),
    Holding(DataClass.AUDIT, "tenants_acting", "expires_at"),
    Holding(DataClass.AUDIT, "core_auditentry", "at"),
)  # fmt: skip
