"""Django: REMOTE_USER of authcompat_wsgi.py is a user of that very name, or nobody.

Copy this file. In the settings, beside RemoteUserMiddleware:
    AUTHENTICATION_BACKENDS = ["authcompat_backend.AuthcompatBackend"]

Django's own RemoteUserBackend takes whom the database finds. Where that compares names without
case or accents (MySQL, citext, NOCASE), ADMIN is admin there, and anybody may have registered
that name at authcompat. It also creates users whom it does not find.
"""

from django.conf import settings
from django.contrib.auth.backends import RemoteUserBackend
from django.db import DataError


class AuthcompatBackend(RemoteUserBackend):
    create_unknown_user = False

    def authenticate(self, request, remote_user):
        try:
            user = super().authenticate(request, remote_user)
        except DataError:  # a name that the database's encoding does not have
            user = None
        if user is None:
            return None
        name = user.get_username()
        # Where users were imported with username_case: lower, authcompat has their names so, each
        # letter by itself. str.lower() makes another letter of a sigma that ends a word, and two
        # of a dotted I: that is the name of another.
        if getattr(settings, "AUTHCOMPAT_IDENTITY_CASE", "keep") == "lower":
            name = "".join(letter.lower()[0] for letter in name)
        return user if name == remote_user else None
