"""Django REST framework: request.user is the one whose token authcompat has checked.

Copy this file. In the settings:
    AUTHCOMPAT_IDENTITY_KEYS = "/etc/app/identity-key"    # the key file, readable for the application
    AUTHCOMPAT_IDENTITY_USER = "username"                 # or "pk", where authcompat works on this database, or a field with its ids
    AUTHCOMPAT_IDENTITY_CASE = "keep"                     # or "lower", where they were imported with username_case: lower
    REST_FRAMEWORK = {"DEFAULT_AUTHENTICATION_CLASSES": ["authcompat_django.AuthcompatIdentity"]}
"""

import base64
import hashlib
import hmac
import re
import time
from pathlib import Path
from urllib.parse import unquote

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import DataError
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed

MAX_AGE = 60  # seconds, either way
FORM = re.compile(
    r"(v1;id=([0-9]{1,19});name=((?:[A-Za-z0-9._~-]|%[0-9A-F]{2})*);token=([0-9a-f]{0,16});time=([0-9]{1,12}));mac=([0-9a-f]{64})"
)


def lower(name):
    """Puts a name in lower case as an import with username_case: lower does: each letter by itself.

    str.lower() makes another letter of a sigma that ends a word, and two of a dotted I: that
    is the name of another, which anybody may have registered.
    """
    return "".join(letter.lower()[0] for letter in name)


def named(user, name):
    """Tells whether a user that the database has found by a name has that very name.

    Where its comparison ignores case or accents (MySQL, citext, NOCASE), it finds admin by
    ADMIN, too. To authcompat that is the name of another, which anybody may have registered.
    """
    has = user.get_username()
    return (lower(has) if getattr(settings, "AUTHCOMPAT_IDENTITY_CASE", "keep") == "lower" else has) == name


class AuthcompatIdentity(BaseAuthentication):
    def authenticate(self, request):
        header = request.META.get("HTTP_X_AUTHCOMPAT_IDENTITY")
        if header is None:
            return None
        m = FORM.fullmatch(header)
        # Read each time, so that a key that was added or removed counts at once.
        keys = [base64.b64decode(k, validate=True) for k in Path(settings.AUTHCOMPAT_IDENTITY_KEYS).read_text().split()]
        macs = [hmac.new(k, m[1].encode(), hashlib.sha256).hexdigest() for k in keys if m and len(k) == 32]
        if not any([hmac.compare_digest(mac, m[6]) for mac in macs]):
            raise AuthenticationFailed("Invalid identity.")
        if abs(time.time() - int(m[5])) > MAX_AGE:
            raise AuthenticationFailed("Stale identity.")
        User = get_user_model()
        field = getattr(settings, "AUTHCOMPAT_IDENTITY_USER", "username")
        try:
            if field != "username":
                user = User._default_manager.filter(**{field: int(m[2])}).first()
            else:
                name = unquote(m[3], errors="strict")
                user = next((u for u in User._default_manager.filter(**{User.USERNAME_FIELD: name}) if named(u, name)), None)
        except DataError:  # a name that the database's encoding does not have
            user = None
        if user is None or not user.is_active:
            raise AuthenticationFailed("Unknown user.")
        return user, m[4]  # request.auth is the id of the token

    def authenticate_header(self, request):
        return "Token"
