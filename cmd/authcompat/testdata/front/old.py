"""An old server whose users are adopted: Django with djoser's endpoints for tokens and users,
and a view that tells who the front says is there."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

settings.configure(
    SECRET_KEY="of a server that holds nothing worth a secret",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=[
        "django.contrib.contenttypes",
        "django.contrib.auth",
        "rest_framework",
        "rest_framework.authtoken",
        "djoser",
    ],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["OLD_DATABASE"]}},
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    REST_FRAMEWORK={"DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.TokenAuthentication"]},
    USE_TZ=True,
    LOGGING_CONFIG=None,
)
application = get_wsgi_application()

from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connections  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.urls import include, path  # noqa: E402

call_command("migrate", run_syncdb=True, verbosity=0)
for name in ("ann", "bob", "j\u00fcrgen", "gone"):
    User.objects.create_user(name, password="django's " + name, is_active=name != "gone")
# gunicorn forks after this: a connection of SQLite must not cross that.
connections.close_all()


def private(request):
    return HttpResponse("identity: " + request.META.get("HTTP_X_AUTHCOMPAT_IDENTITY", "none"))


urlpatterns = [
    path("auth/", include("djoser.urls")),
    path("auth/", include("djoser.urls.authtoken")),
    path("private/", private),
]
