"""knox 4.2's own views, as its documents mount them."""

from django.urls import include, path

urlpatterns = [path("api/auth/", include("knox.urls"))]
