"""Addresses of the contracts app."""

from __future__ import annotations

from django.urls import path

from contracts.views import agreements, catalogue, milestones, norms, office, people

app_name = "contracts"
urlpatterns = [
    path("", agreements.contract_list, name="contracts"),
    path("new/", agreements.contract_new, name="contract_new"),
    path("<int:pk>/", agreements.contract_detail, name="contract"),
    path("<int:pk>/amend/", agreements.contract_amend, name="contract_amend"),
    path("<int:pk>/terminate/", agreements.contract_terminate, name="contract_terminate"),
    path("<int:pk>/sign/", agreements.contract_sign, name="contract_sign"),
    path("milestones/<int:pk>/", milestones.milestone_detail, name="milestone"),
    path("milestones/<int:pk>/report/", milestones.milestone_report, name="milestone_report"),
    path("milestones/<int:pk>/judge/", milestones.milestone_judge, name="milestone_judge"),
    path("milestones/<int:pk>/files/<int:file_pk>/", milestones.milestone_file, name="milestone_file"),
    path("parameters/", office.parameter_list, name="parameters"),
    path("norms/", norms.norm_list, name="norms"),
    path("norms/new/", norms.norm_new, name="norm_new"),
    path("norms/<int:pk>/", norms.norm_detail, name="norm"),
    path("norms/<int:pk>/approve/", norms.norm_approve, name="norm_approve"),
    path("norms/<int:pk>/end/", norms.norm_end, name="norm_end"),
    path("norms/<int:pk>/withdraw/", norms.norm_withdraw, name="norm_withdraw"),
    path("providers/", office.provider_list, name="providers"),
    path("providers/new/", office.provider_new, name="provider_new"),
    path("providers/<int:pk>/", office.provider_detail, name="provider"),
    path("providers/<int:pk>/prices/new/", catalogue.tariff_new, name="tariff_new"),
    path("providers/<int:pk>/admit/", office.provider_step, {"step": "admit"}, name="provider_admit"),
    path("providers/<int:pk>/suspend/", office.provider_step, {"step": "suspend"}, name="provider_suspend"),
    path("providers/<int:pk>/resume/", office.provider_step, {"step": "resume"}, name="provider_resume"),
    path("providers/<int:pk>/people/invite/", people.representative_invite, name="representative_invite"),
    path("providers/<int:pk>/people/appoint/", people.representative_appoint, name="representative_appoint"),
    path("providers/<int:pk>/people/<int:user_pk>/link/", people.representative_link, name="representative_link"),
    path("providers/<int:pk>/people/<int:user_pk>/end/", people.representative_end, name="representative_end"),
    path("providers/<int:pk>/workers/", people.worker_list, name="workers"),
    path("providers/<int:pk>/workers/new/", people.worker_new, name="worker_new"),
    path("workers/", people.own_workers, name="own_workers"),
    path("workers/<int:pk>/services/", people.worker_qualify, name="worker_qualify"),
    path("territories/", catalogue.territory_list, name="territories"),
    path("territories/new/", catalogue.territory_new, name="territory_new"),
    path("services/", catalogue.service_list, name="services"),
    path("services/adopt/", catalogue.service_adopt, name="service_adopt"),
    path("services/new/", catalogue.service_new, name="service_new"),
    path("services/<int:pk>/", catalogue.service_detail, name="service"),
    path("services/<int:pk>/change/", catalogue.service_change, name="service_change"),
    path("tariffs/", catalogue.tariff_set_list, name="tariff_sets"),
    path("tariffs/<int:pk>/", catalogue.tariff_set_detail, name="tariff_set"),
    path("budget/", office.budget_list, name="budget_lines"),
    path("budget/new/", office.budget_new, name="budget_new"),
    path("budget/<int:pk>/", office.budget_detail, name="budget_line"),
    path("budget/<int:pk>/amend/", office.budget_amend, name="budget_amend"),
]
