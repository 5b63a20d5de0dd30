"""Tables that an import reads and their columns, as interchange.md lists them."""

from __future__ import annotations

_TABLES = """
parameters: jurisdiction key valid_from value valid_to act article evidence
calendar_days: jurisdiction date kind
territories: code name parent_code kind
services: code name_uk name_ru name_en level form unit granularity units_per_day_max units_per_month_max
    amount_per_year_max group_size_max basic free_for_all one_off cpv
norm_costs: service_code territory_code recipient_class valid_from unit_rate valid_to act
budget_lines: code year programme economic_code source amount currency
providers: code name sector iban vat_payer active_from active_to
provider_suspensions: provider_code from_date to_date reason
workers: code provider_code name
worker_qualifications: worker_code service_code valid_from valid_to
contracts: number provider_code budget_line_code basis valid_from valid_to ceiling currency status
contract_lines: contract_number service_code valid_from valid_to unit_rate units_ceiling
recipients: code name birth_date death_date territory_code recipient_class
absences: recipient_code kind from_date to_date
fee_assessments: recipient_code valid_from mode monthly_limit valid_to decision
plan_lines: recipient_code service_code valid_from units_per_month valid_to
certificates: number recipient_code valid_from valid_to status status_from
certificate_suspensions: certificate_number from_date to_date reason
certificate_lines: certificate_number service_code units
redemptions: code channel certificate_number provider_code worker_code service_code starts_at ends_at
    units status
claims: number provider_code contract_number period submitted_at status run reverses
claim_lines: claim_number line redemption_code certificate_number service_code service_date starts_at ends_at
    worker_code units unit_rate amount
clearances: run claim_number line check decided_by reason
findings: run claim_number line check severity units amount detail
"""

COLUMNS: dict[str, list[str]] = {
    table.split(":")[0]: table.split(":")[1].split() for table in _TABLES.strip().replace("\n    ", " ").splitlines()
}
