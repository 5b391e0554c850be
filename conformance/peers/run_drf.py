"""The tests of authentication of Django REST framework 3.14.0."""
import os, sys
import wire
from wire import Missing
os.chdir(wire.suite_folder('drf'))
from django.conf import settings
settings.configure(
    DEBUG_PROPAGATE_EXCEPTIONS=True,
    DATABASES={'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': ':memory:', 'TEST': wire.test_database()}},
    SITE_ID=1, SECRET_KEY='not very secret in tests', USE_I18N=True, USE_L10N=True, USE_TZ=True, STATIC_URL='/static/', ROOT_URLCONF='tests.urls',
    TEMPLATES=[{'BACKEND': 'django.template.backends.django.DjangoTemplates', 'APP_DIRS': True, 'OPTIONS': {'debug': True}}],
    MIDDLEWARE=('django.middleware.common.CommonMiddleware', 'django.contrib.sessions.middleware.SessionMiddleware',
                'django.contrib.auth.middleware.AuthenticationMiddleware', 'django.contrib.messages.middleware.MessageMiddleware'),
    INSTALLED_APPS=('django.contrib.auth', 'django.contrib.contenttypes', 'django.contrib.sessions', 'django.contrib.sites',
                    'django.contrib.staticfiles', 'rest_framework', 'rest_framework.authtoken', 'tests.authentication'),
    PASSWORD_HASHERS=('django.contrib.auth.hashers.MD5PasswordHasher',))
import django; django.setup()
wire.install()
BASE = wire.profile_text('drf')


class DRF(wire.Suite):
    def profile(self, environ):
        p = environ['PATH_INFO']
        if p.startswith('/session/'): raise Missing('SessionAuthentication')
        if p.startswith('/auth/login'): raise Missing('the login page of the browsable API')
        return BASE

    def mapping(self, environ):
        # a model of the tests with key and user alone, beside authtoken's
        return {'token_table': 'authentication_customtoken'} if environ['PATH_INFO'].startswith('/customtoken/') else {}


wire.suite = DRF()
sys.exit(wire.run_suite(sys.argv[1:] or ['tests.authentication.test_authentication']))
