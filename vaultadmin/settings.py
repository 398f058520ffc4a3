"""Settings, composed from the environment (interfaces.md section 1). No secret has a default value in this file."""

from __future__ import annotations

import re
from datetime import timedelta

import csp.constants as csp
import dj_database_url

from connections.schedule import BEAT_SCHEDULE as CONNECTIONS_BEAT
from ecoa.schedule import BEAT_SCHEDULE as ECOA_BEAT
from vaultadmin import embedded, environment, logs
from vaultadmin.schedule import BEAT_SCHEDULE as PLATFORM_BEAT

BASE_DIR = environment.ROOT
DATA_DIR = environment.data_dir()
PRODUCTION = environment.flag("VAULTADMIN_PRODUCTION")
DEBUG = False
PORT = environment.port()
TLS_PORT = PORT + 1
PUBLIC_URL = environment.text("VAULTADMIN_PUBLIC_URL", f"http://localhost:{PORT}").rstrip("/")

SECRET_KEY = environment.text("VAULTADMIN_SECRET_KEY") or environment.development_secret(
    DATA_DIR / "secret_key", production=PRODUCTION
)
ENCRYPTION_KEYS = environment.text("VAULTADMIN_ENCRYPTION_KEYS")
KEYRING_FILE = DATA_DIR / "keyring"
_DEVELOPMENT_HOSTS = ["localhost", "127.0.0.1", "[::1]", ".localhost", "ecoa.demo.test"]
ALLOWED_HOSTS = environment.items("VAULTADMIN_ALLOWED_HOSTS") or ([] if PRODUCTION else _DEVELOPMENT_HOSTS)

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
    "axes",
    "csp",
    "django_htmx",
    "django_structlog",
    "vaultadmin",
    "connections",
    "ecoa",
]

MIDDLEWARE = [
    "vaultadmin.middleware.own_address",
    "vaultadmin.middleware.short_way",
    "django.middleware.security.SecurityMiddleware",
    # Before the static files, which carry the policy like every other answer.
    "vaultadmin.middleware.ContentPolicy",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "vaultadmin.middleware.audit_origin",
    "vaultadmin.middleware.session_limits",
    "vaultadmin.middleware.deny_by_default",
    "axes.middleware.AxesMiddleware",
]

# Where machines call; see vaultadmin.middleware.short_way.
MACHINE_PATHS = re.compile(r"/(?:myveeva|api)(?:/|$)|/v/[0-9]+/(?:api|peering|spark)(?:/|$)")

ROOT_URLCONF = "vaultadmin.urls"
WSGI_APPLICATION = "vaultadmin.wsgi.application"
APPEND_SLASH = True

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
                "vaultadmin.site.context.shell",
            ],
        },
    }
]

# PostgreSQL and Redis: what the environment names, else the embedded ones in the data folder.
_DATABASE_URL = environment.text("DATABASE_URL")
DATABASES = {
    "default": dj_database_url.parse(_DATABASE_URL) if _DATABASE_URL else embedded.database_settings(DATA_DIR),
}
# What tells where this installation lives, beside the database server itself: see vaultadmin.place.
PLACE_ADDRESS = environment.text("VAULTADMIN_PUBLIC_URL").rstrip("/")
PLACE_FILE = None if _DATABASE_URL else DATA_DIR / "place"
DATABASES["default"] |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True, "ATOMIC_REQUESTS": False}
# Only what asks for it by `vaultadmin.prepared` is prepared; Django's own statements never are.
DATABASES["default"].setdefault("OPTIONS", {}).setdefault("prepare_threshold", 5)
if environment.text("VAULTADMIN_DATABASE_NAME"):
    DATABASES["default"]["NAME"] = environment.text("VAULTADMIN_DATABASE_NAME")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# One cache per process and no pickles on a wire: what must be shared stands in the database (security.md section 0).
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_SERIALIZER = "django.contrib.sessions.serializers.JSONSerializer"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# Sign-in
AUTH_USER_MODEL = "vaultadmin.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_USER_MODEL_EMAIL_FIELD = "email"
ACCOUNT_ADAPTER = "vaultadmin.accounts.adapter.AccountAdapter"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_CHANGE_EMAIL = False
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = "[vaultadmin] "
ACCOUNT_FORMS = {"change_password": "vaultadmin.accounts.forms.ChangePasswordForm"}
# allauth counts in a cache, which is one per process here: what guards a password or a code is counted in the
# database instead (accounts/limits.py). Its other limits, such as reset mails, stay as they are.
ACCOUNT_RATE_LIMITS = {"login": None, "login_failed": None, "reauthenticate": None, "change_password": None}
PASSWORD_RESET_TIMEOUT = 3600
SOCIALACCOUNT_ADAPTER = "vaultadmin.accounts.adapter.SocialAccountAdapter"
SOCIALACCOUNT_LOGIN_ON_GET = False
SOCIALACCOUNT_PROVIDERS = environment.openid_providers()
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not PRODUCTION
MFA_ADAPTER = "vaultadmin.accounts.adapter.SecondFactorAdapter"
MFA_FORMS = {
    "authenticate": "vaultadmin.accounts.forms.AuthenticateForm",
    "reauthenticate": "vaultadmin.accounts.forms.ReauthenticateForm",
}
MFA_TOTP_ISSUER = "vaultadmin"
# One time step either way, for telephones whose clock is a little off.
MFA_TOTP_TOLERANCE = 1
USERSESSIONS_ADAPTER = "vaultadmin.accounts.adapter.UserSessionsAdapter"
# How many proxies of ours append to X-Forwarded-For before a request reaches us.
# Who shows it may read /metrics; without one only this machine may.
METRICS_TOKEN = environment.text("VAULTADMIN_METRICS_TOKEN")
TRUSTED_PROXIES = int(environment.text("VAULTADMIN_TRUSTED_PROXIES", "0"))

# Lock-out, counted in the database: by person and address, lifted by time or by an administrator.
AXES_FAILURE_LIMIT = 10
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_USERNAME_FORM_FIELD = "login"
AXES_USERNAME_CALLABLE = "vaultadmin.accounts.lockout.typed_name"
AXES_CLIENT_IP_CALLABLE = "vaultadmin.accounts.lockout.address"
# The audit trail keeps sign-ins; axes keeps counters, not what was typed.
AXES_DISABLE_ACCESS_LOG = True
AXES_SENSITIVE_PARAMETERS = ["login", "password", "csrfmiddlewaretoken", "next"]
AXES_HTTP_RESPONSE_CODE = 429
AXES_LOCKOUT_CALLABLE = "vaultadmin.accounts.lockout.locked_out"
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
# The Vault REST API: calls per window of a vault, sign-ins per minute of a user, how long answers beyond are delayed.
API_BURST_LIMIT, API_BURST_SECONDS = 2_000, 300
API_SIGN_INS_PER_MINUTE = 20
API_DELAY_MILLISECONDS = 500
SESSION_IDLE = timedelta(minutes=15)
SESSION_ABSOLUTE = timedelta(hours=12)
LOGIN_FAILURES_PER_MINUTE = 10

# Cookies: plain names over http in development, __Host- and Secure in production.
SESSION_COOKIE_NAME = "__Host-sessionid" if PRODUCTION else "sessionid"
CSRF_COOKIE_NAME = "__Host-csrftoken" if PRODUCTION else "csrftoken"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = int(SESSION_ABSOLUTE.total_seconds())
CSRF_FAILURE_VIEW = "vaultadmin.site.errors.csrf_failure"
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if PUBLIC_URL.startswith("https://") else []

# Headers
SECURE_SSL_REDIRECT = PRODUCTION
SECURE_HSTS_SECONDS = 31_536_000 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = PRODUCTION
SECURE_REFERRER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if environment.flag("VAULTADMIN_BEHIND_TLS_PROXY") else None
)
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [csp.NONE],
        "script-src": [csp.SELF],
        "style-src": [csp.SELF],
        "img-src": [csp.SELF, "data:"],
        "font-src": [csp.SELF],
        "connect-src": [csp.SELF],
        "manifest-src": [csp.SELF],
        # Signing in by single sign-on is a form whose answer leads to the provider.
        "form-action": [csp.SELF, *environment.openid_origins()],
        "frame-ancestors": [csp.NONE],
        "base-uri": [csp.NONE],
        "object-src": [csp.NONE],
    }
}
PERMISSIONS_POLICY: dict[str, list[str]] = {
    name: [] for name in ("camera", "geolocation", "microphone", "payment", "usb", "display-capture", "midi")
}

# What one request may carry
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_048_576
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200
DATA_UPLOAD_MAX_NUMBER_FILES = 1
FILE_UPLOAD_MAX_MEMORY_SIZE = 1_048_576
FILE_UPLOAD_PERMISSIONS = 0o600

# Static files, hashed and compressed at start-up
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_AUTOREFRESH = False
MEDIA_ROOT = DATA_DIR / "uploads"

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = USE_TZ = True

EMAIL_BACKEND = environment.text("VAULTADMIN_EMAIL_BACKEND", "django.core.mail.backends.console.EmailBackend")
EMAIL_HOST = environment.text("VAULTADMIN_EMAIL_HOST", "localhost")
EMAIL_PORT = int(environment.text("VAULTADMIN_EMAIL_PORT", "25"))
EMAIL_HOST_USER = environment.text("VAULTADMIN_EMAIL_USER")
EMAIL_HOST_PASSWORD = environment.text("VAULTADMIN_EMAIL_PASSWORD")
EMAIL_USE_TLS = environment.flag("VAULTADMIN_EMAIL_STARTTLS")
EMAIL_USE_SSL = environment.flag("VAULTADMIN_EMAIL_TLS")
# A mail server that hangs must not hold a worker or a person.
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = environment.text("VAULTADMIN_EMAIL_FROM", "vaultadmin@localhost")

# Celery carries nudges and ticks, JSON only; every task is routed here, never on the task.
REDIS_URL = environment.text("REDIS_URL")
CELERY_BROKER_URL = REDIS_URL or embedded.broker_url(DATA_DIR)
CELERY_TASK_SERIALIZER = "json"
CELERY_RESULT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_SOFT_TIME_LIMIT = 110
CELERY_TASK_TIME_LIMIT = 120
CELERY_TASK_DEFAULT_QUEUE = "maintenance"
CELERY_TASK_ROUTES = {
    # Sending may wait for silent receivers all day; nothing else queues behind it, least of all what watches it.
    "connections.tasks.deliver_messages": {"queue": "delivery"},
    "connections.tasks.deliver_peer_messages": {"queue": "processing"},
    "connections.tasks.process_messages": {"queue": "processing"},
    "connections.tasks.replay_messages": {"queue": "processing"},
    "connections.tasks.*": {"queue": "maintenance"},
    "ecoa.tasks.work_import": {"queue": "processing"},
    "ecoa.tasks.read_back": {"queue": "processing"},
    "ecoa.tasks.carry_decision": {"queue": "processing"},
    # The tick heals what drains leave behind, so it must not queue behind them.
    "ecoa.tasks.tick": {"queue": "maintenance"},
    "ecoa.tasks.tidy": {"queue": "maintenance"},
    "ecoa.tasks.look_after": {"queue": "maintenance"},
    "ecoa.tasks.work_report": {"queue": "processing"},
    # Somebody waits in front of the page.
    "ecoa.tasks.work_set_up": {"queue": "interactive"},
    "ecoa.tasks.*": {"queue": "sync"},
    "vaultadmin.tasks.*": {"queue": "maintenance"},
}
CELERY_BEAT_SCHEDULE = PLATFORM_BEAT | CONNECTIONS_BEAT | ECOA_BEAT
CELERY_BEAT_SCHEDULER = "vaultadmin.beat:Scheduler"
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "beat-schedule")
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
# A worker whose processes need longer than this to come up ends itself, and on a machine out of breath all would.
CELERY_WORKER_PROC_ALIVE_TIMEOUT = 60
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
# Redis keeps no record of nudges that workers have taken: what is due stands in rows, and ticks find what a dead worker
# leaves. A worker that had to confirm one through a connection it has just lost ended itself over that.
CELERY_BROKER_TRANSPORT_OPTIONS = {"ack_emulation": False, "socket_timeout": 10, "socket_connect_timeout": 3}

# The outbound door
OUTBOUND_ALLOW = environment.text("VAULTADMIN_OUTBOUND_ALLOW")
_DEMO_RESOLVE = "" if PRODUCTION else f"ecoa.demo.test:443=127.0.0.1:{TLS_PORT}"
OUTBOUND_RESOLVE = ",".join(filter(None, [environment.text("VAULTADMIN_OUTBOUND_RESOLVE"), _DEMO_RESOLVE]))
# The addresses the outside sees when we call it: what a gateway makes of ours is known to operators only.
OUTBOUND_ADDRESSES = environment.items("VAULTADMIN_OUTBOUND_ADDRESSES")
OUTBOUND_CA_BUNDLE = environment.text("VAULTADMIN_CA_BUNDLE") or (
    "" if PRODUCTION else str(embedded.paths(DATA_DIR).ca_certificate)
)

# eCOA: hosts a discovery answer may name before a secret is sent there, and the bundled service's own regions.
ECOA_REGION_SUFFIXES = environment.items("VAULTADMIN_ECOA_REGION_SUFFIXES") or (
    ["myveeva.com"] if PRODUCTION else ["myveeva.com", "ecoa.demo.test"]
)
# Calls this installation may have under way at a time, for one external system and to one region.
ECOA_SYSTEM_CALLS = environment.number("VAULTADMIN_ECOA_SYSTEM_CALLS", 256)
ECOA_REGION_CALLS = environment.number("VAULTADMIN_ECOA_REGION_CALLS", 128)
ECOA_REGIONS = environment.text("VAULTADMIN_ECOA_REGIONS")
ECOA_TOKEN_MINUTES = 60
# Whether the fault board of the eCOA service may be used; production refuses to start when asked for it.
ECOA_FAULTS = environment.flag("VAULTADMIN_ECOA_FAULTS", default=not PRODUCTION)
CONNECTION_FILE_HOURS = 72

# Signing certificates: how long they live, and how their successors come.
SIGNING_CERTIFICATE_DAYS = environment.number("VAULTADMIN_CERTIFICATE_DAYS", 3 * 365)
SIGNING_CERTIFICATE_NOTICE_DAYS = environment.number("VAULTADMIN_CERTIFICATE_NOTICE_DAYS", 90)
SIGNING_CERTIFICATE_TEST_DAYS = environment.number("VAULTADMIN_CERTIFICATE_TEST_DAYS", 30)
SIGNING_CERTIFICATE_ROLLOVER_DAYS = environment.number("VAULTADMIN_CERTIFICATE_ROLLOVER_DAYS", 30)
# How many days before connections move to a new certificate a mail says so; several numbers, several mails.
SIGNING_CERTIFICATE_MAIL_DAYS = environment.numbers("VAULTADMIN_CERTIFICATE_MAIL_DAYS", (30, 7))
SIGNING_KEY_BITS = environment.number("VAULTADMIN_CERTIFICATE_KEY_BITS", 3072)

# Spark messages: how long one call may take, how many may be under way to one connection, and whether a receiver's
# TLS certificate that is not accepted ends a message at once.
SPARK_CALL_SECONDS = environment.number("VAULTADMIN_SPARK_CALL_SECONDS", 30)
SPARK_CALLS_PER_CONNECTION = environment.number("VAULTADMIN_SPARK_CALLS_PER_CONNECTION", 16)
SPARK_ENDS_ON_BAD_CERTIFICATE = environment.flag("VAULTADMIN_SPARK_ENDS_ON_BAD_CERTIFICATE", default=True)

LOGGING = logs.configuration()
DJANGO_STRUCTLOG_CELERY_ENABLED = True
TEST_RUNNER = "django.test.runner.DiscoverRunner"
