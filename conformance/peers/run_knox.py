"""The suites of django-rest-knox 4.2.0 and 5.0.2. KNOX: knox or knox5, the folder of the suite."""
import os, sys
import wire
VERSION = wire.setting('KNOX', '', 'knox', ('knox', 'knox5'))
os.chdir(wire.suite_folder(VERSION))
os.environ['DJANGO_SETTINGS_MODULE'] = 'knox_project.settings'
from django.conf import settings
settings.DATABASES['default']['TEST'] = wire.test_database()
import django; django.setup()
import re, sqlite3, time, datetime as dt
wire.install()
BASE = wire.profile_text('knox42')
TOKENS = {'knox': {'match': 'knox-4.2', 'legacy_format': 'knox-4.2'}, 'knox5': {'match': 'exact', 'legacy_format': 'knox-5.x'}}[VERSION]


class Knox(wire.Suite):
    def profile(self, environ):
        from django.conf import settings as dj
        over = getattr(dj, 'REST_KNOX', None) or {}
        text = BASE
        tokens = {'hex': 64, 'ttl': '10h', 'per_user': 'many', **TOKENS}
        if over and over.get('TOKEN_TTL') is None and 'TOKEN_TTL' in over: tokens['ttl'] = 'never'
        if over.get('AUTO_REFRESH'): tokens['sliding'] = 'true'
        if over.get('TOKEN_LIMIT_PER_USER') is not None: tokens['limit'] = over['TOKEN_LIMIT_PER_USER']
        if over.get('TOKEN_PREFIX'): tokens['prefix'] = over['TOKEN_PREFIX']
        if over.get('AUTO_REFRESH') and over.get('AUTO_REFRESH_MAX_TTL'):
            tokens['sliding'] = '{max: %ds}' % over['AUTO_REFRESH_MAX_TTL'].total_seconds()
        text = re.sub(r'tokens: .*', 'tokens: {%s}' % ', '.join('%s: %s' % kv for kv in tokens.items()), text)
        if over.get('AUTH_HEADER_PREFIX', 'Token') != 'Token':
            text = text.replace('stack: drf-3.14', 'stack: drf-3.14\nscheme: ' + over['AUTH_HEADER_PREFIX'])
        if over.get('USER_SERIALIZER'):
            text = text.replace('token: $token.key}', 'token: $token.key, user: {username: $user.username}}')
        fmt = over.get('EXPIRY_DATETIME_FORMAT')
        if fmt and fmt != 'iso-8601':
            text = text.replace('$token.expiry', '$token.expiry|knox') + "formats: {knox: {strftime: '%s', zone: %s}}\n" % (fmt, dj.TIME_ZONE)
        return text

    # a frozen clock: moves the ends of all tokens instead
    def offset(self):
        # freezegun replaces time.time
        d = time.time() - wire._real_time()
        return d if abs(d) > 1 else 0

    def shift(self, seconds):
        if not seconds: return
        c = sqlite3.connect(wire.db_path(), timeout=10)
        for digest, expiry in c.execute('select digest, expiry from knox_authtoken').fetchall():
            if expiry is None: continue
            e = dt_parse(expiry) + _D[1](seconds=seconds)
            c.execute('update knox_authtoken set expiry=? where digest=?', (fmt(e), digest))
        c.commit(); c.close()

    def shift_created(self, seconds):
        """a longest life counts from there"""
        if not seconds: return
        c = sqlite3.connect(wire.db_path(), timeout=10)
        for digest, created in c.execute('select digest, created from knox_authtoken').fetchall():
            c.execute('update knox_authtoken set created=? where digest=?', (fmt(dt_parse(created) + _D[1](seconds=seconds)), digest))
        c.commit(); c.close()

    def age_migrations(self):
        """tokens of a frozen clock are not older than the migration that took the salts away, after which knox refuses them"""
        c = sqlite3.connect(wire.db_path(), timeout=10)
        c.execute("update django_migrations set applied='2000-01-01 00:00:00' where app='knox'")
        c.commit(); c.close()

    def shift_native(self):
        test = wire.current['id']
        if getattr(self, 'last', (None, 0))[0] != test: self.last = (test, self.off)
        d = self.off - self.last[1]
        self.last = (test, self.off)
        if abs(d) < 1: return
        c = sqlite3.connect(wire.native_path(), timeout=10)
        c.execute('update tokens set expires_at = expires_at - ?, created_at = created_at - ?', (int(d * 1e6), int(d * 1e6)))
        c.commit(); c.close()

    def before(self):
        self.off = self.offset()
        self.age_migrations()
        if wire.STORE == 'native': self.shift_native()
        self.held = self.values()
        self.shift(-self.off); self.shift_created(-self.off)
        self.moved = self.values()

    def after(self):
        self.shift_created(self.off)
        after = self.values()
        c = sqlite3.connect(wire.db_path(), timeout=10)
        for digest, e in after.items():
            if e is None or not self.off: continue
            if self.moved.get(digest) == e: new = self.held[digest]
            else:  # the server moved it: back to the frozen clock, rounded to a second
                t = dt_parse(e) + _D[1](seconds=self.off)
                t = (t + _D[1](microseconds=500000)).replace(microsecond=0)
                new = fmt(t)
            c.execute('update knox_authtoken set expiry=? where digest=?', (new, digest))
        c.commit(); c.close()

    def values(self):
        c = sqlite3.connect(wire.db_path(), timeout=10)
        v = dict(c.execute('select digest, expiry from knox_authtoken').fetchall()); c.close(); return v


_D = [dt.datetime, dt.timedelta]
def dt_parse(s):
    s = s.replace('T', ' ').rstrip('Z').split('+')[0]
    return _D[0].strptime(s, '%Y-%m-%d %H:%M:%S.%f' if '.' in s else '%Y-%m-%d %H:%M:%S')
def fmt(t): return t.strftime('%Y-%m-%d %H:%M:%S.%f') if t.microsecond else t.strftime('%Y-%m-%d %H:%M:%S')

wire.suite = Knox()
sys.exit(wire.run_suite(sys.argv[1:] or ['tests']))
