"""The register of checks that a package decides by itself, in the order in which they take (interchange)."""

from __future__ import annotations

from settlement.rules.checks import (
    clm_01_arithmetic,
    clm_03_provider_active,
    clm_04_contract_in_force,
    clm_05_service_in_contract,
    clm_06_service_known,
    clm_07_recipient_known,
    clm_08_fee_assessed,
    clm_09_service_planned,
    clm_10_certificate_active,
    clm_11_redemption_agrees,
    clm_12_certificate_balance,
    clm_13_plan_volume,
    clm_14_service_maximum,
    clm_15_granularity,
    clm_16_contract_rate,
    clm_17_norm_cost,
    clm_18_year_ceiling,
    clm_19_contract_ceiling,
    clm_20_duplicate,
    clm_21_recipient_overlap,
    clm_22_worker_overlap,
    clm_24_worker_day,
    clm_25_worker_qualified,
    clm_26_recipient_alive,
    clm_27_inpatient,
    clm_28_recipient_away,
    clm_31_claim_period,
    clm_32_late_claim,
)
from settlement.rules.checks.kit import CeilingCheck, Check, OverlapCheck, PendCheck, RateCheck, RejectCheck

RATES: tuple[RateCheck, ...] = (clm_16_contract_rate, clm_17_norm_cost)
# Judged on the line alone, then by comparison with earlier lines that none of the former rejects.
ALONE: tuple[RejectCheck, ...] = (
    clm_01_arithmetic,
    clm_03_provider_active,
    clm_04_contract_in_force,
    clm_05_service_in_contract,
    clm_06_service_known,
    clm_07_recipient_known,
    clm_08_fee_assessed,
    clm_09_service_planned,
    clm_10_certificate_active,
    clm_17_norm_cost,
    clm_25_worker_qualified,
    clm_26_recipient_alive,
    clm_27_inpatient,
    clm_28_recipient_away,
    clm_31_claim_period,
    clm_32_late_claim,
)
OVERLAPS: tuple[OverlapCheck, ...] = (clm_21_recipient_overlap, clm_22_worker_overlap)
REJECTIONS: tuple[RejectCheck, ...] = tuple(sorted((*ALONE, clm_20_duplicate, *OVERLAPS), key=lambda check: check.CODE))
PENDS: tuple[PendCheck, ...] = (clm_11_redemption_agrees, clm_24_worker_day, clm_26_recipient_alive)
UNIT_CEILINGS: tuple[CeilingCheck, ...] = (clm_14_service_maximum, clm_13_plan_volume, clm_12_certificate_balance)
GRANULARITY: Check = clm_15_granularity
MONEY_CEILINGS: tuple[CeilingCheck, ...] = (clm_18_year_ceiling, clm_19_contract_ceiling)

ALL: dict[str, Check] = {
    check.CODE: check
    for check in sorted(
        (*RATES, *REJECTIONS, *PENDS, *UNIT_CEILINGS, GRANULARITY, *MONEY_CEILINGS), key=lambda check: check.CODE
    )
}


def number_of(check: Check) -> int:
    """24 for CLM-24."""
    return int(check.CODE.removeprefix("CLM-"))
