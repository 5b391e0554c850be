"""django-cors-headers over a view of any headers: one JSON object a line, in and out.

In:  {"settings": {...}, "requests": [{"method", "path", "headers": [[name, value]], "vary": [...]}]}
Out: [[status, [[name, value]]]]; text stands for bytes as Latin-1.
"""
import json
import sys
from io import BytesIO

import django
from django.conf import settings

settings.configure(DEFAULT_CHARSET="utf-8")
django.setup()

from corsheaders.checks import check_settings
from corsheaders.middleware import CorsMiddleware
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpResponse
from django.utils.cache import patch_vary_headers


def ask(given):
    environ = {"REQUEST_METHOD": given["method"], "PATH_INFO": given["path"], "SCRIPT_NAME": "", "wsgi.input": BytesIO(), "SERVER_NAME": "x", "SERVER_PORT": "80"}
    for name, value in given["headers"]:
        key = "HTTP_" + name.upper().replace("-", "_")
        environ[key] = environ[key] + "," + value if key in environ else value

    def view(request):
        response = HttpResponse(b"view")
        response["Content-Length"] = "4"
        for name in given["vary"]:
            patch_vary_headers(response, [name])
        return response

    response = CorsMiddleware(view)(WSGIRequest(environ))
    return [response.status_code, [[name, value.encode(response.charset if value.isascii() else "latin-1").decode("latin-1")] for name, value in response.items()]]


for line in sys.stdin:
    given = json.loads(line)
    for name in [name for name in dir(settings) if name.startswith("CORS_")]:
        delattr(settings, name)
    for name, value in given["settings"].items():
        setattr(settings, name, value)
    wrong = [error.id for error in check_settings()]
    print(json.dumps({"wrong": wrong, "answers": [ask(r) for r in given["requests"]]}), flush=True)
