"""Settings of a reference server: Django that speaks one of the old APIs.

REFERENCE_API names the API: a module of the package apis. REFERENCE_DATABASE is
the path of an SQLite file, REFERENCE_PACKAGE a folder with a package that Debian
does not have, or several with the separator of PATH, or empty, REFERENCE_SMTP_PORT
that of an SMTP server on loopback, or empty. All else is what `startproject` of Django 3.2 writes,
unless a line says why not.
"""

import importlib
import os
import sys

API = os.environ["REFERENCE_API"].replace("-", "_")
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ["REFERENCE_DATABASE"],
    }
}

SECRET_KEY = "of a server that holds nothing worth a secret"
DEBUG = False
ALLOWED_HOSTS = ["*"]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "rest_framework.authtoken",
    "djoser",
    "tokens",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.debug",
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

ROOT_URLCONF = "apis." + API
LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = True
USE_L10N = True
USE_TZ = True
STATIC_URL = "/static/"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Mails that nobody takes are dropped.
EMAIL_PORT = os.environ["REFERENCE_SMTP_PORT"]
EMAIL_HOST = "127.0.0.1"
EMAIL_BACKEND = "django.core.mail.backends.%s.EmailBackend" % (
    "smtp" if EMAIL_PORT else "dummy"
)

# Thousands of logins, none of which guards anything.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# The documents mention no rule for passwords besides their length.
AUTH_PASSWORD_VALIDATORS = []

# A request that fails on purpose would fill the log with tracebacks.
LOGGING_CONFIG = None

# What an API has of its own: a dict SETTINGS in a module without imports of
# Django, because settings are not complete yet.
globals().update(importlib.import_module("apis.choices").SETTINGS[API])

# Apps that an API has besides.
PACKAGES = globals().get("PACKAGES", [])
if PACKAGES:
    sys.path[:0] = os.environ["REFERENCE_PACKAGE"].split(os.pathsep)
    INSTALLED_APPS += PACKAGES
    MIDDLEWARE += globals().get("PACKAGE_MIDDLEWARE", [])
