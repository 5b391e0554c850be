"""Sends the same requests to the genuine package, in this process, and to authcompat, on the same tables."""
import json, os, sys
import wire


def run(cases, profile_text, setup, mask, out):
    from django.test.utils import setup_test_environment
    from django.db import connection
    from django.test import client as dc
    genuine_call = dc.ClientHandler.__call__
    setup_test_environment()
    old = connection.creation.create_test_db(verbosity=0, autoclobber=True)
    port = wire.start(profile_text, 'django+sqlite:' + wire.db_path())
    rows = []
    KEEP = ('content-type', 'allow', 'vary', 'www-authenticate', 'location')
    for name, method, path, headers, body in cases:
        got = []
        for side in ('genuine', 'ours'):
            wire.clean()
            state = setup()
            hs = [(k, v.replace('$TOKEN', state.get('token', ''))) for k, v in headers]
            b = body.encode() if isinstance(body, str) else body
            if side == 'genuine':
                c = dc.Client(raise_request_exception=False)
                extra = {}
                ct = ''
                for k, v in hs:
                    if k == 'Content-Type': ct = v
                    else: extra['HTTP_' + k.upper().replace('-', '_')] = v
                r = c.generic(method, path, b, ct, **extra)
                res = (r.status_code, {k.lower(): v for k, v in r.items() if k.lower() in KEEP}, r.content)
            else:
                st, h, data = wire.send(port, method, path, hs, b)
                res = (st, {k.lower(): v for k, v in h if k.lower() in KEEP}, data)
            body_text = res[2].decode('utf-8', 'replace')
            for k, v in mask(state).items(): body_text = body_text.replace(k, v) if isinstance(k, str) else k.sub(v, body_text)
            if 'html' in res[1].get('content-type', ''): body_text = '<html>'
            got.append((res[0], res[1], body_text))
        same = got[0] == got[1]
        rows.append(same)
        if not same:
            print('DIFF', name, '|', method, path, (body if isinstance(body, str) else repr(body))[:120])
            for s, g in zip(('genuine', 'ours   '), got): print('    ', s, g[0], {k: v for k, v in g[1].items() if got[0][1].get(k) != got[1][1].get(k)}, g[2][:300])
    print('%d cases, %d identical' % (len(rows), sum(rows)))
    connection.creation.destroy_test_db(old, verbosity=0)
