"""apis/knox-auth.rst: knox's three views under /auth/, logouts that answer 200."""

from django.urls import path
from rest_framework import status

from tokens import views


class LogoutView(views.LogoutView):
    status = status.HTTP_200_OK


class LogoutAllView(views.LogoutAllView):
    # A docstring is not inherited; OPTIONS shows it.
    __doc__ = views.LogoutAllView.__doc__
    status = status.HTTP_200_OK


urlpatterns = [
    path("auth/login/", views.LoginView.as_view()),
    path("auth/logout/", LogoutView.as_view()),
    path("auth/logoutall/", LogoutAllView.as_view()),
]
