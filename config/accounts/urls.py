"""Sign-in pages, whose names are Django's own, so that its settings find them; and keys of programs."""

from __future__ import annotations

from django.urls import path

from config.accounts.views import SignIn, SignOut, token_revoke, tokens

urlpatterns = [
    path("sign-in/", SignIn.as_view(), name="login"),
    path("sign-out/", SignOut.as_view(), name="logout"),
    path("profile/keys/", tokens, name="tokens"),
    path("profile/keys/<int:pk>/revoke/", token_revoke, name="token_revoke"),
]
