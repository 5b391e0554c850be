"""The suite of djoser 2.1.0."""
import os, re, sys
import wire
from wire import Missing
SRC = wire.suite_folder('djoser21')
sys.path.insert(0, wire.folder(SRC + '/testproject', 'the suite of djoser'))
os.chdir(SRC + '/testproject')
os.environ['DJANGO_SETTINGS_MODULE'] = 'settings'
from django.conf import settings
settings.DATABASES['default']['TEST'] = wire.test_database()
settings.LOGGING_CONFIG = None
import django; django.setup()
wire.install()
BASE = wire.profile_text('djoser')

FEATURES = [
    ('GET|PUT|PATCH|DELETE', r'/auth/users/me/?$', 'users/me'),
    ('POST', r'/auth/users/set_password/?$', 'set_password'),
    ('POST', r'/auth/users/set_username/?$', 'set_username'),
    ('POST', r'/auth/users/reset_password/?$', 'reset_password (mail)'),
    ('POST', r'/auth/users/reset_password_confirm/?$', 'reset_password_confirm'),
    ('POST', r'/auth/users/reset_username/?$', 'reset_username (mail)'),
    ('POST', r'/auth/users/reset_username_confirm/?$', 'reset_username_confirm'),
    ('POST', r'/auth/users/activation/?$', 'activation'),
    ('POST', r'/auth/users/resend_activation/?$', 'resend_activation (mail)'),
    ('GET|PUT|PATCH|DELETE', r'/auth/users/\d+/?$', 'users/{id}'),
    ('GET', r'/auth/users/?$', 'users list'),
    ('GET|POST', r'/auth/o/', 'social auth'),
    ('POST', r'/auth/jwt', 'JWT'),
]


class Djoser(wire.Suite):
    def profile(self, environ):
        from djoser.conf import settings as ds
        text = BASE
        path, method = environ['PATH_INFO'], environ['REQUEST_METHOD']
        for ms, pattern, feature in FEATURES:
            if method in ms.split('|') and re.match(pattern, path):
                raise Missing('%s %s' % (method, feature))
        from django.contrib.auth import get_user_model
        from django.conf import settings as dj
        if dj.AUTH_USER_MODEL != 'auth.User':
            raise Missing('custom user model (%s)' % dj.AUTH_USER_MODEL)
        if ds.LOGIN_FIELD != 'username':
            raise Missing('LOGIN_FIELD = %s' % ds.LOGIN_FIELD)
        if path.startswith('/auth/users'):
            if ds.SEND_ACTIVATION_EMAIL: raise Missing('registration: SEND_ACTIVATION_EMAIL')
            if ds.SEND_CONFIRMATION_EMAIL: raise Missing('registration: SEND_CONFIRMATION_EMAIL')
            if ds.USER_CREATE_PASSWORD_RETYPE: raise Missing('registration: USER_CREATE_PASSWORD_RETYPE (password_again is of family formjson)')
        return text

    def user_token(self, user):
        from rest_framework.authtoken.models import Token
        return 'Token ' + Token.objects.get_or_create(user=user)[0].key


wire.suite = Djoser()
sys.exit(wire.run_suite(sys.argv[1:] or ['testapp']))
