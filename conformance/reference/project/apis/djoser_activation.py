"""djoser with all of its mails: who registers is inactive until a link is followed."""

from .djoser import urlpatterns  # noqa: F401
