"""Sign-in pages, whose names are Django's own, so that its settings find them; and keys of programs."""

from __future__ import annotations

from django.urls import path

from config.accounts.views import SignIn, SignOut, Welcome, switch, token_revoke, tokens

urlpatterns = [
    path("sign-in/", SignIn.as_view(), name="login"),
    path("sign-out/", SignOut.as_view(), name="logout"),
    path("switch/", switch, name="switch"),
    path("welcome/<str:uidb64>/<str:token>/", Welcome.as_view(), name="welcome"),
    path("profile/keys/", tokens, name="tokens"),
    path("profile/keys/<int:pk>/revoke/", token_revoke, name="token_revoke"),
]
