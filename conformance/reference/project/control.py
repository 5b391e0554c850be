"""What a test does behind a reference server's HTTP: users, the clock, a clean slate.

It answers at a path that no API has, and only a server on loopback is ever
started with it.
"""

import datetime
import json

from django.utils import timezone

PREFIX = "/-reference-/"


class Clock:
    """The clock of Django, which a test can move forward."""

    def __init__(self):
        self.real = timezone.now
        self.ahead = datetime.timedelta()

    def now(self):
        return self.real() + self.ahead

    def local(self):
        return datetime.datetime.now() + self.ahead


class Control:
    """A WSGI application around Django's own."""

    def __init__(self, application, clock):
        self.application = application
        self.clock = clock
        self.functions = {
            PREFIX + "reset": self.reset,
            PREFIX + "user": self.user,
            PREFIX + "advance": self.advance,
            PREFIX + "link": self.link,
            PREFIX + "email_key": self.email_key,
        }

    def __call__(self, environ, start_response):
        function = self.functions.get(environ["PATH_INFO"])
        if function is None:
            return self.application(environ, start_response)
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        result = function(**(json.loads(body) or {}))
        answer = json.dumps(result).encode()
        start_response("200 OK", [("Content-Length", str(len(answer)))])
        return [answer]

    def reset(self):
        from django.contrib.auth.models import User

        # Tokens go with their users.
        User.objects.all().delete()
        self.clock.ahead = datetime.timedelta()

    def user(self, username, password, email, active, staff):
        from django.contrib.auth.models import User

        User.objects.create_user(
            username, email, password, is_active=active, is_staff=staff
        )

    def advance(self, seconds):
        self.clock.ahead += datetime.timedelta(seconds=seconds)

    def link(self, username):
        from django.apps import apps
        from django.contrib.auth.models import User

        user = User.objects.get(username=username)
        if apps.is_installed("allauth.account"):
            from allauth.account.forms import default_token_generator
            from allauth.account.utils import user_pk_to_url_str

            uid = user_pk_to_url_str(user)
        else:
            from django.contrib.auth.tokens import default_token_generator
            from django.utils.encoding import force_bytes
            from django.utils.http import urlsafe_base64_encode

            uid = urlsafe_base64_encode(force_bytes(user.pk))
        return {"uid": uid, "token": default_token_generator.make_token(user)}

    def email_key(self, username):
        from allauth.account.models import EmailAddress, EmailConfirmationHMAC
        from django.contrib.auth.models import User

        user = User.objects.get(username=username)
        address, _ = EmailAddress.objects.get_or_create(user=user, email=user.email)
        return EmailConfirmationHMAC(address).key
