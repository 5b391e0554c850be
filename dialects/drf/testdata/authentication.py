"""Genuine views of Django REST framework with several classes of authentication. Standard input has a line that says what
users and views there are, and a line for each request: the view, the method, and the Authorization header or null."""
import io, json, sys
import django
from django.conf import settings
settings.configure(SECRET_KEY='x', ROOT_URLCONF=__name__, ALLOWED_HOSTS=['*'], USE_TZ=True,
    DATABASES={'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': ':memory:'}},
    PASSWORD_HASHERS=['django.contrib.auth.hashers.MD5PasswordHasher'],
    MIDDLEWARE=['django.contrib.sessions.middleware.SessionMiddleware', 'django.middleware.common.CommonMiddleware', 'django.contrib.auth.middleware.AuthenticationMiddleware'],
    INSTALLED_APPS=['django.contrib.auth', 'django.contrib.contenttypes', 'django.contrib.sessions', 'rest_framework', 'rest_framework.authtoken'])
urlpatterns = []
django.setup()
from django.core.management import call_command
call_command('migrate', verbosity=0, run_syncdb=True)
from django.contrib.auth.models import User
from rest_framework.authtoken.models import Token
from rest_framework import authentication as a, permissions, renderers
from rest_framework.views import APIView
from rest_framework.response import Response
from django.urls import path
from django.core.handlers.wsgi import WSGIHandler
setup = json.loads(sys.stdin.readline())
for u in setup['users']:
    user = User.objects.create_user(u['name'], password=u['password'], is_active=u['active'])
    if u.get('key'): Token.objects.create(user=user, key=u['key'])
def made(item):
    kind, word = item
    base = {'session': a.SessionAuthentication, 'basic': a.BasicAuthentication, 'token': a.TokenAuthentication}[kind]
    return type('Made', (base,), {'www_authenticate_realm': word, 'keyword': word} if kind != 'session' else {})
for i, (classes, opened) in enumerate(setup['views']):
    class View(APIView):
        authentication_classes = [made(c) for c in classes]
        permission_classes = [permissions.AllowAny if opened else permissions.IsAuthenticated]
        renderer_classes = [renderers.JSONRenderer, renderers.BrowsableAPIRenderer]
        def get(self, request): return Response({'name': request.user.username})
    urlpatterns.append(path('%d/' % i, View.as_view()))
handler = WSGIHandler()
for line in sys.stdin:
    view, method, header = json.loads(line)
    out = {}
    def start(status, headers, exc=None): out['status'] = int(status[:3]); out['headers'] = dict(headers)
    environ = {'REQUEST_METHOD': method, 'PATH_INFO': '/%d/' % view, 'SERVER_NAME': 'x', 'SERVER_PORT': '80', 'wsgi.input': io.BytesIO(), 'wsgi.url_scheme': 'http', 'wsgi.errors': sys.stderr}
    if header is not None: environ['HTTP_AUTHORIZATION'] = header   # Latin-1 already
    body = b''.join(handler(environ, start)).decode()
    h = out['headers']
    print(json.dumps([out['status'], body, h.get('WWW-Authenticate', ''), h.get('Vary', ''), h.get('Allow', '')]), flush=True)
