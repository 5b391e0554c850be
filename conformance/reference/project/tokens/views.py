from rest_framework import permissions, status
from rest_framework.authtoken.serializers import AuthTokenSerializer
from rest_framework.fields import DateTimeField
from rest_framework.response import Response
from rest_framework.views import APIView

from tokens.auth import KnoxAuthentication
from tokens.models import AuthToken, issue


class LoginView(APIView):
    permission_classes = (permissions.AllowAny,)

    def post(self, request):
        serializer = AuthTokenSerializer(
            data=request.data, context={"request": request}
        )
        serializer.is_valid(raise_exception=True)
        row, text = issue(serializer.validated_data["user"])
        expiry = DateTimeField().to_representation(row.expiry)
        return Response({"expiry": expiry, "token": text})


class LogoutView(APIView):
    authentication_classes = (KnoxAuthentication,)
    permission_classes = (permissions.IsAuthenticated,)
    status = status.HTTP_204_NO_CONTENT

    def post(self, request):
        request.auth.delete()
        return Response(None, status=self.status)


class LogoutAllView(APIView):
    """
    Log the user out of all sessions
    I.E. deletes all auth tokens for the user
    """

    authentication_classes = (KnoxAuthentication,)
    permission_classes = (permissions.IsAuthenticated,)
    status = status.HTTP_204_NO_CONTENT

    def post(self, request):
        AuthToken.objects.filter(user=request.user).delete()
        return Response(None, status=self.status)
