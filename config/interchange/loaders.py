# ruff: noqa: S608 - every piece of SQL is a constant; values are parameters
"""How the tables of recipients, certificates and claims become rows, and the order of all tables.

In packages the last day counts; in the database ranges are half-open: every end moves by one day.
"""

from __future__ import annotations

from config.interchange.loaders_decided import DECIDED_FINDING, DECIDED_LINE, DECIDED_RUN
from config.interchange.loaders_decisions import ADVANCE, CLAWBACK, CLEARANCE, FINDING
from config.interchange.loaders_registers import REGISTER_LOADERS
from config.interchange.mapping import (
    CERTIFICATES,
    CLAIMS,
    CONTRACTS,
    OWN,
    PROVIDERS,
    RECIPIENTS,
    REDEMPTIONS,
    SERVICES,
    TERRITORIES,
    WORKERS,
    last_day,
    link,
    refused,
    same,
    to,
    valid_range,
)
from config.interchange.specs import Check, Loader, Reference
from settlement.models import Claim, ClaimLine
from settlement.term_queries import counted_sql
from vouchers.models import (
    Absence,
    Certificate,
    CertificateLine,
    CertificateSuspension,
    FeeAssessment,
    PlanLine,
    Recipient,
    Redemption,
)

# The residence in force last; a package has one territory and class for a recipient.
_RESIDENCE = (
    "(SELECT r.{column} FROM vouchers_recipientresidence r WHERE r.recipient_id = t.id "
    "ORDER BY r.valid_from DESC LIMIT 1)"
)

RECIPIENT = Loader(
    name="recipients",
    model=Recipient,
    fields=(
        *same("code", "birth_date", "death_date"),
        to("territory_code", "", "s.territory_code_id", _RESIDENCE.format(column="territory_id")),
        to("recipient_class", "", known=f"coalesce({_RESIDENCE.format(column='recipient_class')}, '')"),
        to("", "name", "s.name"),
        to("", "name_index", "s.name_index"),
        to("", "death_recorded_at", "CASE WHEN s.death_date IS NOT NULL THEN %(known)s::timestamptz END"),
    ),
    constants={"organisation_id": "%(org)s"},
    references=(Reference("territory_code", "territories", TERRITORIES),),
    match=f"{OWN} AND t.code = s.code",
    checks=(Check("RANGE", "death_date", "s.death_date < s.birth_date"),),
    personal="name",
    after=(
        "INSERT INTO vouchers_recipientresidence "
        "(recipient_id, territory_id, recipient_class, valid_from, valid_to, recorded_at) "
        "SELECT t.id, s.territory_code_id, s.recipient_class, date '1900-01-01', NULL, %(known)s::timestamptz "
        f"FROM stage_recipients s JOIN vouchers_recipient t ON {OWN} AND t.code = s.code "
        "WHERE s.known_id IS NULL ORDER BY s.code",
    ),
)

_OF_RECIPIENT = (Reference("recipient_code", "recipients", RECIPIENTS),)

ABSENCE = Loader(
    name="absences",
    model=Absence,
    fields=(link("recipient_code", "recipient_id"), *same("kind", "from_date"), last_day("to_date")),
    references=_OF_RECIPIENT,
    match="t.recipient_id = s.recipient_code_id AND t.kind = s.kind AND t.from_date = s.from_date",
    checks=(valid_range("from_date", "to_date"),),
)

FEE = Loader(
    name="fee_assessments",
    model=FeeAssessment,
    fields=(
        link("recipient_code", "recipient_id"),
        *same("valid_from", "mode", "monthly_limit", "decision"),
        last_day(),
    ),
    references=_OF_RECIPIENT,
    match="t.recipient_id = s.recipient_code_id AND t.valid_from = s.valid_from",
    checks=(
        Check("NOT_FIRST_OF_MONTH", "valid_from", "extract(day FROM s.valid_from) <> 1"),
        Check("LIMIT_MISSING", "monthly_limit", "s.mode = 'D' AND s.monthly_limit IS NULL"),
        valid_range(),
    ),
    overlap="s.recipient_code",
    overlap_match="t.recipient_id = s.recipient_code_id",
)

PLAN = Loader(
    name="plan_lines",
    model=PlanLine,
    fields=(
        link("recipient_code", "recipient_id"),
        link("service_code", "service_id"),
        *same("valid_from", "units_per_month"),
        last_day(),
        to(
            "",
            "plan_id",
            "(SELECT p.id FROM vouchers_individualplan p WHERE p.recipient_id = s.recipient_code_id "
            "AND p.number = 'I-' || s.recipient_code)",
        ),
    ),
    references=(*_OF_RECIPIENT, Reference("service_code", "services", SERVICES)),
    match="t.recipient_id = s.recipient_code_id AND t.service_id = s.service_code_id AND t.valid_from = s.valid_from",
    checks=(valid_range(),),
    overlap="s.recipient_code, s.service_code",
    overlap_match="t.recipient_id = s.recipient_code_id AND t.service_id = s.service_code_id",
    # An imported register has one plan per recipient.
    before=(
        "INSERT INTO vouchers_individualplan (recipient_id, number, status, status_at, recorded_at) "
        "SELECT DISTINCT s.recipient_code_id, 'I-' || s.recipient_code, 'approved', %(at)s::timestamptz, "
        "%(known)s::timestamptz FROM stage_plan_lines s WHERE s.known_id IS NULL ORDER BY 2 "
        "ON CONFLICT (recipient_id, number) DO NOTHING",
    ),
)

# A suspended, exhausted or expired certificate is an active one whose suspensions, balance and dates say the rest.
_CERTIFICATE_STATUS = "CASE WHEN t.status IN ('cancelled', 'replaced') THEN t.status ELSE 'active' END"

CERTIFICATE = Loader(
    name="certificates",
    model=Certificate,
    fields=(
        *same("number", "valid_from", "status_from"),
        link("recipient_code", "recipient_id"),
        last_day(),
        to("status", "status", known=_CERTIFICATE_STATUS),
    ),
    constants={"organisation_id": "%(org)s"},
    references=_OF_RECIPIENT,
    match=f"{OWN} AND t.number = s.number",
    checks=(valid_range(),),
)

_OF_CERTIFICATE = Reference("certificate_number", "certificates", CERTIFICATES)

CERTIFICATE_SUSPENSION = Loader(
    name="certificate_suspensions",
    model=CertificateSuspension,
    fields=(link("certificate_number", "certificate_id"), *same("from_date", "reason"), last_day("to_date")),
    references=(_OF_CERTIFICATE,),
    match="t.certificate_id = s.certificate_number_id AND t.from_date = s.from_date",
    checks=(valid_range("from_date", "to_date"),),
)

CERTIFICATE_LINE = Loader(
    name="certificate_lines",
    model=CertificateLine,
    fields=(
        link("certificate_number", "certificate_id"),
        link("service_code", "service_id"),
        *same("units"),
    ),
    references=(_OF_CERTIFICATE, Reference("service_code", "services", SERVICES)),
    match="t.certificate_id = s.certificate_number_id AND t.service_id = s.service_code_id",
    after=(
        "INSERT INTO vouchers_certificateentry (certificate_line_id, kind, units_milli, occurred_at, recorded_at) "
        "SELECT t.id, 'issued', (t.units * 1000)::bigint, %(at)s, %(at)s FROM stage_certificate_lines s "
        "JOIN vouchers_certificateline t ON t.certificate_id = s.certificate_number_id "
        "AND t.service_id = s.service_code_id WHERE s.known_id IS NULL ORDER BY t.id",
    ),
)


def _evidence(column: str, parent: str, rows: str) -> Reference:
    return Reference(column, parent, rows, evidence=True)


REDEMPTION = Loader(
    name="redemptions",
    model=Redemption,
    fields=(
        *same(
            "code", "channel", "certificate_number", "provider_code", "worker_code", "service_code", "starts_at",
            "ends_at",
        ),
        to("units", "units_milli", "(s.units * 1000)::bigint"),
        to("", "certificate_id", "s.certificate_number_id"),
        to("", "provider_id", "s.provider_code_id"),
        to("", "worker_id", "s.worker_code_id"),
        to("", "service_id", "s.service_code_id"),
    ),
    constants={"organisation_id": "%(org)s"},
    references=(
        _evidence("certificate_number", "certificates", CERTIFICATES),
        _evidence("provider_code", "providers", PROVIDERS),
        _evidence("worker_code", "workers", WORKERS),
        _evidence("service_code", "services", SERVICES),
    ),
    match=f"{OWN} AND t.code = s.code",
    # Evidence comes as it was written; a word that is none of ours confirms nothing.
    otherwise={"status": "voided"},
    # Online ones were bounded by the balance when they happened; what a balance cannot bear stays evidence only.
    after=(
        "INSERT INTO vouchers_certificateentry "
        "(certificate_line_id, kind, units_milli, redemption_id, occurred_at, recorded_at) "
        "SELECT line, 'captured', -taken, redemption, happened, %(at)s FROM ("
        "SELECT l.id AS line, t.id AS redemption, coalesce(t.starts_at, %(at)s) AS happened, "
        "least(t.units_milli, greatest(0, b.balance - (sum(t.units_milli) OVER w - t.units_milli))) AS taken "
        "FROM stage_redemptions s JOIN vouchers_redemption t ON t.organisation_id = %(org)s AND t.code = s.code "
        "JOIN vouchers_certificateline l ON l.certificate_id = t.certificate_id AND l.service_id = t.service_id "
        "CROSS JOIN LATERAL (SELECT coalesce(sum(e.units_milli), 0) AS balance FROM vouchers_certificateentry e "
        "WHERE e.certificate_line_id = l.id) b "
        "WHERE s.known_id IS NULL AND t.channel = 'online' AND t.status = 'confirmed' AND t.units_milli > 0 "
        "WINDOW w AS (PARTITION BY l.id ORDER BY t.starts_at, t.code ROWS UNBOUNDED PRECEDING)) moved "
        "WHERE taken > 0 ORDER BY redemption",
    ),
)  # fmt: skip

# Later states of a claim are what became of a submitted one; its run is known once it has been judged.
_CLAIM_STATUS = "CASE WHEN t.status IN ('returned', 'withdrawn') THEN t.status ELSE 'submitted' END"

# What a claim may name as reversed: as staged, else as stored.
_REVERSED = (
    "(SELECT p.number, p.provider_code_id AS provider, p.period, p.run, p.status, "
    "p.reverses <> '' AS reversing "
    "FROM stage_claims p UNION ALL "
    "SELECT c.number, c.provider_id, c.period, c.run, c.status, c.reverses_id IS NOT NULL FROM settlement_claim c "
    "WHERE c.organisation_id = %(org)s AND NOT EXISTS (SELECT 1 FROM stage_claims p WHERE p.number = c.number))"
)


def _reversal(code: str, condition: str) -> Check:
    """Refuse a reversing claim by what it reverses (``p``)."""
    return Check(
        code,
        "reverses",
        f"s.reverses <> '' AND EXISTS (SELECT 1 FROM {_REVERSED} p WHERE p.number = s.reverses AND ({condition}))",
    )


_REVERSED_CLAIM_REFUSED = Check(
    "PARENT_REFUSED",
    "reverses",
    f"s.reverses <> '' AND {refused('claims', 's.reverses')}",
)

# Rows that contradict stored ones go first, so that of two staged ones the good one stays.
_REVERSALS = (
    Check("REVERSES_ITSELF", "reverses", "s.reverses = s.number"),
    _reversal("REVERSES_REVERSAL", "p.reversing"),
    _reversal("REVERSES_FOREIGN", "p.provider <> s.provider_code_id"),
    _reversal("REVERSES_LATER", "p.period > s.period OR p.period = s.period AND p.run > s.run"),
    _reversal("REVERSES_UNSUBMITTED", "s.status <> 'withdrawn' AND p.status IN ('draft', 'returned', 'withdrawn')"),
    Check(
        "REVERSED_TWICE",
        "reverses",
        "s.reverses <> '' AND s.status <> 'withdrawn' AND EXISTS (SELECT 1 FROM settlement_claim c "
        "JOIN settlement_claim r ON r.id = c.reverses_id WHERE c.organisation_id = %(org)s AND r.number = s.reverses "
        "AND c.number <> s.number AND c.status <> 'withdrawn')",
    ),
    Check(
        "REVERSED_TWICE",
        "reverses",
        "s.reverses <> '' AND s.status <> 'withdrawn' AND EXISTS (SELECT 1 FROM stage_claims o "
        "WHERE o.reverses = s.reverses AND o.row_no < s.row_no AND o.status <> 'withdrawn')",
    ),
    Check(
        "REVERSES_CLAWBACK",
        "reverses",
        "s.reverses <> '' AND s.status <> 'withdrawn' AND NOT EXISTS (SELECT 1 FROM settlement_claim k "
        "WHERE k.organisation_id = %(org)s AND k.number = s.number) AND EXISTS (SELECT 1 FROM settlement_claim c "
        "JOIN settlement_claimline l ON l.claim_id = c.id JOIN settlement_clawbackline x ON x.claim_line_id = l.id "
        "WHERE c.organisation_id = %(org)s AND c.number = s.reverses "
        "AND coalesce(x.upheld_minor, x.amount_minor) > 0)",
    ),
    _REVERSED_CLAIM_REFUSED,
)

# A run that an earlier package told of as a whole (``t``).
_NOT_PLAYED = (
    "NOT EXISTS (SELECT 1 FROM settlement_adjudicationrun n "
    "WHERE n.organisation_id = t.organisation_id AND n.period = t.period AND n.number = t.run)"
)

CLAIM = Loader(
    name="claims",
    model=Claim,
    fields=(
        *same("number", "contract_number", "period"),
        to("submitted_at", "submitted_at", known=counted_sql("t")),
        link("provider_code", "provider_id"),
        to("", "contract_id", "s.contract_number_id"),
        to("status", "status", known=_CLAIM_STATUS),
        to("run", "run", known="CASE WHEN s.run IS NULL THEN NULL ELSE t.run END"),
        to(
            "reverses",
            "",
            known="coalesce((SELECT r.number FROM settlement_claim r WHERE r.id = t.reverses_id), '')",
        ),
    ),
    constants={"organisation_id": "%(org)s", "imported": "true"},
    references=(
        Reference("provider_code", "providers", PROVIDERS),
        _evidence("contract_number", "contracts", CONTRACTS),
    ),
    match=f"{OWN} AND t.number = s.number",
    checks=(
        _REVERSED_CLAIM_REFUSED,
        Check(
            "REFERENCE",
            "reverses",
            "s.reverses <> '' AND NOT EXISTS (SELECT 1 FROM stage_claims p WHERE p.number = s.reverses) "
            f"AND NOT EXISTS (SELECT 1 FROM {CLAIMS} p WHERE p.code = s.reverses)",
        ),
        *_REVERSALS,
        Check(
            "RUN_TOLD",
            "run",
            f"NOT EXISTS (SELECT 1 FROM {CLAIMS} p WHERE p.code = s.number) AND EXISTS (SELECT 1 "
            f"FROM settlement_decidedrun t WHERE {OWN} AND t.period = s.period AND t.run = s.run AND {_NOT_PLAYED})",
        ),
    ),
    after=(
        f"UPDATE settlement_claim t SET reverses_id = p.id FROM stage_claims s, {CLAIMS} p "
        f"WHERE {OWN} AND t.number = s.number AND s.known_id IS NULL AND p.code = s.reverses",
    ),
)

CLAIM_LINE = Loader(
    name="claim_lines",
    model=ClaimLine,
    fields=(
        link("claim_number", "claim_id"),
        *same(
            "line", "redemption_code", "certificate_number", "service_code", "service_date", "starts_at", "ends_at",
            "worker_code",
        ),
        to("units", "units_milli", "(s.units * 1000)::bigint"),
        to("unit_rate", "unit_rate_e4", "(s.unit_rate * 10000)::bigint"),
        to("amount", "amount_e4", "(s.amount * 10000)::bigint"),
        to("", "redemption_id", "s.redemption_code_id"),
        to("", "certificate_id", "s.certificate_number_id"),
        to("", "service_id", "s.service_code_id"),
        to("", "worker_id", "s.worker_code_id"),
    ),
    references=(
        Reference("claim_number", "claims", CLAIMS),
        _evidence("redemption_code", "redemptions", REDEMPTIONS),
        _evidence("certificate_number", "certificates", CERTIFICATES),
        _evidence("service_code", "services", SERVICES),
        _evidence("worker_code", "workers", WORKERS),
    ),
    match="t.claim_id = s.claim_number_id AND t.line = s.line",
    checks=(
        Check(
            "FROZEN",
            "claim_number",
            "EXISTS (SELECT 1 FROM settlement_claim c WHERE c.id = s.claim_number_id "
            "AND c.status NOT IN ('draft', 'returned', 'submitted', 'withdrawn')) "
            "AND NOT EXISTS (SELECT 1 FROM settlement_claimline l "
            "WHERE l.claim_id = s.claim_number_id AND l.line = s.line)",
        ),
        Check(
            "RUN_TOLD",
            "claim_number",
            "EXISTS (SELECT 1 FROM settlement_claim c JOIN settlement_decidedrun t "
            "ON t.organisation_id = c.organisation_id AND t.period = c.period AND t.run = c.run "
            f"WHERE c.id = s.claim_number_id AND c.status = 'submitted' AND {_NOT_PLAYED}) "
            "AND NOT EXISTS (SELECT 1 FROM settlement_claimline l "
            "WHERE l.claim_id = s.claim_number_id AND l.line = s.line)",
        ),
        Check(
            "REVERSAL_LINE",
            "claim_number",
            "EXISTS (SELECT 1 FROM settlement_claim c WHERE c.id = s.claim_number_id AND c.reverses_id IS NOT NULL)",
        ),
    ),
)  # fmt: skip

# Each table comes after those it refers to; a told run after all that is told of it.
LOADERS: tuple[Loader, ...] = (
    *REGISTER_LOADERS, RECIPIENT, ABSENCE, FEE, PLAN, CERTIFICATE, CERTIFICATE_SUSPENSION, CERTIFICATE_LINE,
    REDEMPTION, CLAIM, CLAIM_LINE, CLEARANCE, FINDING, CLAWBACK, ADVANCE, DECIDED_LINE, DECIDED_FINDING, DECIDED_RUN,
)  # fmt: skip
