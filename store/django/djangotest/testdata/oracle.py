"""Genuine Django and Django REST framework, asked in JSON lines.

Each line of input is a list [command, argument, …]; each line of output is its
result. What a view of ObtainAuthToken, TokenAuthentication or a logout would do
is done with the same classes.
"""
import json
import os
import sys

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
django.setup()

from django.contrib.auth import authenticate  # noqa: E402
from django.contrib.auth.hashers import get_hasher, make_password  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.contrib.auth.signals import user_logged_in  # noqa: E402
from django.contrib.auth.tokens import default_token_generator  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import transaction  # noqa: E402
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode  # noqa: E402
from rest_framework.authentication import TokenAuthentication  # noqa: E402
from rest_framework.authtoken.models import Token  # noqa: E402
from rest_framework.authtoken.serializers import AuthTokenSerializer  # noqa: E402
from rest_framework.exceptions import AuthenticationFailed  # noqa: E402


def encode(n, password):
    forms = ["default", "weak", "pbkdf2_sha1", "sha1", "md5", "unsalted_sha1", "unsalted_md5"]
    form = forms[n % len(forms)]
    if form == "default":
        return make_password(password)
    if form == "weak":
        return get_hasher("pbkdf2_sha256").encode(password, "abcdef", 10)
    if form == "pbkdf2_sha1":
        return get_hasher(form).encode(password, "abcdef", 10)
    return make_password(password, hasher=form)


@transaction.atomic
def make(number):
    """Users with every form of password, each with a token."""
    made = []
    for n in range(number):
        name, password = "üser-%d" % n, "pass wörd %d" % n
        user = User.objects.create(
            username=name, email="u%d@example.org" % n, first_name="F" * (n % 3),
            is_staff=n % 50 == 0, password=encode(n, password),
        )
        made.append({"username": name, "password": password, "token": Token.objects.create(user=user).key})
    return made


def register(username, password):
    return User.objects.create_user(username, username + "@example.org", password).pk


def login(username, password):
    """ObtainAuthToken.post: the token, or null."""
    serializer = AuthTokenSerializer(data={"username": username, "password": password})
    if not serializer.is_valid():
        return None
    return Token.objects.get_or_create(user=serializer.validated_data["user"])[0].key


def check(token):
    """TokenAuthentication: the username, or null."""
    try:
        return TokenAuthentication().authenticate_credentials(token)[0].username
    except AuthenticationFailed:
        return None


def logout(token):
    return Token.objects.filter(key=token).delete()[0]


def passwords(pairs):
    """The names that can't log in with their password."""
    return [name for name, password in pairs if authenticate(username=name, password=password) is None]


def tokens(keys):
    return [check(key) for key in keys]


def rights(username):
    user = User.objects.get(username=username)
    return [user.is_staff, user.is_active, user.first_name]


def link(username):
    """The uid and the token of a link in a mail."""
    user = User.objects.get(username=username)
    return [urlsafe_base64_encode(str(user.pk).encode()), default_token_generator.make_token(user)]


def follow(uid, token):
    """The user whom a link is for, or null."""
    user = User.objects.get(pk=urlsafe_base64_decode(uid).decode())
    return user.username if default_token_generator.check_token(user, token) else None


def log_in(username):
    """What a login does that sends user_logged_in."""
    user = User.objects.get(username=username)
    user_logged_in.send(sender=User, request=None, user=user)


def set_password(username, password):
    user = User.objects.get(username=username)
    user.set_password(password)
    user.save()


def migrate():
    call_command("migrate", verbosity=0)


def dump(path, *options):
    call_command("dumpdata", *options, output=path)


def load(path):
    call_command("loaddata", path, verbosity=0)


for line in sys.stdin:
    command, *arguments = json.loads(line)
    print(json.dumps(globals()[command](*arguments)), flush=True)
