"""The application of the drill: Django REST framework with the views of a reference server, on
PostgreSQL, whose own pages accept the same tokens."""

import os
import sys

sys.path.insert(0, os.environ["DRILL_PROJECT"])
os.environ.setdefault("REFERENCE_API", "ocd-users")
os.environ.setdefault("REFERENCE_DATABASE", "unused")
os.environ.setdefault("REFERENCE_SMTP_PORT", "")

import settings as reference  # noqa: E402
from django.conf import settings  # noqa: E402
from django.contrib.auth.hashers import PBKDF2PasswordHasher  # noqa: E402


class Hasher(PBKDF2PasswordHasher):
    """Django's own, cheap."""

    iterations = int(os.environ["DRILL_ITERATIONS"])


values = {name: value for name, value in vars(reference).items() if name.isupper() and name != "API"}
values.update(
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": "postgres",
            "USER": "postgres",
            "HOST": "127.0.0.1",
            "PORT": os.environ["DRILL_PORT"],
            "CONN_MAX_AGE": None,
        }
    },
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    PASSWORD_HASHERS=["drill.Hasher"],
    # Another table of tokens would have to be told from this one.
    INSTALLED_APPS=[app for app in reference.INSTALLED_APPS if app not in ("rest_framework.authtoken", "djoser")],
    ROOT_URLCONF=__name__,
)
settings.configure(**values)

import django  # noqa: E402

django.setup()

from tokens.models import AuthToken  # noqa: E402

AuthToken._meta.db_table = "knox_authtoken"

from apis.ocd_users import urlpatterns as api  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import connections  # noqa: E402
from django.urls import path  # noqa: E402
from rest_framework.permissions import IsAuthenticated  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402
from tokens.auth import KnoxAuthentication  # noqa: E402

if os.environ.get("DRILL_MIGRATE"):
    call_command("migrate", verbosity=0)
    call_command("migrate", run_syncdb=True, verbosity=0)
# gunicorn forks after this.
connections.close_all()


class Page(APIView):
    """Tells whose token it was, and which application answers."""

    authentication_classes = (KnoxAuthentication,)
    permission_classes = (IsAuthenticated,)

    def get(self, request, **_):
        return Response({"user": request.user.username, "side": os.environ["DRILL_SIDE"]})


urlpatterns = api + [path("private/", Page.as_view()), path("pages/<str:name>/", Page.as_view())]

answer = get_wsgi_application()


def application(environ, start_response):
    """Tells in a header who answered."""

    def start(status, headers, *rest):
        return start_response(status, headers + [("X-Side", os.environ["DRILL_SIDE"])], *rest)

    return answer(environ, start)
