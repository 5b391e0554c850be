"""WSGI middleware: REMOTE_USER is the user whose token authcompat has checked, or is not there.

Copy this file, and wrap the application:
    application = AuthcompatIdentity(application, "/etc/app/identity-key")

Beside REMOTE_USER, environ has authcompat.user_id and authcompat.token_id. Django takes the
name with its RemoteUserMiddleware and the backend of authcompat_backend.py, not its own.
"""

import base64
import hashlib
import hmac
import re
import time
from pathlib import Path
from urllib.parse import unquote

MAX_AGE = 60  # seconds, either way
HEADER = "HTTP_X_AUTHCOMPAT_IDENTITY"
FORM = re.compile(
    r"(v1;id=([0-9]{1,19});name=((?:[A-Za-z0-9._~-]|%[0-9A-F]{2})*);token=([0-9a-f]{0,16});time=([0-9]{1,12}));mac=([0-9a-f]{64})"
)


def reserved(name):
    """Tells whether a variable could be taken for an identity, however it is spelled."""
    folded = re.sub("[^a-z0-9]", "", name.lower())
    return folded == "remoteuser" or re.match("(http)?(xauthcompat|remoteuser$)", folded) is not None


class AuthcompatIdentity:
    def __init__(self, application, key_file):
        self.application = application
        self.key_file = Path(key_file)

    def identity(self, header):
        m = FORM.fullmatch(header)
        if m is None or abs(time.time() - int(m[5])) > MAX_AGE:
            return {}
        # Read each time, so that a key that was added or removed counts at once.
        keys = [base64.b64decode(k, validate=True) for k in self.key_file.read_text().split()]
        macs = [hmac.new(k, m[1].encode(), hashlib.sha256).hexdigest() for k in keys if len(k) == 32]
        if not any([hmac.compare_digest(mac, m[6]) for mac in macs]):
            return {}
        # As text: frameworks compare it as it is, without the detour by Latin-1 of PEP 3333.
        name = unquote(m[3], errors="strict")
        return {"REMOTE_USER": name, "authcompat.user_id": int(m[2]), "authcompat.token_id": m[4]}

    def __call__(self, environ, start_response):
        header = environ.get(HEADER, "")
        for name in [name for name in environ if reserved(name)]:
            del environ[name]
        environ.update(self.identity(header))
        return self.application(environ, start_response)
