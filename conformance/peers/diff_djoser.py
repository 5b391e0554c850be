"""The same requests at djoser 2.1.0 and at authcompat."""
import json, os, re, sys
import wire, diff
SRC = wire.suite_folder('djoser21')
sys.path.insert(0, wire.folder(SRC + '/testproject', 'the suite of djoser'))
os.chdir(SRC + '/testproject')
os.environ['DJANGO_SETTINGS_MODULE'] = 'settings'
from django.conf import settings
settings.DATABASES['default']['TEST'] = wire.test_database()
settings.AUTH_PASSWORD_VALIDATORS = []
settings.USE_TZ = True
import django; django.setup()


def setup():
    from django.contrib.auth.models import User
    from rest_framework.authtoken.models import Token
    User.objects.all().delete()
    u = User.objects.create_user('john', 'john@beatles.com', 'secret')
    t = Token.objects.create(user=u)
    return {'token': t.key}


def mask(state): return {re.compile(r'"id":\d+'): '"id":N', state['token']: 'TOKEN', re.compile(r'[0-9a-f]{40}'): 'HEX40'}


J = [('Content-Type', 'application/json')]
F = [('Content-Type', 'application/x-www-form-urlencoded')]
A = [('Authorization', 'Token $TOKEN')]
U, L, O = '/auth/users/', '/auth/token/login/', '/auth/token/logout/'
j = json.dumps
cases = [
    ('register', 'POST', U, J, j({'username': 'paul', 'password': 'secret', 'email': 'paul@b.com'})),
    ('register no email', 'POST', U, J, j({'username': 'paul', 'password': 'secret'})),
    ('register form', 'POST', U, F, 'username=paul&password=secret&csrftoken=asdf'),
    ('register without slash', 'POST', '/auth/users', J, j({'username': 'paul', 'password': 'secret'})),
    ('register blank email', 'POST', U, J, j({'username': 'paul', 'password': 'secret', 'email': ''})),
    ('register null email', 'POST', U, J, j({'username': 'paul', 'password': 'secret', 'email': None})),
    ('register bad email', 'POST', U, J, j({'username': 'paul', 'password': 'secret', 'email': 'x'})),
    ('register taken', 'POST', U, J, j({'username': 'john', 'password': 'secret'})),
    ('register taken other case', 'POST', U, J, j({'username': 'JOHN', 'password': 'secret'})),
    ('register taken+bad email', 'POST', U, J, j({'username': 'john', 'password': 'secret', 'email': 'x'})),
    ('register empty', 'POST', U, J, '{}'),
    ('register list', 'POST', U, J, '[]'),
    ('register null', 'POST', U, J, 'null'),
    ('register bad json', 'POST', U, J, '{'),
    ('register no body', 'POST', U, J, ''),
    ('register no username', 'POST', U, J, j({'password': 'secret'})),
    ('register no password', 'POST', U, J, j({'username': 'paul'})),
    ('register blank password', 'POST', U, J, j({'username': 'paul', 'password': ''})),
    ('register spaces password', 'POST', U, J, j({'username': 'paul', 'password': '   '})),
    ('register bad chars', 'POST', U, J, j({'username': 'pa ul$', 'password': 'secret'})),
    ('register long name', 'POST', U, J, j({'username': 'p' * 151, 'password': 'secret'})),
    ('register long bad name', 'POST', U, J, j({'username': '$' * 151, 'password': 'secret'})),
    ('register long password', 'POST', U, J, j({'username': 'paul', 'password': 'x' * 129})),
    ('register long email', 'POST', U, J, j({'username': 'paul', 'password': 'x', 'email': 'a' * 250 + '@b.com'})),
    ('register int name', 'POST', U, J, j({'username': 5, 'password': 'secret'})),
    ('register bool name', 'POST', U, J, j({'username': True, 'password': 'secret'})),
    ('register dict pw', 'POST', U, J, j({'username': 'paul', 'password': {}})),
    ('register padded', 'POST', U, J, j({'username': '  paul ', 'password': ' secret ', 'email': ' p@B.COM '})),
    ('register email domain', 'POST', U, J, j({'username': 'paul', 'password': 'secret', 'email': 'Paul@BEATLES.com'})),
    ('register id sent', 'POST', U, J, j({'username': 'paul', 'password': 'secret', 'id': 77})),
    ('register unicode', 'POST', U, J, j({'username': 'pâul', 'password': 'secret'})),
    ('register extra', 'POST', U, J, j({'username': 'paul', 'password': 'secret', 'is_staff': True})),
    ('register with token', 'POST', U, J + A, j({'username': 'paul', 'password': 'secret'})),
    ('register with bad token', 'POST', U, J + [('Authorization', 'Token x')], j({'username': 'paul', 'password': 'secret'})),
    ('register text', 'POST', U, [('Content-Type', 'text/plain')], 'x'),
    ('register accept xml', 'POST', U, J + [('Accept', 'application/xml')], '{}'),
    ('OPTIONS users', 'OPTIONS', U, [], ''),
    ('OPTIONS users token', 'OPTIONS', U, A, ''),
    ('GET users', 'GET', U, [], ''),
    ('GET users token', 'GET', U, A, ''),
    ('PUT users', 'PUT', U, J, '{}'),
    ('PUT users token', 'PUT', U, J + A, '{}'),
    ('DELETE users', 'DELETE', U, [], ''),
    ('HEAD users', 'HEAD', U, [], ''),
    ('login', 'POST', L, J, j({'username': 'john', 'password': 'secret'})),
    ('login form', 'POST', L, F, 'username=john&password=secret'),
    ('login wrong', 'POST', L, J, j({'username': 'john', 'password': 'x'})),
    ('login empty', 'POST', L, J, '{}'),
    ('login OPTIONS', 'OPTIONS', L, [], ''),
    ('login GET', 'GET', L, [], ''),
    ('login email', 'POST', L, J, j({'email': 'john@beatles.com', 'password': 'secret'})),
    ('login bearer header', 'POST', L, J + [('Authorization', 'Bearer abc')], j({'username': 'john', 'password': 'secret'})),
    ('login JWT header', 'POST', L, J + [('Authorization', 'JWT abc')], j({'username': 'john', 'password': 'secret'})),
    ('logout', 'POST', O, A, ''),
    ('logout none', 'POST', O, [], ''),
    ('logout bad', 'POST', O, [('Authorization', 'Token x')], ''),
    ('logout Bearer', 'POST', O, [('Authorization', 'Bearer x')], ''),
    ('logout GET', 'GET', O, A, ''),
    ('logout options', 'OPTIONS', O, A, ''),
    ('logout options none', 'OPTIONS', O, [], ''),
    ('me none', 'GET', '/auth/users/me/', [], ''),
    ('me', 'GET', '/auth/users/me/', A, ''),
    ('root', 'GET', '/auth/', A, ''),
    ('unknown', 'GET', '/auth/nothing/', A, ''),
]
text = wire.profile_text('djoser')
diff.run(cases, text, setup, mask, None)
