"""The suite of djoser 2.1.0."""
import os, re, sys
import audit, codes, mailbox, usermodel, wire
from wire import Missing
SRC = wire.suite_folder('djoser21')
sys.path.insert(0, wire.folder(SRC + '/testproject', 'the suite of djoser'))
os.chdir(SRC + '/testproject')
os.environ['DJANGO_SETTINGS_MODULE'] = 'settings'
from django.conf import settings
settings.DATABASES['default']['TEST'] = wire.test_database()
settings.LOGGING_CONFIG = None
import django; django.setup()
from django.contrib.auth import get_user_model
wire.install()
BASE = wire.profile_text('djoser')

# what the profile has of Django's own users; usermodel.py has others
NAMES = {
    'REGISTER_FIELDS': '{email: {required: false, blank: true, max_length: 254, label: Email address}, username: {max_length: 150, characters: django, label: Username}, password: {label: Password}RE_PASSWORD}',
    'USER_BODY': '{email: $user.email, id: $user.id, username: $user.username}',
    'UPDATED_FIELDS': '{email: {required: false, blank: true, max_length: 254, label: Email address}, id: {label: ID}, username: {read_only: true, label: Username}}',
    'NEW_NAME': 'new_username', 'NAME_LIMITS': 'role: username, max_length: 150, characters: django, label: Username', 'NAME_AGAIN': 're_new_username',
    'ADDRESS': 'email', 'USERNAMES': '', 'TAKEN': '',
}
LOGIN_NAMES = {'username': 'username: {required: false, label: Username}', 'email': 'email: {required: false, validate: false, label: Email}'}
FEATURES = [
    ('GET|POST', r'/auth/o/', 'social auth'),
    ('POST', r'/auth/jwt', 'JWT'),
]


def sent(body):
    """the fields of a form as the tests send them"""
    pairs = re.findall(rb'name="([^"]*)"\r\n\r\n(.*?)\r\n--', body, re.S)
    return {name.decode(): value.decode('utf-8', 'replace') for name, value in pairs}


class Djoser(wire.Suite):
    mailbox = mailbox.Mailbox(wire.RUN)

    def profile(self, environ):
        from djoser.conf import settings as ds
        text = BASE
        path, method = environ['PATH_INFO'], environ['REQUEST_METHOD']
        for ms, pattern, feature in FEATURES:
            if method in ms.split('|') and re.match(pattern, path):
                raise Missing('%s %s' % (method, feature))
        text = mailbox.djoser(ds, text)
        for word, value in self.settings(ds).items():
            text = text.replace(word, value)
        return text

    def settings(self, ds):
        """what the settings of djoser become in the profile, by the words that stand for it there"""
        from djoser import permissions, views
        read_only = permissions.CurrentUserOrAdminOrReadOnly in views.UserViewSet.permission_classes
        hidden = 'hidden' if ds.HIDE_USERS else 'forbidden'
        me = getattr(ds.SERIALIZERS.current_user.Meta, 'fields', ())
        return {
            'OTHERS_LISTED': 'hidden' if ds.HIDE_USERS else 'visible',
            'OTHERS_SHOWN': 'visible' if read_only else hidden,
            'OTHERS_CHANGED': hidden,
            'LOGOUT': str(ds.LOGOUT_ON_PASSWORD_CHANGE).lower(),
            'RE_NEW_PASSWORD': 're_new_password: {role: password_again, label: Re new password},' if ds.SET_PASSWORD_RETYPE else '',
            'RE_NEW_USERNAME': 'NAME_AGAIN: {role: username_again, label: Re new username},' if ds.SET_USERNAME_RETYPE else '',
            **NAMES, 'LOGIN_NAME': LOGIN_NAMES.get(ds.LOGIN_FIELD),
            'RE_PASSWORD': ', re_password: {role: password_again, label: Re password}' if ds.USER_CREATE_PASSWORD_RETYPE else '',
            **usermodel.names(ds, get_user_model()),
            'ME': '{is_staff: $user.attributes.is_staff}' if me == ('is_staff',) else '*user',
        }

    common_passwords = '666\n'

    def asked(self, response, entries, body):
        from djoser.conf import settings as ds
        audit.send(entries, response.wsgi_request, ds.TOKEN_MODEL)
        if response.status_code == 400 and response.data: response.data = codes.coded(response.data, sent(body))

    def mapping(self, environ): return usermodel.mapping(get_user_model(), wire.db_path())

    def user_token(self, user):
        if user._meta.label != 'auth.User': return 'Token ' + usermodel.token(user, wire.db_path())
        from rest_framework.authtoken.models import Token
        return 'Token ' + Token.objects.get_or_create(user=user)[0].key


wire.suite = Djoser()
sys.exit(wire.run_suite(sys.argv[1:] or ['testapp']))
