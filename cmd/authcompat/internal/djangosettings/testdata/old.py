# Settings that began with Python 2 and grew.
#: API: django-rest-knox 4.2
#: old.py:31:32: from local_settings import *: that module is not read, and what it sets replaces what is set above
#: old.py:22:20: REST_KNOX TOKEN_TTL depends on a condition
import sys, datetime as dt
from os import environ, path
here = lambda *x: path.join(path.dirname(__file__), *x)
TESTING = len(sys.argv) > 1 and sys.argv[1] == 'test'
ADMINS = (
    (u'Ann', 'ann@shop.example'),
)
MIDDLEWARE = (
	'django.middleware.common.CommonMiddleware',
	'corsheaders.middleware.CorsMiddleware',
)
INSTALLED_APPS = tuple(['rest_framework']) + \
    ('knox',
     'corsheaders',)
CORS_ORIGIN_WHITELIST = ('http://shop.example',)
CORS_ORIGIN_REGEX_WHITELIST = ('^https://\w+\.shop\.example$',)
REST_KNOX = dict(
    TOKEN_TTL=None if TESTING else dt.timedelta(days=7),
    USER_SERIALIZER='knox.serializers.UserSerializer')
def _log(name):
    REST_KNOX = name
    return {'level': name}
LOGGING = {'handlers': {n: _log(n) for n in ('a', 'b')}, 'version': 1}
REST_KNOX['AUTO_REFRESH'] = True

try:
    from local_settings import *
except ImportError as e:
    print("no local settings: %s" % e)
