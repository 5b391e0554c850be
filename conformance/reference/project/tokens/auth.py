from binascii import Error as NotHex
from secrets import compare_digest

from django.utils import timezone
from rest_framework import exceptions
from rest_framework.authentication import (
    BaseAuthentication,
    TokenAuthentication,
    get_authorization_header,
)

from tokens.models import KEY_LENGTH, AuthToken, digest


class KnoxAuthentication(BaseAuthentication):
    """The header `Authorization: Token …`, read as knox 4.2 documents."""

    scheme = b"token"

    def authenticate_header(self, request):
        return "Token"

    def authenticate(self, request):
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != self.scheme:
            return None
        if len(words) == 1:
            raise exceptions.AuthenticationFailed(
                "Invalid token header. No credentials provided."
            )
        if len(words) > 2:
            raise exceptions.AuthenticationFailed(
                "Invalid token header. Token string should not contain spaces."
            )
        # As in knox, text that is not UTF-8 is an error of the server.
        return find(words[1].decode("utf-8"))


class FrameworkAuthentication(TokenAuthentication):
    """The REST framework's own, over tokens of which a user can have many."""

    def authenticate_credentials(self, key):
        if key != key.lower():
            raise exceptions.AuthenticationFailed("Invalid token.")
        return find(key)


def find(text):
    """The user and the row of a token."""
    for row in AuthToken.objects.filter(token_key=text[:KEY_LENGTH]):
        if expired(row):
            continue
        try:
            found = digest(text)
        except NotHex:
            break
        if compare_digest(found, row.digest):
            if not row.user.is_active:
                raise exceptions.AuthenticationFailed("User inactive or deleted.")
            return row.user, row
    raise exceptions.AuthenticationFailed("Invalid token.")


def expired(row):
    """Delete the user's expired tokens; tell whether this is one."""
    now = timezone.now()
    AuthToken.objects.filter(user=row.user, expiry__lt=now).delete()
    return row.expiry is not None and row.expiry < now
