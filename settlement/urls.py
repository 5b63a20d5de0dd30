"""Addresses of the settlement app."""

from __future__ import annotations

from django.urls import path

from settlement.views import bank, books, claims, finance, months, provider, runs

app_name = "settlement"
urlpatterns = [
    path("claims/", claims.claim_list, name="claims"),
    path("claims/new/", provider.claim_new, name="claim_new"),
    path("claims/new/month/", provider.claim_from_redemptions, name="claim_from_redemptions"),
    path("claims/new/spreadsheet/", provider.claim_upload, name="claim_upload"),
    path("claims/template/", provider.claim_template, name="claim_template"),
    path("claims/<int:pk>/", claims.claim_detail, name="claim"),
    path("claims/<int:pk>/letter/", claims.letter, name="claim_letter"),
    path("claims/<int:pk>/letter/make/", claims.letter_order, name="claim_letter_order"),
    path("claims/<int:pk>/correct/", provider.claim_correct, name="claim_correct"),
    path("claims/<int:pk>/submit/", provider.claim_submit, name="claim_submit"),
    path("claims/<int:pk>/withdraw/", provider.claim_withdraw, name="claim_withdraw"),
    path("claims/<int:pk>/return/", runs.claim_step, {"step": "return"}, name="claim_return"),
    path("claims/<int:pk>/reverse/", runs.claim_step, {"step": "reverse"}, name="claim_reverse"),
    path("claim-lines/<int:pk>/", claims.line_detail, name="claim_line"),
    path("claim-lines/<int:pk>/pends/<str:check>/clear/", runs.pend_clear, name="pend_clear"),
    path("pends/", runs.pend_list, name="pends"),
    path("runs/", runs.run_list, name="adjudication_runs"),
    path("runs/start/", runs.run_start, name="run_start"),
    path("runs/<int:pk>/", runs.run_detail, name="adjudication_run"),
    path("books/accounts/", books.account_list, name="accounts"),
    path("books/accounts/<int:pk>/", books.account_detail, name="account"),
    path("books/trial-balance/", books.trial_balance, name="trial_balance"),
    path("books/entries/", books.entry_list, name="entries"),
    path("books/entries/<int:pk>/", books.entry_detail, name="entry"),
    path("books/budget/", books.budget_execution, name="budget_execution"),
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
    path("months/", months.months, name="months"),
    path("months/<str:period>/", months.month, name="month"),
    path("months/<str:period>/acts/<int:pk>/", months.reconciliation_act, name="reconciliation_act"),
    path("months/<str:period>/close/", months.month_closing, name="month_close"),
]
