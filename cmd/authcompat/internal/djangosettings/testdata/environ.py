# -*- coding: utf-8 -*-
#: API: dj-rest-auth
#: environ.py:25:71: CORS_ALLOWED_ORIGINS calls env.list(…)
#: environ.py:44:37: ACCOUNT_EMAIL_VERIFICATION calls env(…)
#: environ.py:32:5: REST_FRAMEWORK DEFAULT_RENDERER_CLASSES depends on the if of line 31
#: environ.py:49:9: a call with locals() may change any setting above
from __future__ import annotations

import typing as t
from pathlib import Path

import environ
from django.utils.translation import gettext_lazy as _

ROOT = Path(__file__).resolve(strict=True).parent.parent
env = environ.Env(DEBUG=(bool, False))
environ.Env.read_env(str(ROOT / ".env"))

DJANGO_APPS: t.Final = ("django.contrib.auth",)
THIRD_PARTY_APPS = (
    "rest_framework", "rest_framework.authtoken", "allauth", "allauth.account",
    "dj_rest_auth", "dj_rest_auth.registration",
)
INSTALLED_APPS = DJANGO_APPS + THIRD_PARTY_APPS
LANGUAGES = [("en", _("English"))]; CORS_ALLOWED_ORIGINS: list[str] = env.list("ORIGINS", default=["https://a.example"])
FRONTEND = "https://a.example"
RESET = f"{FRONTEND}/reset/{{uid}}/{{token}}"
REST_FRAMEWORK: dict[str, t.Any] = {"DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"]}


if env.bool("BROWSABLE", False):
    REST_FRAMEWORK["DEFAULT_RENDERER_CLASSES"] = [
        "rest_framework.renderers.JSONRenderer",
    ]

REST_AUTH = {
    **{"OLD_PASSWORD_FIELD_ENABLED": True},
    "LOGIN_SERIALIZER": "shop.serializers.Login",
    "SESSION_LOGIN": False,
    "USE_JWT": False,
}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_EMAIL_REQUIRED = True
ACCOUNT_EMAIL_VERIFICATION: t.Any = env("VERIFY", default="none")

try:
    import shop_hosting
    shop_hosting.settings(
        locals())
except ImportError:
    pass
