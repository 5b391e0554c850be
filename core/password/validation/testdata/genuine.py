"""Genuine Django's validators: [password, [attributes], min_length] a line in, [[code, parameter]] a line out."""
import json
import sys

import django
from django.conf import settings

settings.configure(INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes"])
django.setup()

from django.contrib.auth.models import User
from django.contrib.auth.password_validation import (
    CommonPasswordValidator, MinimumLengthValidator, NumericPasswordValidator, UserAttributeSimilarityValidator, validate_password,
)
from django.core.exceptions import ValidationError

common = CommonPasswordValidator()
for line in sys.stdin:
    password, attributes, least = json.loads(line)
    user = User(**dict(zip(("username", "first_name", "last_name", "email"), attributes)))
    try:
        validate_password(password, user, [UserAttributeSimilarityValidator(), MinimumLengthValidator(least), common, NumericPasswordValidator()])
        print("[]", flush=True)
    except ValidationError as error:
        print(json.dumps([[e.code, str(list((e.params or {"": ""}).values())[0])] for e in error.error_list]), flush=True)
