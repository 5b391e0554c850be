"""The API's own paths, and the account of the user whose token it is."""

from apis.ocd_users import urlpatterns as api
from django.urls import path
from rest_framework.response import Response
from rest_framework.views import APIView


class AccountView(APIView):
    def get(self, request, username):
        user = request.user
        return Response({"id": user.id, "username": user.username, "email": user.email})


urlpatterns = [*api, path("api/account/<str:username>/", AccountView.as_view())]
