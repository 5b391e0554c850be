"""Django's own hasher, at a cost that lets tests check many passwords."""
from django.contrib.auth.hashers import PBKDF2PasswordHasher


class Quick(PBKDF2PasswordHasher):
    iterations = 1000
