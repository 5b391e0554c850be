"""A loopback SMTP server whose mails come to django.core.mail.outbox, and what settings of djoser and dj-rest-auth become in a profile."""
import email, email.policy, os, socketserver, sqlite3, threading, time

FLAGS = {'activation': 'SEND_ACTIVATION_EMAIL', 'confirmation': 'SEND_CONFIRMATION_EMAIL',
         'password_changed_confirmation': 'PASSWORD_CHANGED_EMAIL_CONFIRMATION', 'username_changed_confirmation': 'USERNAME_CHANGED_EMAIL_CONFIRMATION'}


class Session(socketserver.StreamRequestHandler):
    """as much of SMTP as a client needs"""
    def say(self, line): self.wfile.write(line.encode() + b'\r\n')

    def handle(self):
        self.say('220 here')
        while line := self.rfile.readline():
            verb = line.strip().upper()
            if verb == b'DATA':
                self.say('354 go ahead')
                text = b''
                while (line := self.rfile.readline()) not in (b'.\r\n', b''): text += line.removeprefix(b'.')
                self.server.taken.append(text)
            if verb == b'QUIT': return self.say('221 bye')
            self.say('250 here' if verb.startswith(b'EHLO') else '250 ok')


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = allow_reuse_address = True


class Mailbox:
    def __init__(self, run):
        self.server = Server(('127.0.0.1', 0), Session)
        self.server.taken = []
        self.key_file = os.path.join(run, 'secret-key')
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def flags(self):
        """of authcompat serve"""
        from django.conf import settings
        with open(self.key_file, 'w') as f: f.write(settings.SECRET_KEY + '\n')
        return ['--smtp-host', '127.0.0.1', '--smtp-port', str(self.server.server_address[1]), '--smtp-encryption', 'none',
                '--smtp-from', settings.DEFAULT_FROM_EMAIL, '--mail-domain', 'http://testserver',
                '--django-secret-key-file', self.key_file, '--django-time-zone', settings.TIME_ZONE]

    def collect(self, database, table, clock=time.monotonic, sleep=time.sleep, limit=20):
        """waits until no mail of somebody is in the queue, for at most limit seconds, and puts those that came into the outbox"""
        from django.core import mail
        end = clock() + limit
        while clock() < end and waiting(database, table): sleep(0.02)
        taken, self.server.taken[:] = self.server.taken[:], []
        for text in taken:
            m = email.message_from_bytes(text, policy=email.policy.default)
            body, html = m.get_body(('plain',)), m.get_body(('html',))
            sent = mail.EmailMultiAlternatives(m['Subject'], body.get_content().replace('\r\n', '\n').strip() if body else '', m['From'], [m['To']])
            if html: sent.attach_alternative(html.get_content(), 'text/html')
            mail.outbox.append(sent)
        return len(taken)


def waiting(database, table):
    try:
        c = sqlite3.connect('file:%s?mode=ro' % database, uri=True, timeout=5)
        try: return c.execute('select count(*) from %s where user_id <> 0' % table).fetchone()[0]
        finally: c.close()
    except sqlite3.OperationalError as e: return 'no such table' not in str(e)      # the first mail makes the table; a busy database is asked again


ENDPOINTS = '''
  reset_password: {path: /auth/users/reset_password/, view: {name: User reset password, actions: true}, fields: {ADDRESS: {role: email, label: Email}}, reply: {status: 204}}
  reset_password_confirm:
    path: /auth/users/reset_password_confirm/
    fields: {uid: {}, token: {}, new_password: {role: password}%(retype_password)s}
    reply: {status: 204}
  reset_username: {path: /auth/users/reset_username/, fields: {ADDRESS: {role: email, label: Email}}, reply: {status: 204}}
  reset_username_confirm:
    path: /auth/users/reset_username_confirm/
    fields: {uid: {}, token: {}, NEW_NAME: {NAME_LIMITS}%(retype_username)s}
    reply: {status: 204}
  activate: {path: /auth/users/activation/, fields: {uid: {}, token: {}}, reply: {status: 204}}
  resend_activation: {path: /auth/users/resend_activation/, fields: {ADDRESS: {role: email}}, reply: {status: 204}}
'''


def djoser(ds, text):
    """the profile with what is done by mail"""
    send = [name for name, flag in FLAGS.items() if getattr(ds, flag)]
    show = ds.PASSWORD_RESET_SHOW_EMAIL_NOT_FOUND or ds.USERNAME_RESET_SHOW_EMAIL_NOT_FOUND
    mails = 'mails: {password_reset_confirm_url: "%s", username_reset_confirm_url: "%s", activation_url: "%s", send: %s, show_email_not_found: %s}\n' % (
        ds.PASSWORD_RESET_CONFIRM_URL, ds.USERNAME_RESET_CONFIRM_URL, ds.ACTIVATION_URL, '[%s]' % ', '.join(send), str(bool(show)).lower())
    if not send: mails = mails.replace(' send: [],', '')
    endpoints = ENDPOINTS % {
        'retype_password': ', re_new_password: {role: password_again}' if ds.PASSWORD_RESET_CONFIRM_RETYPE else '',
        'retype_username': ', NAME_AGAIN: {role: username_again}' if ds.USERNAME_RESET_CONFIRM_RETYPE else ''}
    return text.replace('\nendpoints:\n', '\n' + mails + 'endpoints:' + endpoints, 1)


def djra(installed, text):
    """the profile with dj-rest-auth's reset; installed: django-allauth is"""
    mails = 'mails: {password_reset_confirm_url: "/test-admin/reset/{uid}/{token}/", links: %s}\n' % ('allauth' if installed else 'django')
    endpoints = '''
  password_reset:
    action: reset_password
    path: /password/reset/
    fields: {email: {label: Email}}
    reply: {status: 200, body: {detail: Password reset e-mail has been sent.}}
  password_reset_confirm:
    action: reset_password_confirm
    path: /password/reset/confirm/
    fields: {new_password1: {role: password, max_length: 128}, new_password2: {role: password_again, max_length: 128}, uid: {}, token: {}}
    reply: {status: 200, body: {detail: Password has been reset with the new password.}}
'''
    messages = '\nmessages:\n  uid_invalid: Invalid value\n  link_invalid: Invalid value\n'
    return text.replace('\nendpoints:\n', '\n' + mails + 'endpoints:' + endpoints, 1).replace('\nmessages:\n', messages, 1)
