"""Settings, all from the environment; one block per integration. `docs/operations.md` has the table."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlparse

from csp.constants import NONCE, SELF

BASE_DIR = Path(__file__).resolve().parent.parent.parent


def _env(name: str, default: str = "") -> str:
    return os.environ.get(name, default)


def _flag(name: str, default: bool = False) -> bool:
    return _env(name, "1" if default else "0").lower() in {"1", "true", "yes"}


DEBUG = _flag("DEBUG")
SECRET_KEY = _env("SECRET_KEY", "only-for-commands-that-need-no-secret")
ALLOWED_HOSTS = [host for host in _env("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]").split(",") if host]
CSRF_TRUSTED_ORIGINS = [origin for origin in _env("CSRF_TRUSTED_ORIGINS").split(",") if origin]
DATA_DIR = Path(_env("DATA_DIR", str(BASE_DIR / "var")))

INSTALLED_APPS = [
    "config.audit",
    "config.accounts",
    "config.office",
    "contracts",
    "vouchers",
    "procurement",
    "settlement",
    "config.interchange",
    "config.demo",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "django_bootstrap5",
    "djmoney",
    "pgtrigger",
    "axes",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "config.middleware.PlainTextMiddleware",
    "config.accounts.languages.ChosenLanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "config.accounts.middleware.AccessMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "config.middleware.DomainErrorMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

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
                "config.accounts.context.access",
            ],
            "builtins": ["config.templatetags.show", "config.templatetags.components"],
            "libraries": {
                name: f"config.templatetags.{name}" for name in ("show", "components", "nav", "forms", "svg", "charts")
            },
        },
    },
]

# --- Database: PostgreSQL only -------------------------------------------------------------------

OWNER_COMMANDS = {
    "migrate",
    "makemigrations",
    "sqlmigrate",
    "showmigrations",
    "dbshell",
    "shell",
    "flush",
    "load_reference",
}


def _default_role() -> str:
    command = sys.argv[1] if len(sys.argv) > 1 else ""
    testing = "pytest" in Path(sys.argv[0]).name or "pytest" in sys.modules
    return "owner" if testing or command in OWNER_COMMANDS else "worker"


# owner | web | worker | readonly: the login of DATABASE_URL must be a member of the roles it takes.
DB_ROLE = _env("DB_ROLE", _default_role())
# Roles are of the whole server: two installations on one server need a prefix each, or the web of one reads the other.
DB_ROLE_PREFIX = _env("DB_ROLE_PREFIX", "servisy_")


def _database(url: str) -> dict[str, object]:
    parsed = urlparse(url)
    query = {key: values[-1] for key, values in parse_qs(parsed.query).items()}
    options: dict[str, object] = {}
    if DB_ROLE != "owner":
        options["options"] = f"-c role={DB_ROLE_PREFIX}{DB_ROLE}"
    if _flag("DB_POOL"):
        options["pool"] = {"min_size": 1, "max_size": int(_env("DB_POOL_SIZE", "8")), "timeout": 10}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parsed.path.lstrip("/") or "servisy",
        "USER": unquote(parsed.username or "") or query.get("user", ""),
        "PASSWORD": unquote(parsed.password or ""),
        "HOST": parsed.hostname or query.get("host", ""),
        "PORT": str(parsed.port or query.get("port", "")),
        "OPTIONS": options,
        "TEST": {"NAME": _env("TEST_DATABASE_NAME", "test_servisy"), "TEMPLATE": "template0"},
    }


DATABASES = {"default": _database(_env("DATABASE_URL", "postgresql:///servisy"))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Sign-in -------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_VERBOSE = False
AXES_LOCKOUT_TEMPLATE = "registration/locked.html"
SILENCED_SYSTEM_CHECKS = [
    "axes.W003",
    # Browsers' preload list holds whole domains: whether to join it is for the owner of the domain, not of one site.
    "security.W021",
]

# --- Interface for programs ------------------------------------------------------------------------

# Requests of one person, counted by each web process for itself.
API_RATE = _env("API_RATE", "600/min")

# --- Languages -----------------------------------------------------------------------------------

LANGUAGE_CODE = "uk"
LANGUAGES = [("uk", "Українська"), ("ru", "Русский"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "config" / "locale"]
FORMAT_MODULE_PATH = ["config.formats"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Europe/Kyiv"
LANGUAGE_COOKIE_NAME = "language"

# --- Money ---------------------------------------------------------------------------------------

CURRENCIES = ("UAH", "RUB", "EUR", "USD")
CURRENCY_CHOICES = [(code, code) for code in CURRENCIES]
DEFAULT_CURRENCY = "UAH"

# --- Files ---------------------------------------------------------------------------------------

STATIC_URL = "static/"
STATIC_ROOT = Path(_env("STATIC_ROOT", str(DATA_DIR / "static")))
STATICFILES_DIRS = [BASE_DIR / "config" / "static"]


def _bootstrap_files() -> list[tuple[str, str]]:
    from importlib.util import find_spec

    spec = find_spec("bootstrap")
    if spec is None or not spec.submodule_search_locations:
        return []
    package = Path(next(iter(spec.submodule_search_locations)))  # a folder of files, no module
    return [("bootstrap/css", str(package / "css")), ("bootstrap/js", str(package / "js"))]


STATICFILES_DIRS += _bootstrap_files()  # type: ignore[arg-type]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
MEDIA_ROOT = Path(_env("MEDIA_ROOT", str(DATA_DIR / "media")))
BOOTSTRAP5 = {
    "css_url": None,
    "javascript_url": None,
    "set_placeholder": False,
    "success_css_class": "",
}

# --- Keys ----------------------------------------------------------------------------------------

# Keyring of field encryption, newest first: "2:base64,1:base64" (32 bytes each).
FIELD_KEYS = _env("FIELD_KEYS")
CERTIFICATE_KEY_FILE = Path(_env("CERTIFICATE_KEY_FILE", str(DATA_DIR / "certificate.pem")))

# --- Background work -----------------------------------------------------------------------------

CELERY_BROKER_URL = _env("CELERY_BROKER_URL", _env("REDIS_URL", "filesystem://localhost"))
CELERY_FILESYSTEM_DIR = Path(_env("CELERY_FILESYSTEM_DIR", str(DATA_DIR / "broker")))
# Set by `up` for its one worker: jobs of a worker that died are taken up at once instead of after their lease.
ONLY_WORKER = _flag("ONLY_WORKER")
JOB_LEASE_SECONDS = int(_env("JOB_LEASE_SECONDS", "600"))

# --- Stripe: recipients' fees by card; transfers to providers where it serves them -----------------

STRIPE_API_KEY = _env("STRIPE_API_KEY")
STRIPE_WEBHOOK_SECRET = _env("STRIPE_WEBHOOK_SECRET")
STRIPE_API_BASE = _env("STRIPE_API_BASE")
# Currencies in which providers with a connected account are paid by transfer, e.g. "EUR,USD"; none: by bank file only.
STRIPE_TRANSFER_CURRENCIES = frozenset(filter(None, _env("STRIPE_TRANSFER_CURRENCIES").upper().split(",")))
STRIPE_TIMEOUT_SECONDS = float(_env("STRIPE_TIMEOUT_SECONDS", "15"))
# Seconds after which a signed delivery is too old to be taken.
STRIPE_WEBHOOK_TOLERANCE = 300

# --- Browser security ----------------------------------------------------------------------------

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 8 * 3600
BEHIND_TLS = _flag("BEHIND_TLS")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = BEHIND_TLS
SECURE_HSTS_SECONDS = 31_536_000 if BEHIND_TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = BEHIND_TLS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_TLS else None
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": ["'none'"],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": ["'none'"],
    }
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": _env("LOG_LEVEL", "WARNING")},
    # It tells every step of every document.
    "loggers": {"weasyprint.progress": {"level": "WARNING"}},
}
