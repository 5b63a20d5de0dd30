"""The register of checks. Those that a package decides by itself stand in the order in which they take (interchange);
the others are judged on claims that were handed in here, and their findings take as given ones do.
"""

from __future__ import annotations

from settlement.rules.checks import (
    clm_01_arithmetic,
    clm_02_duplicate_claim,
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
    clm_23_travel_time,
    clm_24_worker_day,
    clm_25_worker_qualified,
    clm_26_recipient_alive,
    clm_27_inpatient,
    clm_28_recipient_away,
    clm_29_double_funding,
    clm_30_state_task,
    clm_31_claim_period,
    clm_32_late_claim,
    clm_33_service_day,
    clm_34_signed_act,
    clm_35_fee_deducted,
    clm_36_fee_reported,
    clm_37_fee_ceiling,
    clm_38_free_of_charge,
    clm_39_vat,
    clm_40_declared_total,
    clm_41_outlier,
    clm_42_round_hours,
    clm_43_scan,
    clm_44_new_account,
    clm_45_conflict_of_interest,
    clm_46_clawback_offset,
    clm_47_emergency_act,
    clm_48_group_size,
    clm_49_complaint,
    clm_50_grant_budget,
)
from settlement.rules.checks.kit import CeilingCheck, Check, OverlapCheck, PendCheck, RateCheck, RejectCheck, Words

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

DECIDED: dict[str, Check] = {
    check.CODE: check
    for check in sorted(
        (*RATES, *REJECTIONS, *PENDS, *UNIT_CEILINGS, GRANULARITY, *MONEY_CEILINGS), key=lambda check: check.CODE
    )
}


FEE = clm_35_fee_deducted
OFFSET = clm_46_clawback_offset
# Found line by line (``settlement.rules.own``): what they take follows from the severity that the profile gives them.
OWN: tuple[RejectCheck, ...] = (
    clm_02_duplicate_claim,
    clm_23_travel_time,
    clm_29_double_funding,
    clm_30_state_task,
    clm_33_service_day,
    clm_34_signed_act,
    clm_37_fee_ceiling,
    clm_38_free_of_charge,
    clm_39_vat,
    clm_40_declared_total,
    clm_41_outlier,
    clm_42_round_hours,
    clm_43_scan,
    clm_44_new_account,
    clm_47_emergency_act,
    clm_48_group_size,
    clm_49_complaint,
    clm_50_grant_budget,
)
# A column of the result, a refusal of a person, a remittance lowered: no finding on a line, or one of its own kind.
BESIDE: tuple[Words, ...] = (
    clm_35_fee_deducted,
    clm_36_fee_reported,
    clm_45_conflict_of_interest,
    clm_46_clawback_offset,
)
ALL: dict[str, Words] = {
    check.CODE: check for check in sorted((*DECIDED.values(), *OWN, *BESIDE), key=lambda check: check.CODE)
}


def number_of(check: Check) -> int:
    """24 for CLM-24."""
    return int(check.CODE.removeprefix("CLM-"))
