"""The portal's settings: everything that differs between installations comes from the environment."""

from pathlib import Path

import django_stubs_ext
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from portal import environment as env

# Lets `ModelForm[Route]` and the like stand in running code, not only in the type checker's eyes.
django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(env.text("STROWGER_VAR", str(BASE_DIR / "var")))

DEBUG = env.flag("DEBUG", False)
DEMO = env.flag("STROWGER_DEMO", False)
SECRET_KEY = env.secret("SECRET_KEY", VAR_DIR / "secret-key") or ("not-for-production" if DEBUG or DEMO else "")
# Fernet keys for secrets at rest, newest first; a retired key stays at the end until everything is encrypted anew.
SECRET_BOX_KEYS = [
    key for key in env.secret("SECRET_BOX_KEYS", VAR_DIR / "secret-box-keys").replace("\n", ",").split(",") if key
]

PLATFORM_DOMAIN = env.text("PLATFORM_DOMAIN", "localhost")
PORTAL_PORT = env.number("PORTAL_PORT", 8000)
PORTAL_SCHEME = env.text("PORTAL_SCHEME", "http" if PLATFORM_DOMAIN == "localhost" else "https")
# Hosts live in the database and change at run time: tenants.middleware refuses each that is not known.
ALLOWED_HOSTS = ["*"]
# Where the proof for an MSP's own host names is looked for; the demo's names are in no public DNS.
DNS_RESOLVER = env.text("DNS_RESOLVER", "tenants.resolver.FileDns" if DEMO else "tenants.resolver.PublicDns")
DNS_FILE = VAR_DIR / "dns.json"
# The operator's own rows of the table of countries: emergency numbers and what is asked for (docs/operate.md).
COUNTRIES_FILE = Path(env.text("COUNTRIES_FILE", str(VAR_DIR / "countries.json")))
# The lab's stand-in for the card gateway: a page that looks like a checkout, and no money.
CARD_LAB = env.flag("CARD_LAB", DEMO)
SBC_ENGINE = env.text("STROWGER_ENGINE", "kamailio")
# Prices calls as they are stored; without it they are stored all the same, and no charge is kept.
LIVE_RATING = env.flag("LIVE_RATING", True)
# Networks of your own that webhooks and files may go to; everything else has to be a public address.
DELIVERY_NETWORKS = env.words("DELIVERY_NETWORKS", "")
# Who is asked about VAT ids, about American taxes (blank is the table), and where the euro's rates come from.
VAT_ID_CHECKER = env.text("VAT_ID_CHECKER", "voice.receivables.vat_ids.ByShape")
VIES_URL = env.text("VIES_URL", "https://ec.europa.eu/taxation_customs/vies/rest-api")
TAX_ENGINE = env.text("TAX_ENGINE")
ECB_RATES_URL = env.text("ECB_RATES_URL", "https://www.ecb.europa.eu/stats/eurofxref/eurofxref-daily.xml")
# Where the demo's SBC, Microsoft and carriers live; another network lets a second demo or a test run beside it.
LAB_NETWORK = env.text("STROWGER_LAB_NETWORK", "127.0")

PUBLIC_APPS = [
    "django_tenants",
    "portal.db",
    "portal.core",
    "portal.ui",
    "tenants",
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "django_htmx",
    "django_filters",
    "rest_framework",
    "drf_spectacular",
    "channels",
    "csp",
    "voice.carriers",
    "voice.inventory",
    "voice.calls",
    "voice.rating",
    "voice.rerating",
    "voice.currencies",
    "voice.plans",
    "voice.receivables",
    "voice.delivery",
    "voice.advisor",
    "voice.margin",
    "voice.payments",
    "sbc",
]
CUSTOMER_APPS = ["voice.directory", "voice.numbers", "voice.emergency", "voice.routing", "voice.billing"]
SHARED_APPS = ["daphne", *PUBLIC_APPS]
TENANT_APPS = CUSTOMER_APPS
INSTALLED_APPS = [*SHARED_APPS, *CUSTOMER_APPS]
TENANT_MODEL = "tenants.Customer"
TENANT_DOMAIN_MODEL = "tenants.Domain"
TENANT_LIMIT_SET_CALLS = True
DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]
TENANT_TEMPLATE_SCHEMA = "customer_template"

MIDDLEWARE = [
    "tenants.middleware.KnownHostMiddleware",
    "portal.core.middleware.RequestId",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "tenants.middleware.HostMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "tenants.middleware.SessionHostMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    # Before the reader is known: the language that they chose for themselves wins over their browser's.
    "django.middleware.locale.LocaleMiddleware",
    "tenants.middleware.MembershipMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]
ROOT_URLCONF = "portal.urls_operator"
ASGI_APPLICATION = "portal.asgi.application"
WSGI_APPLICATION = "portal.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.ui.context.shell",
            ],
        },
    }
]

FORM_RENDERER = "portal.ui.forms.Renderer"

_database_url = env.text("DATABASE_URL", "postgresql://strowger@127.0.0.1:5432/strowger")
DATABASES = {
    "default": {
        "ENGINE": "portal.db",
        **env.database(_database_url),
        # Any other value leaks a connection per request under ASGI; the pool below keeps connections instead.
        "CONN_MAX_AGE": 0,
        # A connection that PostgreSQL has closed meanwhile is replaced before a page runs into it.
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "pool": {
                "min_size": 2,
                "max_size": env.number("DATABASE_POOL", 10),
                "timeout": 10,
                "max_lifetime": 600,
            }
        },
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.text("REDIS_URL", "redis://127.0.0.1:6379/0")
# redis-py gives up a read after 5 s, which is as long as a worker waits for its next nudge.
_REDIS_HOST = {"address": REDIS_URL, "socket_timeout": 20}
CHANNEL_LAYERS = {
    "default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [_REDIS_HOST]}},
    # A queue, so that a nudge waits for a worker and wakes only one: `manage.py runworker sbc --layer workers`.
    "workers": {"BACKEND": "portal.core.nudge_layer.NudgeLayer", "CONFIG": _REDIS_HOST},
}
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "strowger",
    },
    # What `{% cache %}` keeps of the pages' frame in this process; its keys name everything that it shows.
    "template_fragments": {
        "BACKEND": f"django.core.cache.backends.{'dummy.DummyCache' if DEBUG else 'locmem.LocMemCache'}",
        "OPTIONS": {"MAX_ENTRIES": 2000},
    },
}
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_ACKS_LATE = True

AUTH_USER_MODEL = "tenants.User"
AUTHENTICATION_BACKENDS = ["tenants.adapters.Backend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "tenants.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_FORMS = {
    "login": "tenants.forms.people.LoginForm",
    "reset_password": "tenants.forms.people.ResetPasswordForm",
    "change_password": "tenants.forms.people.ChangePasswordForm",
}
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_SESSION_REMEMBER = True
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
# An invitation's link has proven the address; the library's own mark of that is never set, and whoever asks for a new
# password makes it start to look.
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_ADAPTER = "tenants.adapters.MfaAdapter"
MFA_FORMS = {
    "authenticate": "tenants.forms.second_step.AuthenticateForm",
    "reauthenticate": "tenants.forms.second_step.ReauthenticateForm",
}
EMAIL_BACKEND = env.text("EMAIL_BACKEND", "django.core.mail.backends.console.EmailBackend")
EMAIL_HOST = env.text("EMAIL_HOST", "localhost")
EMAIL_PORT = env.number("EMAIL_PORT", 25)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS", False)  # STARTTLS, mostly port 587
EMAIL_USE_SSL = env.flag("EMAIL_USE_SSL", False)  # from the first byte, mostly port 465
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", f"no-reply@{PLATFORM_DOMAIN}")

# From a name that begins so a browser takes a cookie of this very host only: another site below the same domain can
# neither set nor overwrite it, and so cannot put its own session under somebody.
_THIS_HOST = "__Host-" if PORTAL_SCHEME == "https" else ""
SESSION_ENGINE = "tenants.sessions"
SESSION_COOKIE_NAME = f"{_THIS_HOST}session"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PORTAL_SCHEME == "https"
CSRF_COOKIE_NAME = f"{_THIS_HOST}csrf"
CSRF_FAILURE_VIEW = "portal.ui.errors.csrf_failure"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = env.flag("SECURE_SSL_REDIRECT", PORTAL_SCHEME == "https")
SECURE_HSTS_SECONDS = 31536000 if PORTAL_SCHEME == "https" else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = PORTAL_SCHEME == "https"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.flag("BEHIND_TLS_PROXY", False) else None
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 20 * 1024 * 1024
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]
# Without a second language, Django would look sixty texts a page up in six catalogues to find none of them.
USE_I18N = len(LANGUAGES) > 1
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "portal.core.api_auth.TokenAuthentication",
        "portal.core.api_auth.HostSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["portal.core.api_policy.CapabilityPermission"],
    "DEFAULT_FILTER_BACKENDS": ["portal.core.api_filters.Narrowing"],
    "DEFAULT_PAGINATION_CLASS": "portal.core.api_policy.Pages",
    "PAGE_SIZE": 50,
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["portal.core.api_policy.Json"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "portal.core.api_errors.problem",
    "DEFAULT_THROTTLE_CLASSES": ["portal.core.api_policy.TokenThrottle"],
    "DEFAULT_THROTTLE_RATES": {"token": "1200/min"},
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Strowger API",
    "DESCRIPTION": (
        "Everything that the pages do, for programs.\n\n"
        "Send If-Match with the ETag that you read: a PUT, PATCH or DELETE of what somebody changed meanwhile, or a "
        "POST to what it can do, is answered with 412 and changes nothing. A `row_version` in the body says the same "
        "of a PUT or PATCH, and `seen` of a list that is set as a whole, answered with 409. A write "
        "without either changes what it finds, whoever wrote it last and whatever you had read: only a write at the "
        "very same moment is answered with 409. Where more than one writes, send one of them."
    ),
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    # Both shapes of a node have it, so that its name cannot be taken from one of them.
    "ENUM_NAME_OVERRIDES": {
        "NodeStateEnum": "sbc.models.Node.State",
        "CallDirectionEnum": "voice.calls.models.cdr.Direction",
        "CarrierInvoiceStateEnum": "voice.margin.models.CarrierInvoice.State",
        "TaxClassEnum": "voice.receivables.models.tax.TaxClass",
        "AccountKindEnum": "voice.rating.models.Account.Kind",
        "MovementKindEnum": "voice.rating.models.Movement.Kind",
        "PricedOutcomeEnum": "voice.rating.models.PricedOutcome",
        "DecisionKindEnum": "voice.rerating.models.Decision.Kind",
        "WebhookStateEnum": "voice.delivery.models.Endpoint.State",
        "AttemptStateEnum": "voice.delivery.models.Attempted.State",
    },
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env.text("LOG_LEVEL", "INFO")},
}

SILENCED_SYSTEM_CHECKS: list[str] = []
# Signing and secrets at rest must not fall back to anything known outside a demo.
if not SECRET_KEY:
    raise ImproperlyConfigured("Set SECRET_KEY, or run `make run` once: it makes one.")
