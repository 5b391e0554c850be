"""The application behind a front: Django, whose views tell what they got."""

import hashlib
import json

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import Http404, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.urls import path, re_path

settings.configure(
    SECRET_KEY="of a server that holds nothing worth a secret",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
    DATA_UPLOAD_MAX_MEMORY_SIZE=None,
    LOGGING_CONFIG=None,
)


def seen(request):
    """What arrived, as gunicorn tells it."""
    environ = request.META
    wanted = {"REQUEST_METHOD", "RAW_URI", "PATH_INFO", "QUERY_STRING", "CONTENT_TYPE", "CONTENT_LENGTH"}
    told = {k: v for k, v in environ.items() if k in wanted or k.startswith("HTTP_")}
    # Django reads no body without a length, and gunicorn resets the connection then.
    body = environ["wsgi.input"].read()
    told["body"] = "%d %s" % (len(body), hashlib.sha256(body).hexdigest())
    return json.dumps(told, sort_keys=True)


SEEN = []


def counted(request, *args, **kwargs):
    SEEN.append(request.path)
    return echo(request)


def seen_paths(request):
    return HttpResponse("\n".join(SEEN))


def echo(request, *args, **kwargs):
    return HttpResponse(seen(request), content_type="application/json")


def private(request, *args, **kwargs):
    return HttpResponse("PRIVATE")


def odd(request, kind):
    text = seen(request)
    if kind == "streamed":
        return StreamingHttpResponse(iter([text[:10], text[10:]]))
    if kind == "missing":
        raise Http404()
    if kind == "moved":
        return HttpResponseRedirect("/elsewhere?x=%2f;y")
    response = HttpResponse("" if kind in ("204", "304") else text)
    if kind.isdigit():
        response.status_code = int(kind)
        return response
    response["X-ODD-name"] = "Caf\u00e9".encode().decode("latin-1")
    response["x-lower"] = "  spaced  "
    response["ETag"] = '"x"'
    response.set_cookie("a", "1")
    response.set_cookie("b", "2; x")
    del response["Content-Type"]
    return response


urlpatterns = [
    path("odd/<str:kind>/", odd),
    path("slash/", echo),
    path("seen/", seen_paths),
    re_path(r"^case/", counted),
    re_path(r"^private/$", private),
    path("private/<path:rest>", private),
    re_path(r"^", echo),
]

application = get_wsgi_application()
