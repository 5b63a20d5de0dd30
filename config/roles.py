"""Who may do what: one table. A page, endpoint or object is denied until a permission here allows it."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

OFFICER = "officer"
COMMISSION = "commission_member"
CASE_WORKER = "case_worker"
FINANCE_MAKER = "finance_maker"
FINANCE_CHECKER = "finance_checker"
AUDITOR = "auditor"
NORM_APPROVER = "norm_approver"
PARAMETER_ADMIN = "parameter_admin"
ADMINISTRATOR = "administrator"
PROVIDER = "provider_user"
RECIPIENT = "recipient"

ROLE_TITLES = {
    OFFICER: _("Procurement officer"),
    COMMISSION: _("Commission member"),
    CASE_WORKER: _("Case worker"),
    FINANCE_MAKER: _("Finance: prepares"),
    FINANCE_CHECKER: _("Finance: approves"),
    AUDITOR: _("Auditor"),
    NORM_APPROVER: _("Approver of norm costs"),
    PARAMETER_ADMIN: _("Administrator of parameters"),
    ADMINISTRATOR: _("Administrator"),
    PROVIDER: _("Provider"),
    RECIPIENT: _("Recipient"),
}

_OFFICE = frozenset({OFFICER, CASE_WORKER, FINANCE_MAKER, FINANCE_CHECKER, AUDITOR, NORM_APPROVER, PARAMETER_ADMIN})
_FINANCE = frozenset({FINANCE_MAKER, FINANCE_CHECKER})

# What an administrator may give to the people of an office; providers and recipients hold theirs without one.
OFFICE_ROLES = _OFFICE | {COMMISSION, ADMINISTRATOR}

# Two roles that nobody holds together: who prepares money does not approve it, who checks afterwards does not act,
# and who opens accesses does not touch money (a second person could be invented for the second signature).
_CONFLICTS = (
    (FINANCE_MAKER, FINANCE_CHECKER),
    *((role, AUDITOR) for role in (OFFICER, CASE_WORKER, FINANCE_MAKER, FINANCE_CHECKER, NORM_APPROVER)),
    *((role, AUDITOR) for role in (PARAMETER_ADMIN, COMMISSION, ADMINISTRATOR)),
    *((role, ADMINISTRATOR) for role in (FINANCE_MAKER, FINANCE_CHECKER)),
)

# permission -> roles that hold it
PERMISSIONS: dict[str, frozenset[str]] = {
    # contracts
    "parameters.view": _OFFICE | {ADMINISTRATOR, COMMISSION},
    "parameters.edit": frozenset({PARAMETER_ADMIN}),
    "parameters.approve": frozenset({PARAMETER_ADMIN, NORM_APPROVER}),
    "catalogue.view": _OFFICE | {ADMINISTRATOR, COMMISSION, PROVIDER},
    "catalogue.edit": frozenset({OFFICER}),
    "norms.view": _OFFICE | {COMMISSION, PROVIDER},
    "norms.view_drafts": _OFFICE,
    "norms.draft": frozenset({OFFICER}),
    "norms.approve": frozenset({NORM_APPROVER}),
    # The second person where a norm cost, a price or a parameter is put right for days already served.
    "past_days.approve": frozenset({NORM_APPROVER}),
    "register.view": _OFFICE | {COMMISSION, ADMINISTRATOR},
    "register.edit": frozenset({OFFICER}),
    # Whoever opens accesses also says for whom: an officer who did would read sealed bids in a bidder's name.
    "representatives.appoint": frozenset({ADMINISTRATOR}),
    "workers.own": frozenset({PROVIDER}),
    "contracts.view": _OFFICE | {PROVIDER},
    "contracts.edit": frozenset({OFFICER}),
    "milestones.report": frozenset({PROVIDER}),
    "clearing_agreements.view": _FINANCE | {ADMINISTRATOR, AUDITOR, OFFICER, CASE_WORKER},
    "clearing_agreements.sign": frozenset({ADMINISTRATOR}),
    "budget.view": _FINANCE | {OFFICER, AUDITOR},
    "budget.edit": frozenset({FINANCE_MAKER}),
    # procurement
    "plans.view": frozenset({OFFICER, AUDITOR, FINANCE_MAKER, FINANCE_CHECKER, NORM_APPROVER}),
    "plans.edit": frozenset({OFFICER}),
    "tenders.view": frozenset({OFFICER, COMMISSION, AUDITOR, PROVIDER, FINANCE_MAKER, FINANCE_CHECKER, NORM_APPROVER}),
    "tenders.edit": frozenset({OFFICER}),
    "tenders.approve": frozenset({NORM_APPROVER}),
    "bids.submit": frozenset({PROVIDER}),
    "bids.open": frozenset({OFFICER}),
    "bids.view": frozenset({OFFICER, COMMISSION, AUDITOR}),
    "bids.score": frozenset({COMMISSION}),
    "awards.decide": frozenset({OFFICER}),
    # vouchers
    "recipients.view": frozenset({CASE_WORKER, AUDITOR}),
    "recipients.edit": frozenset({CASE_WORKER}),
    "recipients.special": frozenset({CASE_WORKER}),
    "fees.explain": frozenset({AUDITOR}),
    "fees.view": frozenset({CASE_WORKER, AUDITOR, FINANCE_MAKER, FINANCE_CHECKER}),
    "fees.decide": frozenset({CASE_WORKER}),
    # The second person where a fee is decided anew for past months.
    "fees.approve": frozenset({CASE_WORKER, FINANCE_CHECKER}),
    "plans_individual.edit": frozenset({CASE_WORKER}),
    "certificates.view": frozenset({CASE_WORKER, AUDITOR, FINANCE_MAKER, FINANCE_CHECKER, RECIPIENT}),
    "certificates.issue": frozenset({CASE_WORKER}),
    "certificates.redeem": frozenset({PROVIDER}),
    "redemptions.view": frozenset({CASE_WORKER, AUDITOR, FINANCE_MAKER, FINANCE_CHECKER, PROVIDER}),
    "redemptions.reverse": frozenset({CASE_WORKER}),
    # settlement
    "claims.view": frozenset({FINANCE_MAKER, FINANCE_CHECKER, AUDITOR, PROVIDER}),
    "claims.submit": frozenset({PROVIDER}),
    "claims.adjudicate": frozenset({FINANCE_MAKER}),
    "appeals.answer": _FINANCE,
    "clawbacks.view": _FINANCE | {AUDITOR, PROVIDER},
    "clawbacks.open": frozenset({FINANCE_MAKER}),
    "clawbacks.reply": frozenset({PROVIDER}),
    "clawbacks.decide": frozenset({FINANCE_CHECKER}),
    "settlement_forms.draw": _FINANCE,
    "claims.clear": frozenset({FINANCE_MAKER, FINANCE_CHECKER}),
    "claims.restore_term": _FINANCE,
    "runs.view": _FINANCE | {AUDITOR},
    "verifications.view": _FINANCE | {CASE_WORKER, AUDITOR},
    "verifications.record": frozenset({CASE_WORKER}),
    "advances.view": _FINANCE | {AUDITOR, PROVIDER},
    "advances.propose": frozenset({FINANCE_MAKER}),
    "advances.approve": frozenset({FINANCE_CHECKER}),
    "payment_runs.view": _FINANCE | {AUDITOR},
    "payment_runs.propose": frozenset({FINANCE_MAKER}),
    "payment_runs.approve": frozenset({FINANCE_CHECKER}),
    "payment_runs.release": frozenset({FINANCE_CHECKER}),
    "payment_holds.edit": _FINANCE,
    "clearing.view": _FINANCE | {AUDITOR},
    "clearing.draw": frozenset({FINANCE_MAKER}),
    "clearing.agree": frozenset({FINANCE_CHECKER}),
    "clearing.answer": _FINANCE,
    "statements.view": _FINANCE | {AUDITOR},
    "statements.import": _FINANCE,
    "statements.match": _FINANCE,
    "fee_notices.view": _FINANCE | {CASE_WORKER, AUDITOR},
    "fee_notices.issue": frozenset({FINANCE_MAKER}),
    "fee_notices.pay": frozenset({CASE_WORKER, RECIPIENT}),
    "fee_refunds.request": frozenset({FINANCE_MAKER}),
    "fee_refunds.approve": frozenset({FINANCE_CHECKER}),
    "months.close": frozenset({FINANCE_CHECKER}),
    "corrections.view": _FINANCE | {AUDITOR, CASE_WORKER, PROVIDER},
    "corrections.propose": frozenset({FINANCE_MAKER}),
    "corrections.approve": frozenset({FINANCE_CHECKER}),
    "corrections.answer": _FINANCE | {CASE_WORKER},
    "corrections.own": frozenset({RECIPIENT}),
    "years.prepare": frozenset({FINANCE_MAKER}),
    "years.close": frozenset({FINANCE_CHECKER}),
    "ledger.view": _FINANCE | {AUDITOR},
    "reports.view": _FINANCE | {OFFICER, AUDITOR},
    # across
    # A key for a program of one's own; it opens no more than these roles may do.
    "tokens.own": _FINANCE | {AUDITOR, OFFICER, PROVIDER},
    "money.follow": _FINANCE | {AUDITOR, OFFICER},
    "trail.view": frozenset({AUDITOR}),
    "packages.export": frozenset({AUDITOR, ADMINISTRATOR}),
    "users.manage": frozenset({ADMINISTRATOR}),
}

# Held by roles and opening no page by themselves: a command does the work, or a page shows more to their holders.
RESERVED = frozenset({"packages.export", "norms.view_drafts"})


def permissions_of(roles: frozenset[str] | set[str]) -> frozenset[str]:
    """Permissions that any of the roles holds."""
    return frozenset(name for name, holders in PERMISSIONS.items() if holders & roles)


def conflict_among(roles: frozenset[str] | set[str]) -> tuple[str, str] | None:
    """The first two of the roles that one person may not hold together."""
    return next((pair for pair in _CONFLICTS if roles.issuperset(pair)), None)
