"""Prints the vectors of token_test.go and emailkey_test.go, made by the genuine Django that is installed (3.2).

Run: /usr/bin/python3 core/maillink/testdata/vectors.py

Django 3.2 makes the tokens of 3.1 to 5.1 itself, and with DEFAULT_HASHING_ALGORITHM those with SHA-1.
For 2.2 and 3.0, what differed there is put back: days, and no e-mail address. django-allauth's
addition is that of allauth/account/forms.py, EmailAwarePasswordResetTokenGenerator.
"""
import base64
import warnings
from datetime import date, datetime, timezone

warnings.simplefilter('ignore')

import django
from django.conf import settings

settings.configure(SECRET_KEY='k3y-\u00fc-with $ympols and more than sixty-four bytes, which HMAC would hash itself',
                   TIME_ZONE='UTC', USE_TZ=True, INSTALLED_APPS=['django.contrib.auth', 'django.contrib.contenttypes'])
django.setup()

from django.contrib.auth.models import User
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core import signing
from django.utils.crypto import salted_hmac
from django.utils.http import int_to_base36, urlsafe_base64_encode

NOW = datetime(2026, 11, 30, 8, 33, 54, 999999)


class Now(PasswordResetTokenGenerator):
    emails = ()

    def _now(self):
        return NOW

    def _make_hash_value(self, user, timestamp):
        value = super()._make_hash_value(user, timestamp)
        if self.emails:
            value += '|'.join(sorted({user.email, *self.emails} - {''}))
        return value


class SHA1(Now):
    algorithm = 'sha1'


class Django22(SHA1):
    def make_token(self, user):
        return self._make_token_with_timestamp(user, (NOW.date() - date(2001, 1, 1)).days)

    def _make_hash_value(self, user, timestamp):
        address, user.email = user.email, ''
        try:
            return super()._make_hash_value(user, timestamp)
        finally:
            user.email = address


class Allauth(Now):
    emails = ('zoe@example.org', 'ann@example.org', 'a@example.org')


USERS = {
    'ann': User(pk=1, password='pbkdf2_sha256$260000$salt$aGFzaA==', email='ann@example.org'),
    'logged in': User(pk=46656, password='!unusable', email='b\u00fcrger@example.org',
                      last_login=datetime(2026, 2, 3, 4, 5, 6, 789012, tzinfo=timezone.utc)),
    'no address': User(pk=9223372036854775807, password='md5$s$1', email='',
                       last_login=datetime(1999, 12, 31, 23, 59, 59, tzinfo=timezone.utc)),
}
for name, user in USERS.items():
    for kind in (Now, SHA1, Django22, Allauth):
        print(f'{name:12} {kind.__name__:10} {kind().make_token(user)}')
    print(f'{name:12} uid        {urlsafe_base64_encode(str(user.pk).encode())} {int_to_base36(user.pk)}')

# django-allauth's EmailConfirmationHMAC.key: signing.dumps(pk, salt=app_settings.SALT), at NOW.
signing.time.time = lambda: NOW.replace(tzinfo=timezone.utc).timestamp()
for pk in (1, 46656, 9223372036854775807):
    for algorithm in ('sha256', 'sha1'):
        settings.DEFAULT_HASHING_ALGORITHM = algorithm
        print(f'email key {algorithm:6} {signing.dumps(pk, salt="account")}')
