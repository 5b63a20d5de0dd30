"""Addresses of the procurement app."""

from __future__ import annotations

from django.urls import path

from procurement.views import bidders, competitions, decisions, plans, scoring

app_name = "procurement"
urlpatterns = [
    path("plans/", plans.plan_list, name="plans"),
    path("plans/new/", plans.plan_new, name="plan_new"),
    path("plans/<int:pk>/", plans.plan_detail, name="plan"),
    path("plans/<int:pk>/needs/new/", plans.plan_item_new, name="plan_item_new"),
    path("plans/<int:pk>/approve/", plans.plan_approve, name="plan_approve"),
    path("competitions/", competitions.tender_list, name="competitions"),
    path("competitions/new/", competitions.tender_new, name="competition_new"),
    path("competitions/<int:pk>/", competitions.tender_detail, name="competition"),
    *(
        path(f"competitions/<int:pk>/{name}/", competitions.step_view(name), name=f"competition_{name}")
        for name in competitions.STEPS
    ),
    path("competitions/<int:pk>/decisions/<int:file_pk>/", competitions.tender_decision, name="competition_decision"),
    path("competitions/<int:pk>/bid/", bidders.bid_new, name="bid_new"),
    path("competitions/<int:pk>/application/", bidders.application_new, name="application_new"),
    path("competitions/<int:pk>/scores/", scoring.scoring_sheet, name="scoring"),
    path("marks/<int:pk>/explain/", scoring.mark_explain, name="mark_explain"),
    path("awards/<int:pk>/conclude/", decisions.award_conclude, name="award_conclude"),
    path("complaints/<int:pk>/answer/", decisions.complaint_answer, name="complaint_answer"),
    path("bids/", bidders.bid_list, name="bids"),
    path("bids/<int:pk>/", bidders.bid_detail, name="bid"),
    path("bids/<int:pk>/edit/", bidders.application_edit, name="application_edit"),
    path("bids/<int:pk>/submit/", bidders.application_submit, name="application_submit"),
    path("bids/<int:pk>/withdraw/", bidders.bid_withdraw, name="bid_withdraw"),
    path("bids/<int:pk>/admit/", decisions.bid_admit, name="bid_admit"),
    path("bids/<int:pk>/reject/", decisions.bid_reject, name="bid_reject"),
    path("bids/<int:pk>/documents/<str:document>/", bidders.application_attach, name="application_attach"),
    path("bids/<int:pk>/files/<int:file_pk>/", bidders.bid_file, name="bid_file"),
]
