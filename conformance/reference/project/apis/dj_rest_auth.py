"""dj-rest-auth's own endpoints, as its documents mount them."""

from django.http import HttpResponse
from django.urls import include, path

urlpatterns = [
    path("dj-rest-auth/", include("dj_rest_auth.urls")),
    path("dj-rest-auth/registration/", include("dj_rest_auth.registration.urls")),
    # A page of the project's own, which mails about a new password lead to.
    path(
        "password-reset/<uidb64>/<token>/",
        lambda request, uidb64, token: HttpResponse(),
        name="password_reset_confirm",
    ),
]
