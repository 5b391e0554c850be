"""Replaces the transport of Django's test client by HTTP to a running authcompat, so that the tests of other packages run
as they are. What a profile can't say raises Missing(feature). README.md tells the environment variables."""
import atexit, audit, datetime as _dt, hashlib, http.client, json, os, re, signal, socket, sqlite3, subprocess, sys, time
from io import BytesIO
_R = [time.time, time.sleep]     # before a test freezes the clock
def _real_time(): return _R[0]()
def _real_sleep(s): return _R[1](s)


def setting(name, what, default=None, choices=None):
    value = os.environ.get(name, default)
    if not value: sys.exit('%s is not set: %s' % (name, what))
    if choices and value not in choices: sys.exit('%s=%s: %s' % (name, value, ' or '.join(choices)))
    return value


def folder(path, what):
    if not os.path.isdir(path): sys.exit('no folder %s: %s' % (path, what))
    return path


HERE = os.path.dirname(os.path.abspath(__file__))
PEERS = os.path.abspath(folder(setting('PEERS', 'the folder of the suites (README.md)'), 'the suites'))
RUN = os.path.abspath(folder(setting('PEERS_RUN', 'a folder for databases and logs, outside of the project'), 'a folder for databases and logs'))
# strict: as it is. hybrid: what is missing is answered by the
# genuine package. genuine: the genuine package alone.
MODE = setting('PEERS_MODE', '', 'strict', ('strict', 'hybrid', 'genuine'))
STORE = setting('PEERS_STORE', '', 'attach', ('attach', 'native'))   # attach: Django's own tables; native: authcompat's store
BIN = '' if MODE == 'genuine' else os.path.abspath(setting('AUTHCOMPAT', 'the binary to test'))
NAME = os.environ.get('PEERS_NAME', os.path.basename(sys.argv[0]).removeprefix('run_').removesuffix('.py')) + '-' + STORE
if BIN and not os.access(BIN, os.X_OK): sys.exit('AUTHCOMPAT=%s: no program (make build)' % BIN)
sys.dont_write_bytecode = True
sys.path.insert(0, PEERS + '/lib')


def suite_folder(name):
    """the folder of a suite, which is put on the path"""
    path = folder(PEERS + '/src/' + name, 'the suite (README.md says which version)')
    sys.path.insert(0, path)
    return path


def profile_text(name):
    with open(os.path.join(HERE, 'profiles', name + '.yaml')) as f: return f.read()


def test_database(): return {'NAME': os.path.join(RUN, NAME + '-test.sqlite3')}


class Missing(AssertionError):
    """the profile schema or the family lacks the feature"""


class NonWire(AssertionError):
    """the test asserts something no HTTP server could show"""


log = []          # exchanges of the running test
servers = {}
current = {}      # the test that runs
LOG = open(os.path.join(RUN, 'exchanges-%s.jsonl' % NAME), 'w')


def free_port():
    s = socket.socket(); s.bind(('127.0.0.1', 0)); p = s.getsockname()[1]; s.close(); return p


def map_file(mapping):
    """the file for --map, named by what it says"""
    text = json.dumps(mapping)
    path = os.path.join(RUN, 'map-%s.yaml' % hashlib.sha1(text.encode()).hexdigest()[:10])
    with open(path, 'w') as f: f.write(text + '\n')
    return path


def start(profile_text, store, mapping=None):
    key = (profile_text, store, json.dumps(mapping))
    # The queue of mails belongs to a database: a server that takes other tables for those of users would look for the recipient there.
    for other in [k for k in servers if k[1:] != key[1:]]: end(servers.pop(other)[0])
    if key in servers and servers[key][0].poll() is None:
        return servers[key][1]
    name = hashlib.sha1(profile_text.encode()).hexdigest()[:10]
    path = os.path.join(RUN, 'profile-%s.yaml' % name)
    open(path, 'w').write(profile_text)
    chk = subprocess.run([BIN, 'profile', 'check', path], capture_output=True, text=True)
    if chk.returncode:
        raise Missing('profile check refuses: ' + (chk.stdout + chk.stderr).strip())
    port = free_port()
    err = open(os.path.join(RUN, 'server-%s-%d.log' % (name, port)), 'w')
    p = subprocess.Popen([BIN, 'serve', '--profile', path, '--listen', '127.0.0.1:%d' % port, '--store', store,
                          '--limits', 'off', '--password-iterations', '1000', '--log-requests', 'all', *(['--map', map_file(mapping)] if mapping else []), *common_passwords(),
                          *(suite.mailbox.flags() if suite.mailbox else [])],
                         stdout=err, stderr=err, cwd=RUN)
    servers[key] = (p, port)
    for _ in range(200):
        if p.poll() is not None:
            raise RuntimeError('server did not start: ' + open(err.name).read())
        try:
            socket.create_connection(('127.0.0.1', port), 0.2).close()
            return port
        except OSError:
            _real_sleep(0.02)
    raise RuntimeError('no answer: ' + open(err.name).read())


def end(server):
    if server.poll() is None: os.kill(server.pid, signal.SIGTERM)
    server.wait(10)


def common_passwords():
    """the list of the validator common, where the suite has one"""
    if not suite.common_passwords: return []
    path = os.path.join(RUN, 'common-passwords.txt')
    open(path, 'w').write(suite.common_passwords)
    return ['--common-passwords-file', path]


def native(profile):
    """a store of authcompat's own for each test"""
    test = current.get('id', '?')
    if current.get('native') != test:
        for key in list(servers): end(servers.pop(key)[0])
        current['native'] = test
        current['n'] = current.get('n', 0) + 1
        for suffix in ('', '-wal', '-shm', '.key'):
            try: os.remove(native_path() + suffix)
            except OSError: pass
    return start(profile, 'sqlite:' + native_path())


def native_path(): return os.path.join(RUN, 'native-%s-%d.db' % (NAME, current['n']))


def moving(what, profile, mapping=None):
    name = hashlib.sha1(profile.encode()).hexdigest()[:10]
    args = [BIN, what, 'django', 'sqlite:' + db_path(), '--store', 'sqlite:' + native_path()]
    args += ['--profile', os.path.join(RUN, 'profile-%s.yaml' % name)] if what == 'import' else ['--delete-users']
    if mapping: args += ['--map', map_file(mapping)]
    r = subprocess.run(args, capture_output=True, text=True, timeout=60)
    MOVES.write('%s %s rc=%d\n%s%s\n' % (current.get('id'), what, r.returncode, r.stdout, r.stderr)); MOVES.flush()
    if r.returncode not in (0,):
        print('moving', what, r.returncode, r.stdout, r.stderr, file=sys.stderr)


MOVES = open(os.path.join(RUN, 'moves-%s.log' % NAME), 'w')


@atexit.register
def stop():
    for p, _ in servers.values():
        if p.poll() is None:
            os.kill(p.pid, signal.SIGTERM)
    for p, _ in servers.values():
        try: p.wait(5)
        except Exception: os.kill(p.pid, signal.SIGKILL)


def send(port, method, target, headers, body):
    c = http.client.HTTPConnection('127.0.0.1', port, timeout=20)
    c.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
    c.putheader('Host', 'testserver')
    for k, v in headers:
        c.putheader(k, v.encode('latin-1') if isinstance(v, str) else v)
    if body or method in ('POST', 'PUT', 'PATCH'):
        c.putheader('Content-Length', str(len(body)))
    c.endheaders(body or None)
    r = c.getresponse()
    data = r.read()
    c.close()
    return r.status, r.getheaders(), data


def make_response(environ, status, headers, data):
    from django.http import HttpResponse
    from django.core.handlers.wsgi import WSGIRequest
    resp = HttpResponse(content=data, status=status)
    del resp.headers['Content-Type']
    for k, v in headers:
        if k.lower() == 'set-cookie':
            resp.cookies.load(v); continue
        resp.headers[k] = v
    resp.request = None
    ctype = dict((k.lower(), v) for k, v in headers).get('content-type', '')
    resp.data = json.loads(data) if 'json' in ctype and data else None
    resp.render = lambda: resp
    environ['wsgi.input'] = BytesIO(b'')
    resp.wsgi_request = WSGIRequest(environ)
    return resp


def target_of(environ):
    from urllib.parse import quote
    raw = environ['PATH_INFO'].encode('latin-1')
    t = quote(raw, safe="/:@!$&'()*+,;=-._~%")
    if environ.get('QUERY_STRING'):
        t += '?' + environ['QUERY_STRING']
    return t


def headers_of(environ):
    hs = []
    for k, v in environ.items():
        if k.startswith('HTTP_') and k not in ('HTTP_HOST', 'HTTP_COOKIE', 'HTTP_CONTENT_LENGTH'):
            hs.append((k[5:].replace('_', '-').title(), v))
        elif k == 'HTTP_COOKIE' and v:
            hs.append(('Cookie', v))
    if environ.get('CONTENT_TYPE') and environ['REQUEST_METHOD'] not in ('GET', 'HEAD'):
        hs.append(('Content-Type', environ['CONTENT_TYPE']))
    return hs


class Suite:
    """what differs between the peers"""
    common_passwords = ''  # the list of the validator common
    mailbox = None      # where authcompat's mails come to
    def profile(self, environ): raise NotImplementedError
    def adapt(self, environ, method, target, headers, body): return method, target, headers, body
    def supported(self, method, path): return True
    def before(self): pass
    def after(self): pass
    def asked(self, response, entries, body): pass     # after an exchange, with the entries of the audit record about it
    def mapping(self, environ): return {}     # where the database alone does not tell what is what
    def user_token(self, user): raise Missing('force_authenticate')


suite = Suite()


def db_path():
    from django.db import connection
    return str(connection.settings_dict['NAME'])


def exchange(environ, force_user=None):
    method = environ['REQUEST_METHOD']
    n = int(environ.get('CONTENT_LENGTH') or 0)
    body = environ['wsgi.input'].read(n) if n else b''
    current['body'] = body
    target, headers = target_of(environ), headers_of(environ)
    if environ.get('REMOTE_USER'):
        raise Missing('REMOTE_USER')
    if force_user is not None and not any(k == 'Authorization' for k, _ in headers):
        headers.append(('Authorization', suite.user_token(force_user)))
    m2, t2, h2, b2 = suite.adapt(environ, method, target, headers, body)
    profile = suite.profile(environ)
    mapping = suite.mapping(environ)
    port = start(profile, 'django+sqlite:' + db_path(), mapping) if STORE == 'attach' else native(profile)
    suite.before()
    record = (db_path(), 'authcompat_audit') if STORE == 'attach' else (native_path(), 'audit')
    try:
        if STORE == 'native': moving('import', profile, mapping)
        before = audit.last(*record)
        status, hs, data = send(port, m2, t2, h2, b2)
        entries = audit.after(*record, before)
        if 'sliding: ' in profile: _real_sleep(1.3)     # ends are written later, once a second
        if suite.mailbox: current['mails'] = suite.mailbox.collect(*((db_path(), 'authcompat_mails') if STORE == 'attach' else (native_path(), 'mails')), clock=_real_time, sleep=_real_sleep)
        if STORE == 'native': moving('export', profile, mapping)
    finally:
        suite.after()
    entry = {'test': current.get('id'), 'request': '%s %s' % (m2, t2), 'headers': [(k, v) for k, v in h2], 'body': b2.decode('utf-8', 'replace')[:400],
             'status': status, 'reply_headers': hs, 'reply': data.decode('utf-8', 'replace')[:400], 'profile': hashlib.sha1(profile.encode()).hexdigest()[:10]}
    if current.pop('mails', 0):
        from django.core import mail
        entry['mails'] = [{'to': m.to, 'subject': m.subject, 'body': m.body} for m in mail.outbox]
    if (m2, t2) != (method, target): entry['asked'] = '%s %s' % (method, target)
    log.append(entry)
    LOG.write(json.dumps(entry) + '\n'); LOG.flush()
    response = make_response(environ, status, hs, data)
    suite.asked(response, entries, b2)
    return response


def recorded(call, environ):
    """the genuine package's answer, kept as those of authcompat are, with the mails that it sent and the settings of the test"""
    from django.core import mail
    from django.test.client import FakePayload
    body = environ['wsgi.input'].read(int(environ.get('CONTENT_LENGTH') or 0))
    environ['wsgi.input'] = FakePayload(body)
    sent = len(getattr(mail, 'outbox', []))
    entry = {'test': current.get('id'), 'request': '%s %s' % (environ['REQUEST_METHOD'], target_of(environ)), 'headers': headers_of(environ),
             'body': body.decode('utf-8', 'replace'), 'settings': {k: repr(v) for k, v in current.get('settings', {}).items()}}
    response = call()
    mails = [{'to': m.to, 'from': m.from_email, 'subject': m.subject, 'body': m.body, 'html': [c for c, t in getattr(m, 'alternatives', [])]}
             for m in getattr(mail, 'outbox', [])[sent:]]
    entry.update(status=response.status_code, reply_headers=list(response.items()), reply=response.content.decode('utf-8', 'replace'), mails=mails)
    LOG.write(json.dumps(entry) + '\n'); LOG.flush()
    return response


def note_setting(setting, value, enter, **kw):
    if enter: current.setdefault('settings', {})[setting] = value
    else: current.get('settings', {}).pop(setting, None)


def install():
    """to be called after django.setup()"""
    import django.test
    from django.test import client as dc, testcases
    from rest_framework import test as rt

    django.test.signals.setting_changed.connect(note_setting)
    genuine = dc.ClientHandler.__call__
    genuine_of = {dc.ClientHandler: genuine, rt.ForceAuthClientHandler: rt.ForceAuthClientHandler.__call__}

    def handler_call(self, environ):
        force = getattr(self, '_force_user', None)
        current['asked'] = current.get('asked', 0) + 1
        if MODE == 'genuine': return recorded(lambda: genuine_of[type(self)](self, environ), environ)
        try:
            return exchange(environ, force)
        except Missing as e:
            current.setdefault('missing', []).append(str(e))
            if MODE != 'hybrid': raise
            current['genuine'] = current.get('genuine', 0) + 1
            environ['wsgi.input'] = dc.FakePayload(current.pop('body', b''))
            return genuine(self, environ)
    dc.ClientHandler.__call__ = handler_call
    rt.ForceAuthClientHandler.__call__ = handler_call

    # a transaction of the test would be seen by nobody else
    if MODE != 'genuine': django.test.TestCase._databases_support_transactions = classmethod(lambda cls: False)
    if MODE != 'genuine': testcases.TestCase._databases_support_transactions = classmethod(lambda cls: False)

    old_run = testcases.SimpleTestCase.run

    def run(self, result=None):
        current['id'] = self.id(); log.clear(); current['missing'] = []; current['genuine'] = current['asked'] = 0
        if MODE != 'genuine': clean()
        return old_run(self, result)
    testcases.SimpleTestCase.run = run


def clean():
    try:
        from django.db import connection
        path = db_path()
        if ':memory:' in path or not os.path.exists(path): return
        c = sqlite3.connect(path, timeout=10)
        have = {r[0] for r in c.execute("select name from sqlite_master where name like 'authcompat_%'")}
        for t in ('authcompat_users', 'authcompat_tokens', 'authcompat_guesses', 'authcompat_mails'):
            if t in have: c.execute('delete from ' + t)
        c.commit(); c.close()
    except sqlite3.OperationalError as e:
        print('clean:', e, file=sys.stderr)


def make_result_class():
    import unittest

    class Result(unittest.TextTestResult):
        def __init__(self, *a, **k):
            super().__init__(*a, **k); self.rows = []

        def note(self, test, outcome, err=None):
            text = ''
            if err and outcome in ('fail', 'error') and current.get('missing') and MODE != 'hybrid': outcome = 'missing'
            if err:
                text = '%s: %s' % (err[0].__name__, str(err[1]).split('\n')[0][:300])
                if issubclass(err[0], Missing): outcome = 'missing'
                elif issubclass(err[0], NonWire): outcome = 'nonwire'
            self.rows.append({'test': test.id(), 'outcome': outcome, 'why': text, 'asked': current.get('asked', 0), 'exchanges': len(log), 'genuine': current.get('genuine', 0), 'missing': list(current.get('missing', [])),
                              'last': [(e['request'], e['body'], e['status'], e['reply']) for e in log[-2:]]})

        def addSuccess(self, t): super().addSuccess(t); self.note(t, 'pass')
        def addFailure(self, t, e): super().addFailure(t, e); self.note(t, 'fail', e)
        def addError(self, t, e): super().addError(t, e); self.note(t, 'error', e)
        def addSkip(self, t, r): super().addSkip(t, r); self.note(t, 'skip')
    return Result


def run_suite(labels, top_level=None, pattern='test*.py'):
    """runs tests and leaves what became of each in RUN, as JSON"""
    from django.test.runner import DiscoverRunner
    Result = make_result_class()

    class Runner(DiscoverRunner):
        def get_resultclass(self): return Result
        def run_suite(self, suite, **kw):
            r = super().run_suite(suite, **kw)
            with open(os.path.join(RUN, NAME + '.json'), 'w') as f: json.dump(r.rows, f, indent=1)
            return r
    r = Runner(verbosity=int(os.environ.get('V', '1')), interactive=False, top_level=top_level, pattern=pattern)
    return 1 if r.run_tests(labels) else 0
