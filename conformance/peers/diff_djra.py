"""The same requests at dj-rest-auth 5.0.2 and at authcompat. AUTHS: token, session or basic, which stands first there;
VALID=1: with Django's password validators."""
import json, os, re, sys
import wire, diff
SRC = wire.suite_folder('djra5')
sys.path.insert(0, wire.folder(SRC + '/dj_rest_auth', 'the suite of dj-rest-auth'))
os.chdir(SRC + '/dj_rest_auth')
os.environ['DJANGO_SETTINGS_MODULE'] = 'tests.settings'
from django.conf import settings
settings.DATABASES['default']['TEST'] = wire.test_database()
settings.USE_TZ = True
settings.ROOT_URLCONF = 'tests.urls'
ORDER = os.environ.get('AUTHS', 'token')
settings.REST_FRAMEWORK = {'DEFAULT_AUTHENTICATION_CLASSES': {
    'token': ('rest_framework.authentication.TokenAuthentication',),
    'session': ('rest_framework.authentication.SessionAuthentication', 'rest_framework.authentication.TokenAuthentication'),
    'basic': ('rest_framework.authentication.BasicAuthentication', 'rest_framework.authentication.TokenAuthentication')}[ORDER]}
settings.REST_AUTH = {'SESSION_LOGIN': False}
if os.environ.get('VALID'):
    settings.AUTH_PASSWORD_VALIDATORS = [{'NAME': 'django.contrib.auth.password_validation.' + n} for n in
        ('UserAttributeSimilarityValidator', 'MinimumLengthValidator', 'CommonPasswordValidator', 'NumericPasswordValidator')]
import django; django.setup()


def setup():
    from django.contrib.auth import get_user_model
    from rest_framework.authtoken.models import Token
    User = get_user_model()
    User.objects.all().delete()
    u = User.objects.create_user('john', 'john@beatles.com', 'secret')
    i = User.objects.create_user('ringo', 'ringo@beatles.com', 'secret'); i.is_active = False; i.save()
    t = Token.objects.create(user=u)
    return {'token': t.key}


def mask(state): return {state['token']: 'TOKEN', re.compile(r'[0-9a-f]{40}'): 'HEX40'}


J = [('Content-Type', 'application/json')]
F = [('Content-Type', 'application/x-www-form-urlencoded')]
A = [('Authorization', 'Token $TOKEN')]
L, O, R = '/login/', '/logout/', '/rest-registration/'
j = json.dumps
P = 'Correct-horse-9'
cases = [
    ('login', 'POST', L, J, j({'username': 'john', 'password': 'secret'})),
    ('login form', 'POST', L, F, 'username=john&password=secret'),
    ('login wrong', 'POST', L, J, j({'username': 'john', 'password': 'x'})),
    ('login unknown', 'POST', L, J, j({'username': 'nobody', 'password': 'x'})),
    ('login inactive', 'POST', L, J, j({'username': 'ringo', 'password': 'secret'})),
    ('login empty', 'POST', L, J, '{}'),
    ('login no username', 'POST', L, J, j({'password': 'x'})),
    ('login no password', 'POST', L, J, j({'username': 'john'})),
    ('login blank username', 'POST', L, J, j({'username': '', 'password': 'x'})),
    ('login blank password', 'POST', L, J, j({'username': 'john', 'password': ''})),
    ('login null username', 'POST', L, J, j({'username': None, 'password': 'x'})),
    ('login bad email', 'POST', L, J, j({'email': 'x', 'password': 'x'})),
    ('login by email', 'POST', L, J, j({'email': 'john@beatles.com', 'password': 'secret'})),
    ('login username+email', 'POST', L, J, j({'username': 'john', 'email': '', 'password': 'secret'})),
    ('login padded', 'POST', L, J, j({'username': ' john ', 'password': ' secret '})),
    ('login other case', 'POST', L, J, j({'username': 'JOHN', 'password': 'secret'})),
    ('login bad json', 'POST', L, J, '{'),
    ('login list', 'POST', L, J, '[]'),
    ('login GET', 'GET', L, [], ''),
    ('login OPTIONS', 'OPTIONS', L, [], ''),
    ('login with token', 'POST', L, J + A, j({'username': 'john', 'password': 'secret'})),
    ('login with bad token', 'POST', L, J + [('Authorization', 'Token x')], j({'username': 'john', 'password': 'secret'})),
    ('login no slash', 'POST', '/login', J, j({'username': 'john', 'password': 'secret'})),
    ('logout', 'POST', O, A, ''),
    ('logout json', 'POST', O, J + A, '{}'),
    ('logout none', 'POST', O, [], ''),
    ('logout bad', 'POST', O, [('Authorization', 'Token x')], ''),
    ('logout GET none', 'GET', O, [], ''),
    ('logout GET', 'GET', O, A, ''),
    ('logout OPTIONS', 'OPTIONS', O, A, ''),
    ('register', 'POST', R, J, j({'username': 'paul', 'password1': P, 'password2': P})),
    ('register email', 'POST', R, J, j({'username': 'paul', 'email': 'p@b.com', 'password1': P, 'password2': P})),
    ('register blank email', 'POST', R, J, j({'username': 'paul', 'email': '', 'password1': P, 'password2': P})),
    ('register bad email', 'POST', R, J, j({'username': 'paul', 'email': 'x', 'password1': P, 'password2': P})),
    ('register mismatch', 'POST', R, J, j({'username': 'paul', 'password1': P, 'password2': P + 'x'})),
    ('register no password2', 'POST', R, J, j({'username': 'paul', 'password1': P})),
    ('register empty', 'POST', R, J, '{}'),
    ('register taken', 'POST', R, J, j({'username': 'john', 'password1': P, 'password2': P})),
    ('register taken other case', 'POST', R, J, j({'username': 'JOHN', 'password1': P, 'password2': P})),
    ('register taken email', 'POST', R, J, j({'username': 'paul', 'email': 'john@beatles.com', 'password1': P, 'password2': P})),
    ('register bad chars', 'POST', R, J, j({'username': 'pa ul$', 'password1': P, 'password2': P})),
    ('register long', 'POST', R, J, j({'username': 'p' * 151, 'password1': P, 'password2': P})),
    ('register short password', 'POST', R, J, j({'username': 'paul', 'password1': 'x', 'password2': 'x'})),
    ('register numeric password', 'POST', R, J, j({'username': 'paul', 'password1': '48729374', 'password2': '48729374'})),
    ('register common password', 'POST', R, J, j({'username': 'paul', 'password1': 'password', 'password2': 'password'})),
    ('register similar', 'POST', R, J, j({'username': 'paulmccartney', 'password1': 'paulmccartney', 'password2': 'paulmccartney'})),
    ('user none', 'GET', '/user/', [], ''),
    ('user', 'GET', '/user/', A, ''),
]
text = wire.profile_text('djra').replace('INCOMPLETE', "'Must include \"username\" and \"password\".'")
diff.run(cases, text, setup, mask, None)
