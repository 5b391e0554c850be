from binascii import unhexlify
from datetime import timedelta
from hashlib import sha512
from os import urandom

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.utils import timezone

# How much of a token is looked up as text.
KEY_LENGTH = 8


class AuthToken(models.Model):
    digest = models.CharField(max_length=128, primary_key=True)
    token_key = models.CharField(max_length=KEY_LENGTH, db_index=True)
    user = models.ForeignKey(User, on_delete=models.CASCADE)
    created = models.DateTimeField(auto_now_add=True)
    expiry = models.DateTimeField(null=True)


def digest(text):
    """The digest of a token: its text is read as hex, in either case. A text that
    is no hex raises binascii.Error."""
    return sha512(unhexlify(text)).hexdigest()


def issue(user):
    """Make a token; its text is shown this once."""
    text = urandom(settings.TOKEN_HEX // 2).hex()
    expiry = None
    if settings.TOKEN_HOURS is not None:
        expiry = timezone.now() + timedelta(hours=settings.TOKEN_HOURS)
    row = AuthToken.objects.create(
        digest=digest(text), token_key=text[:KEY_LENGTH], user=user, expiry=expiry
    )
    return row, text
