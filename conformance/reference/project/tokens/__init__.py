"""Tokens with the behaviour that django-rest-knox 4.2 documents; Debian has no
package of it. Views, serializers, negotiation and texts are the REST framework's."""
