"""Addresses of the settlement app."""

from __future__ import annotations

from django.urls import path

from settlement.views import bank, finance

app_name = "settlement"
urlpatterns = [
    path("runs/", finance.adjudication_runs, name="adjudication_runs"),
    path("runs/<int:pk>/", finance.adjudication_run, name="adjudication_run"),
    path("payment-runs/", finance.payment_runs, name="payment_runs"),
    path("payment-runs/propose/", finance.propose, name="payment_run_propose"),
    path("payment-runs/<int:pk>/", finance.payment_run, name="payment_run"),
    path("payment-runs/<int:pk>/approve/", finance.approve, name="payment_run_approve"),
    path("payment-runs/<int:pk>/release/", finance.release, name="payment_run_release"),
    path("payment-runs/<int:pk>/cancel/", finance.cancel, name="payment_run_cancel"),
    path("payment-runs/<int:pk>/sent/", finance.sent, name="payment_run_sent"),
    path("payment-runs/<int:pk>/file/", finance.payment_file, name="payment_file"),
    path("payments/", finance.payments, name="payments"),
    path("payments/<int:pk>/", finance.payment, name="payment"),
    path("payments/<int:pk>/failed/", finance.payment_failed, name="payment_failed"),
    path("payments/<int:pk>/advice/", finance.payment_advice, name="payment_advice"),
    path("statements/", bank.statements, name="statements"),
    path("statements/new/", bank.statement_new, name="statement_new"),
    path("statements/<int:pk>/", bank.statement, name="statement"),
    path("statements/<int:pk>/accept/", bank.statement_decide, {"decision": "accept"}, name="statement_accept"),
    path("statements/<int:pk>/refuse/", bank.statement_decide, {"decision": "refuse"}, name="statement_refuse"),
    path("statement-lines/<int:pk>/", bank.statement_line, name="statement_line"),
    path("months/", bank.months, name="months"),
    path("months/<str:period>/", bank.month, name="month"),
    path("months/<str:period>/acts/<int:pk>/", bank.reconciliation_act, name="reconciliation_act"),
    path("months/<str:period>/close/", bank.month_closing, name="month_close"),
]
