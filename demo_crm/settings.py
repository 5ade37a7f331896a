"""The demo project's settings, read from the environment.

Everything has a default that suits the demo on the local Microsoft 365; `docs/` lists the variables. Nothing here needs
the network.
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

import environ

from .keys import own_keys, vendor_keys

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

DATA_DIR = Path(env.str("DEMO_DATA_DIR", str(BASE_DIR / "var"))).resolve()
if "MS365_CLIENT_ID" not in os.environ:
    # `manage.py demo` leaves there how to reach its local Microsoft 365, for commands started beside it.
    left_behind = DATA_DIR / "demo.env"
    if left_behind.is_file():
        env.read_env(left_behind)

DEMO = env.bool("DEMO", False)              # show the demo sign-ins and the way to the local Microsoft 365
DEBUG = env.bool("DEBUG", False)
SECRET_KEY = env.str("SECRET_KEY", "") or own_keys(DATA_DIR)["secret_key"]
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
PUBLIC_URL = env.str("MS365_PUBLIC_URL", "").rstrip("/")

INSTALLED_APPS = [
    "demo_crm.crm",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "django_q",
    "opencrm_ms365",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "demo_crm.headers.ContentSecurityPolicy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "demo_crm.crm.times.LocalTime",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "demo_crm.urls"
WSGI_APPLICATION = "demo_crm.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "demo_crm.crm.context.demo",
            ],
        },
    }
]

# Data

DATABASES = {"default": env.db("DATABASE_URL", f"sqlite:///{DATA_DIR / 'demo.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATA_DIR.mkdir(parents=True, exist_ok=True)
    # Several processes write: a write-ahead log, and each transaction takes its write lock at the start and waits.
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    DATABASES["default"].setdefault("CONN_MAX_AGE", 60)
    DATABASES["default"].setdefault("CONN_HEALTH_CHECKS", True)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("REDIS_URL", "")
if REDIS_URL:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}

# Background work. The retry time covers a task's wait inside the cluster as well as its run.

Q_CLUSTER = {
    "name": "opencrm",
    "label": "Background work",
    "workers": env.int("Q_WORKERS", 2),
    "queue_limit": env.int("Q_WORKERS", 2),
    "bulk": 1,
    "timeout": 120,
    "retry": 400,
    "max_attempts": 1,
    "ack_failures": True,
    "catch_up": False,
    "poll": 0.5,
    "save_limit": 250,
    "recycle": 200,
    **({"redis": REDIS_URL} if REDIS_URL else {"orm": "default"}),
}

# Microsoft 365

OPENCRM_MS365 = {
    "CLIENT_ID": env.str("MS365_CLIENT_ID", ""),
    "CLIENT_SECRET": env.str("MS365_CLIENT_SECRET", ""),
    "LOGIN_URL": env.str("MS365_LOGIN_URL", "https://login.microsoftonline.com"),
    "GRAPH_URL": env.str("MS365_GRAPH_URL", "https://graph.microsoft.com"),
    "ENCRYPTION_KEYS": env.list("MS365_ENCRYPTION_KEYS", default=[]) or [own_keys(DATA_DIR)["encryption_key"]],
    # The demo is its own vendor; elsewhere an empty key means that nobody asks for activation.
    "ACTIVATION_PUBLIC_KEY": env.str("MS365_ACTIVATION_PUBLIC_KEY", "") or (
        vendor_keys(DATA_DIR)["public"] if DEMO else ""),
    "PUBLIC_URL": PUBLIC_URL,
    "DEFAULT_PHONE_REGION": "GB",
    "BASE_TEMPLATE": "crm/base.html",
}

# People and pages

LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "crm:home"
LOGOUT_REDIRECT_URL = "login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
}
SPECTACULAR_SETTINGS = {"TITLE": "Demo CRM", "VERSION": "1", "SERVE_INCLUDE_SCHEMA": False}

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "Europe/London"
USE_I18N = True
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = env.str("STATIC_ROOT", "") or None      # only for `collectstatic`
WHITENOISE_USE_FINDERS = True               # the demo has no collectstatic step
WHITENOISE_AUTOREFRESH = DEBUG

# Security

_https = PUBLIC_URL.startswith("https://")
_login = urlsplit(OPENCRM_MS365["LOGIN_URL"])
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if _https else []
CSRF_COOKIE_SECURE = SESSION_COOKIE_SECURE = _https
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_PROXY", False) else None
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", 0)
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin-allow-popups"     # the sign-in pop-up hands its key to its opener
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = "; ".join((
    "default-src 'self'",
    "img-src 'self' data:",
    "object-src 'none'",
    "base-uri 'self'",
    "frame-ancestors 'none'",
    f"form-action 'self' {_login.scheme}://{_login.netloc}",        # a form's answer may redirect to the sign-in
))

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", "INFO")},
}
