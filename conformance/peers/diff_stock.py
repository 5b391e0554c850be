"""The same requests at Django REST framework's obtain_auth_token and at authcompat. AUTHS: the authentication classes there,
with commas; PROFILE: the profile here (stock)."""
import json, os, re, sys, types
import wire, diff
from django.conf import settings
from django.urls import path
settings.configure(
    DATABASES={'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': ':memory:', 'TEST': wire.test_database()}},
    SECRET_KEY='x', USE_TZ=True, ROOT_URLCONF='stock_urls', ALLOWED_HOSTS=['*'], DEFAULT_AUTO_FIELD='django.db.models.AutoField',
    TEMPLATES=[{'BACKEND': 'django.template.backends.django.DjangoTemplates', 'APP_DIRS': True}],
    MIDDLEWARE=('django.middleware.security.SecurityMiddleware', 'django.contrib.sessions.middleware.SessionMiddleware', 'django.middleware.common.CommonMiddleware',
                'django.contrib.auth.middleware.AuthenticationMiddleware', 'django.middleware.clickjacking.XFrameOptionsMiddleware'),
    INSTALLED_APPS=('django.contrib.auth', 'django.contrib.contenttypes', 'django.contrib.sessions', 'rest_framework', 'rest_framework.authtoken'),
    REST_FRAMEWORK={'DEFAULT_AUTHENTICATION_CLASSES': os.environ['AUTHS'].split(',')} if os.environ.get('AUTHS') else {})
import django; django.setup()
from rest_framework.authtoken.views import obtain_auth_token
urls = types.ModuleType('stock_urls'); urls.urlpatterns = [path('api-token-auth/', obtain_auth_token)]
sys.modules['stock_urls'] = urls


def setup():
    from django.contrib.auth.models import User
    from rest_framework.authtoken.models import Token
    User.objects.all().delete()
    u = User.objects.create_user('john', 'john@beatles.com', 'secret')
    return {'token': Token.objects.create(user=u).key}
def mask(state): return {re.compile(r"[0-9a-f]{40}"): "HEX"}
J = [('Content-Type', 'application/json')]; A = [('Authorization', 'Token $TOKEN')]
L = '/api-token-auth/'; j = json.dumps
good = j({'username': 'john', 'password': 'secret'})
cases = [('login', 'POST', L, J, good), ('wrong', 'POST', L, J, j({'username': 'john', 'password': 'x'})), ('empty', 'POST', L, J, '{}'),
 ('with token', 'POST', L, J + A, good), ('bad token', 'POST', L, J + [('Authorization', 'Token x')], good),
 ('basic good', 'POST', L, J + [('Authorization', 'Basic am9objpzZWNyZXQ=')], good), ('basic bad', 'POST', L, J + [('Authorization', 'Basic am9objp4')], good),
 ('GET', 'GET', L, [], ''), ('OPTIONS', 'OPTIONS', L, [], ''), ('no slash', 'POST', '/api-token-auth', J, good), ('no slash GET', 'GET', '/api-token-auth', [], ''), ('HEAD', 'HEAD', L, [], ''), ('404', 'GET', '/x', [], '')]
diff.run(cases, wire.profile_text(os.environ.get('PROFILE', 'stock')), setup, mask, None)
