#: API: not known
#: classes.py:7:1: the settings in class Common are not read: they depend on which class is used
#: classes.py:16:1: the settings in class Production are not read: they depend on which class is used
from configurations import Configuration, values


class Common(Configuration):
    SECRET_KEY = values.SecretValue()
    REST_FRAMEWORK = {'PAGE_SIZE': 10}

    @property
    def INSTALLED_APPS(self):
        return ['knox']


class Production(Common):
    DEBUG = False
