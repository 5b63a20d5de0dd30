"""Sign-in pages; their names are Django's own, so that its settings find them."""

from __future__ import annotations

from django.urls import path

from config.accounts.views import SignIn, SignOut

urlpatterns = [
    path("sign-in/", SignIn.as_view(), name="login"),
    path("sign-out/", SignOut.as_view(), name="logout"),
]
