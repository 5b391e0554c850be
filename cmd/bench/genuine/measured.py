"""Settings of the genuine server of apis/ocd-users.md with one more path: a
plain read behind a token. That is what is measured."""

from settings import *  # noqa: F401,F403

ROOT_URLCONF = "measured_urls"
