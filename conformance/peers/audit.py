"""Sends the signals of Django and djoser that a test waits for in its own process, if authcompat's audit record has an entry of
the request that says so. It sends them as the package would, with one exception: Django's own receiver (update_last_login) is left
out, so that a last_login is what authcompat wrote, or stays."""
import sqlite3


def last(database, table):
    """the id of the newest entry"""
    entries = read(database, table, 'SELECT max(id) FROM %s')
    return entries[0][0] or 0 if entries else 0


def after(database, table, entry):
    """what users did since an entry: (action, outcome, id of the user)"""
    return read(database, table, "SELECT act, outcome, user_id FROM %s WHERE id > ? AND actor = '' ORDER BY id", entry)


def read(database, table, statement, *args):
    try:
        c = sqlite3.connect('file:%s?mode=ro' % database, uri=True, timeout=5)
        try: return c.execute(statement % table, args).fetchall()
        finally: c.close()
    except sqlite3.OperationalError: return []      # the server makes the table


def send(entries, request, tokens):
    """sends the signals of these entries; tokens: djoser has a TOKEN_MODEL, without which a logout sends none"""
    import djoser.signals, djoser.views
    from django.contrib.auth import get_user_model, signals
    from django.contrib.auth.models import update_last_login
    model = get_user_model()
    connected = signals.user_logged_in.disconnect(dispatch_uid='update_last_login')
    try:
        for act, outcome, user_id in entries:
            user = model.objects.filter(pk=user_id).first()
            if act == 'login' and outcome != 'ok':
                signals.user_login_failed.send(sender='django.contrib.auth', credentials={}, request=request)
            elif outcome != 'ok' or user is None: continue
            elif act == 'login': signals.user_logged_in.send(sender=model, request=request, user=user)
            elif act == 'logout' and tokens: signals.user_logged_out.send(sender=model, request=request, user=user)
            elif act == 'register': djoser.signals.user_registered.send(sender=djoser.views.UserViewSet, user=user, request=request)
            elif act == 'enable-user': djoser.signals.user_activated.send(sender=djoser.views.UserViewSet, user=user, request=request)
    finally:
        if connected: signals.user_logged_in.connect(update_last_login, dispatch_uid='update_last_login')
