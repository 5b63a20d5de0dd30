"""Addresses of the vouchers app."""

from __future__ import annotations

from django.urls import path

from vouchers.views import certificates, fees, provider, recipient_access, recipients, visits_template

app_name = "vouchers"
urlpatterns = [
    path("recipients/", recipients.recipient_list, name="recipients"),
    path("recipients/new/", recipients.recipient_new, name="recipient_new"),
    path("recipients/<int:pk>/", recipients.recipient_detail, name="recipient"),
    path("recipients/<int:pk>/fee-steps/", recipients.recipient_fee_steps, name="recipient_fee_steps"),
    path("recipients/<int:pk>/special/", recipients.recipient_special, name="recipient_special"),
    path("recipients/<int:pk>/needs/", recipients.assess, name="assess"),
    path("recipients/<int:pk>/fee/", fees.fee_new, name="fee_new"),
    path("recipients/<int:pk>/fee/anew/", fees.fee_anew, name="fee_anew"),
    path("recipients/<int:pk>/plan/", recipients.plan_new, name="plan_new"),
    path("recipients/<int:pk>/plan/<int:plan>/close/", recipients.plan_close, name="plan_close"),
    path("recipients/<int:pk>/absence/", recipients.absence_new, name="absence_new"),
    path("recipients/<int:pk>/mandate/", recipients.mandate_new, name="mandate_new"),
    path("recipients/<int:pk>/mandate/<int:mandate>/end/", recipients.mandate_end, name="mandate_end"),
    path("recipients/<int:pk>/move/", recipients.move, name="move"),
    path("recipients/<int:pk>/death/", recipients.death, name="death"),
    path("recipients/<int:pk>/certificate/", certificates.certificate_new, name="certificate_new"),
    path("recipients/<int:pk>/access/", recipient_access.access_new, name="access_new"),
    path("recipients/<int:pk>/access/link/", recipient_access.access_link, name="access_link"),
    path("recipients/<int:pk>/access/end/", recipient_access.access_end, name="access_end"),
    path("certificates/", certificates.certificate_list, name="certificates"),
    path("certificates/<int:pk>/", certificates.certificate_detail, name="certificate"),
    path("certificates/<int:pk>/print/", certificates.certificate_print, name="certificate_print"),
    path("certificates/<int:pk>/suspend/", certificates.certificate_suspend, name="certificate_suspend"),
    path("certificates/<int:pk>/resume/", certificates.certificate_resume, name="certificate_resume"),
    path("certificates/<int:pk>/cancel/", certificates.certificate_cancel, name="certificate_cancel"),
    path("certificates/<int:pk>/replace/", certificates.certificate_replace, name="certificate_replace"),
    path("mine/", certificates.own_certificates, name="mine"),
    path("redeem/", provider.redeem, name="redeem"),
    path("redemptions/", provider.redemption_list, name="redemptions"),
    path("redemptions/<int:pk>/", provider.redemption_detail, name="redemption"),
    path("redemptions/<int:pk>/confirm/", provider.redemption_confirm, name="redemption_confirm"),
    path("redemptions/<int:pk>/void/", provider.redemption_void, name="redemption_void"),
    path("redemptions/<int:pk>/reverse/", provider.redemption_reverse, name="redemption_reverse"),
    path("visits/import/", provider.visits_import, name="visits_import"),
    path("visits/template/<slug:kind>/", visits_template.visits_template, name="visits_template"),
]
