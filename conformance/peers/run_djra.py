"""The suite of dj-rest-auth 5.0.2."""
import os, re, sys
import mailbox, wire
from wire import Missing
SRC = wire.suite_folder('djra5')
sys.path.insert(0, wire.folder(SRC + '/dj_rest_auth', 'the suite of dj-rest-auth'))
os.chdir(SRC + '/dj_rest_auth')
os.environ['DJANGO_SETTINGS_MODULE'] = 'tests.settings'
from django.conf import settings
settings.DATABASES['default']['TEST'] = wire.test_database()
settings.TEST_RUNNER = 'django.test.runner.DiscoverRunner'
settings.USE_TZ = True
if wire.MODE == 'hybrid':
    settings.REST_FRAMEWORK = {'DEFAULT_AUTHENTICATION_CLASSES': (
        'rest_framework.authentication.SessionAuthentication', 'dj_rest_auth.jwt_auth.JWTCookieAuthentication', 'rest_framework.authentication.TokenAuthentication')}
import django; django.setup()
wire.install()
BASE = wire.profile_text('djra')
FEATURES = [
    ('GET|POST', r'/protected-view', 'protected view'),
    ('GET|POST', r'/token/', 'JWT'),
    ('GET|POST', r'/getcsrf', 'CSRF'),
]

VERIFICATION = '''
  verify_email:
    path: /rest-registration/verify-email/
    view: {name: Verify Email, allow: [POST, OPTIONS, HEAD]}
    fields: {key: {role: token}}
    reply: {status: 200, body: {detail: ok}}
  resend_email:
    action: resend_verification
    path: /rest-registration/resend-email/
    fields: {email: {required: false}}
    reply: {status: 200, body: {detail: ok}}
'''


class DJRA(wire.Suite):
    mailbox = mailbox.Mailbox(wire.RUN)

    def profile(self, environ):
        from dj_rest_auth.app_settings import api_settings
        from allauth.account import app_settings as aa
        path, method = environ['PATH_INFO'], environ['REQUEST_METHOD']
        if api_settings.USE_JWT: raise Missing('USE_JWT')
        for ms, pattern, feature in FEATURES:
            if method in ms.split('|') and re.match(pattern, path): raise Missing('%s %s' % (method, feature))
        from django.conf import settings as dj
        if path == '/login/' and b'"email"' in wire.current.get('body', b'') and b'"username"' not in wire.current['body']:
            pass
        text = BASE
        if not api_settings.TOKEN_MODEL: text = re.sub(r'reply: .*key: \$token.key.*', 'reply: {status: 204}', text)      # sessions alone
        if getattr(dj, 'ACCOUNT_LOGOUT_ON_GET', False): text = text.replace('    access: open\n', '    access: open\n    methods: [GET, POST]\n')
        m = aa.AUTHENTICATION_METHOD
        inc = {'username': 'Must include "username" and "password".', 'email': 'Must include "email" and "password".',
               'username_email': 'Must include either "username" or "email" and "password".'}[str(m)]
        allauth = 'allauth' in dj.INSTALLED_APPS
        if not allauth: m, inc = 'username_email', 'Unable to log in with provided credentials.'
        both = 'username: {required: false, blank: true, label: Username}, email: {required: false, blank: true, label: Email}'
        for word, value in {
            'CASE': 'insensitive' if allauth else 'exact', # allauth's filter_users_by_username
            'INCOMPLETE': "'" + inc + "'",
            'LOGIN_FIELDS': {'username': both.split(', email')[0], 'email': both[both.index('email'):], 'username_email': both}[str(m)].replace('}, email', '}\n      email'),
            'OLD_PASSWORD': 'old_password: {role: current_password, max_length: 128, label: Old password}' if api_settings.OLD_PASSWORD_FIELD_ENABLED else '',
            'PASSWORDS': self.passwords(dj.AUTH_PASSWORD_VALIDATORS),
        }.items():
            text = text.replace(word, value)
        text = mailbox.djra(allauth, text)
        return self.verification(str(aa.EMAIL_VERIFICATION).split('.')[-1].lower(), text) if allauth else text

    def verification(self, word, text):
        """the profile with ACCOUNT_EMAIL_VERIFICATION, and what that takes of a registration: with mandatory, an address, and no token"""
        text = text.replace('emails: {case: insensitive}', 'emails: {case: insensitive, verification: %s}' % word)
        text = text.replace('links: allauth}', 'links: allauth, email_confirm_url: "/accounts/confirm-email/{key}/"}')
        if word == 'mandatory':
            text = re.sub(r'  register_without_password:\n.*?(?=\n  user:)', '', text, flags=re.S)
            text = text.replace('email: {required: false, label: Email}', 'email: {label: Email}')
            text = text.replace('reply: {status: 201, body: {key: $token.key}}', 'reply: {status: 201, body: {detail: Verification e-mail sent.}}')
        return text if word == 'none' else text.replace('\nendpoints:', '\nendpoints:' + VERIFICATION, 1)

    def after(self):
        """the key of a mail comes to where the test reads it (ACCOUNT_EMAIL_CONFIRMATION_HMAC = False)"""
        from allauth.account.models import EmailAddress, EmailConfirmation
        from django.contrib.auth import get_user_model
        from django.core import mail
        from django.utils import timezone
        for m in mail.outbox:
            found = re.search(r'/accounts/confirm-email/([^/\s]+)/', m.body)
            if not found or EmailConfirmation.objects.filter(key=found[1]).exists(): continue
            for user in get_user_model().objects.filter(email=m.to[0]):
                address, _ = EmailAddress.objects.get_or_create(user=user, email=user.email)
                EmailConfirmation.objects.create(email_address=address, key=found[1], sent=timezone.now())

    def passwords(self, validators):
        words = {'UserAttributeSimilarityValidator': 'similarity', 'MinimumLengthValidator': 'min_length', 'CommonPasswordValidator': 'common', 'NumericPasswordValidator': 'numeric'}
        names = [words[v['NAME'].split('.')[-1]] for v in validators]
        return 'passwords: {validators: [%s], stage: field}' % ', '.join(names) if names else 'passwords: {stage: field}'

    def adapt(self, environ, method, target, headers, body):
        if wire.MODE == 'hybrid' and target == '/login/' and b'"email"' in body and b'"username"' not in body and b'"email": ""' not in body:
            raise Missing('login by email')
        return method, target, headers, body

    def user_token(self, user):
        from rest_framework.authtoken.models import Token
        return 'Token ' + Token.objects.get_or_create(user=user)[0].key


wire.suite = DJRA()
sys.exit(wire.run_suite(sys.argv[1:] or ['tests.test_api']))
