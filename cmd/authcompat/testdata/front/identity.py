"""The application behind a front that is told who the user is: Django REST framework with the
class of docs/identity, and WSGI with its middleware."""

import json
import os
import sys
from unicodedata import combining, normalize

from django.conf import settings
from django.core.wsgi import get_wsgi_application

sys.path.insert(0, os.environ["IDENTITY_DOCS"])

settings.configure(
    SECRET_KEY="of a server that holds nothing worth a secret",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "rest_framework"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["IDENTITY_DATABASE"]}},
    MIGRATION_MODULES={"auth": None, "contenttypes": None},
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    AUTHCOMPAT_IDENTITY_KEYS=os.environ["IDENTITY_KEYS"],
    AUTHCOMPAT_IDENTITY_USER=os.environ["IDENTITY_USER"],
    AUTHCOMPAT_IDENTITY_CASE=os.environ["IDENTITY_CASE"],
    REST_FRAMEWORK={"DEFAULT_AUTHENTICATION_CLASSES": ["authcompat_django.AuthcompatIdentity"]},
    LOGGING_CONFIG=None,
)
django_application = get_wsgi_application()

from authcompat_backend import AuthcompatBackend  # noqa: E402
from authcompat_wsgi import AuthcompatIdentity  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db.backends.signals import connection_created  # noqa: E402
from django.urls import path  # noqa: E402
from rest_framework.permissions import IsAuthenticated  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402



def blind(a, b):
    a, b = ("".join(c for c in normalize("NFD", name.casefold()) if not combining(c)) for name in (a, b))
    return (a > b) - (a < b)


# As in MySQL, with whose usual collations ANN finds ann, and one sigma the other two.
connection_created.connect(lambda connection, **_: connection.connection.create_collation("BLIND", blind), weak=False)
User._meta.get_field("username").db_collation = "BLIND"
call_command("migrate", run_syncdb=True, verbosity=0)
for name in ("ann", "j\u00fcrgen", "gone", "Bob", "\u039f\u0394\u039f\u03a3", "\u0130PEK"):
    User.objects.create(username=name, is_active=name != "gone")


class Whoami(APIView):
    permission_classes = [IsAuthenticated]

    def get(self, request):
        return Response([request.user.pk, request.user.username, request.auth])


urlpatterns = [path("drf/", Whoami.as_view())]


def names(environ):
    return {k: str(v) for k, v in environ.items() if not k.startswith(("wsgi.", "gunicorn."))}


def tell(environ, start_response):
    environ["wsgi.input"].read()
    body = json.dumps(names(environ)).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


def remote(environ, start_response):
    user = AuthcompatBackend().authenticate(None, environ.get("REMOTE_USER"))
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [(user.get_username() if user else "nobody").encode()]


believing = AuthcompatIdentity(tell, os.environ["IDENTITY_KEYS"])
believing_django = AuthcompatIdentity(remote, os.environ["IDENTITY_KEYS"])


def application(environ, start_response):
    if environ["PATH_INFO"].startswith("/drf/"):
        return django_application(environ, start_response)
    if environ["PATH_INFO"].startswith("/wsgi/"):
        return believing(environ, start_response)
    if environ["PATH_INFO"].startswith("/remote/"):
        return believing_django(environ, start_response)
    return tell(environ, start_response)
