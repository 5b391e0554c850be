"""Settings of a Django project with token auth, for tests."""
import os

SECRET_KEY = "only for tests " * 4
USE_TZ = True
TIME_ZONE = "UTC"
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "rest_framework",
    "rest_framework.authtoken",
]
if os.environ["DATABASE"].startswith("/"):
    DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["DATABASE"]}}
else:
    host, port, name, user = os.environ["DATABASE"].split()
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": host, "PORT": port, "NAME": name, "USER": user,
        }
    }
PASSWORD_HASHERS = ["hashers.Quick"] + [
    "django.contrib.auth.hashers." + name
    for name in (
        "PBKDF2SHA1PasswordHasher", "SHA1PasswordHasher", "MD5PasswordHasher",
        "UnsaltedSHA1PasswordHasher", "UnsaltedMD5PasswordHasher",
    )
]
