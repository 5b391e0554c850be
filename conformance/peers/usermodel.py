"""What a user model of the tests' own (AUTH_USER_MODEL) becomes in the profile and in --map. djoser's serializers take their
fields from the user model when they are imported; here they are taken so from the model that the test has set."""
import datetime, json, sqlite3


def names(ds, model):
    """the words of the profile that stand for names of the model's fields, and for what these fields take"""
    from djoser.serializers import UserCreateSerializer
    if model._meta.label == 'auth.User': return {}
    name, address = model.USERNAME_FIELD, model.get_email_field_name()
    meta = type('Meta', (), {'model': model, 'fields': (*model.REQUIRED_FIELDS, name, model._meta.pk.name, 'password')})
    serializer = type('Serializer', (UserCreateSerializer,), {'Meta': meta})()
    shown = {name: '$user.username', address: '$user.email', model._meta.pk.name: '$user.id'}
    body, taken = {}, {}
    for field in serializer.fields.values():
        if not field.write_only: body[field.field_name] = shown.get(field.field_name, '$user.attributes.' + field.field_name)
        if not field.read_only: taken[field.field_name] = of(field, name, address)
    new = dict(taken[name])
    words = {'REGISTER_FIELDS': written(taken), 'USER_BODY': json.dumps(body), 'NEW_NAME': 'new_' + ds.LOGIN_FIELD, 'NAME_LIMITS': written(new)[1:-1],
             'UPDATED_FIELDS': written({name: {'role': 'username', 'read_only': True}}), 'NAME_AGAIN': 're_new_' + ds.LOGIN_FIELD,
             'LOGIN_NAME': written({ds.LOGIN_FIELD: {'role': 'username', 'required': False}})[1:-1], 'ADDRESS': address}
    unique = model._meta.get_field(name)
    if unique.unique:
        words['TAKEN'] = 'username_taken: ' + json.dumps(str(unique.error_messages['unique'] % {
            'model_name': model._meta.verbose_name.capitalize(), 'field_label': unique.verbose_name}))
    if name == address: words['USERNAMES'] = 'usernames: {email: true}'
    return words


def of(field, name, address):
    """a field of a profile, as a serializer's field is"""
    role = {name: 'username', address: 'email', 'password': 'password'}
    said = {'role': role.get(field.field_name, 'attribute'), 'required': field.required, 'label': str(field.label)}
    if field.field_name == name: said['role'] = 'username'
    if field.field_name == 'password': return {'label': said['label']}
    if getattr(field, 'allow_blank', False): said['blank'] = True
    if getattr(field, 'max_length', None): said['max_length'] = field.max_length
    return said


def written(value): return json.dumps(value)     # flow style of YAML


def mapping(model, database):
    """what --map says of the model; it makes the table that rest_framework.authtoken has where the user model is this one"""
    if model._meta.label == 'auth.User': return {}
    column = lambda name: model._meta.get_field(name).column
    return {'user_table': model._meta.db_table, 'username': column(model.USERNAME_FIELD), 'email': column(model.get_email_field_name()),
            'token_table': tokens(model, database)}


def tokens(model, database):
    table = 'authtoken_of_' + model._meta.db_table
    with sqlite3.connect(database, timeout=10) as c:
        c.execute('CREATE TABLE IF NOT EXISTS "%s" ("key" varchar(40) NOT NULL PRIMARY KEY, "created" datetime NOT NULL, "user_id" integer NOT NULL UNIQUE '
                  'REFERENCES "%s" ("id") ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED)' % (table, model._meta.db_table))
    c.close()
    return table


def token(user, database):
    """a token of a user of such a model"""
    import secrets
    key, table = secrets.token_hex(20), tokens(type(user), database)
    with sqlite3.connect(database, timeout=10) as c:
        c.execute('DELETE FROM "%s" WHERE user_id = ?' % table, (user.pk,))
        c.execute('INSERT INTO "%s" VALUES (?, ?, ?)' % table, (key, datetime.datetime.utcnow().isoformat(' '), user.pk))
    c.close()
    return key
