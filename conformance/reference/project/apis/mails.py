"""Mails that nobody gets: djoser's own need a package that Debian does not have."""


class Mail:
    def __init__(self, request, context):
        pass

    def send(self, to):
        pass
