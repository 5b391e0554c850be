"""apis/form-auth.txt: Django forms answered through JsonResponse, and a logout
that is a view of the REST framework."""

from django import forms
from django.contrib.auth.forms import AuthenticationForm, UserCreationForm
from django.contrib.auth.models import User
from django.http import JsonResponse
from django.urls import path, re_path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from rest_framework import permissions, renderers
from rest_framework.exceptions import NotFound
from rest_framework.response import Response
from rest_framework.views import APIView

from tokens.models import issue


class SignupForm(UserCreationForm):
    email = forms.EmailField()
    accept_tos = forms.BooleanField()

    class Meta(UserCreationForm.Meta):
        model = User
        fields = ("username", "email")

    field_order = ["username", "email", "password1", "password2", "accept_tos"]


def answer(form, user):
    """The one shape of both views; user is None for a form with errors."""
    token = issue(user)[1] if user else None
    return JsonResponse(
        {"errors": form.errors, "success": user is not None, "token": token}
    )


@csrf_exempt
@require_POST
def signup(request):
    form = SignupForm(request.POST)
    return answer(form, form.save() if form.is_valid() else None)


@csrf_exempt
@require_POST
def login(request):
    form = AuthenticationForm(request, data=request.POST)
    return answer(form, form.get_user() if form.is_valid() else None)


class LogoutView(APIView):
    permission_classes = (permissions.IsAuthenticated,)

    def post(self, request):
        request.auth.delete()
        return Response({"success": True})


class OtherView(APIView):
    """Every other path wants a token, and leads nowhere."""

    permission_classes = (permissions.IsAuthenticated,)
    renderer_classes = (renderers.JSONRenderer,)

    def initial(self, request, *args, **kwargs):
        super().initial(request, *args, **kwargs)
        raise NotFound()

    @property
    def default_response_headers(self):
        # Without a method of its own there is none to allow.
        return {}


urlpatterns = [
    path("auth/signup", signup),
    path("auth/login", login),
    path("auth/logout", LogoutView.as_view()),
    re_path("", OtherView.as_view()),
]
