"""The application that gunicorn serves."""

import os

from django.utils import timezone

from control import Clock, Control

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")

# Models take the clock as a default when they are loaded: it is set before.
clock = Clock()
timezone.now = clock.now

from django.contrib.auth.tokens import PasswordResetTokenGenerator  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import connections  # noqa: E402

django = get_wsgi_application()
# It asks Python, not Django, what time it is.
PasswordResetTokenGenerator._now = clock.local
call_command("migrate", run_syncdb=True, verbosity=0)
# gunicorn forks after this: a connection of SQLite must not cross that.
connections.close_all()
application = Control(django, clock)
