"""Small statements of a day, with movements that say nothing but their sums."""

from __future__ import annotations

SECOND = "UA523052992000000001234567890"


def told(day: str, opening: str, *amounts: str, sequence: int = 1, iban: str = SECOND) -> bytes:
    """A camt.053 of one day with movements that nobody expects."""
    closing = sum(map(float, amounts), float(opening))
    return f"""<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><Stmt>
    <Id>S-{day}-{sequence}</Id><ElctrncSeqNb>{sequence}</ElctrncSeqNb><CreDtTm>{day}T20:00:00+02:00</CreDtTm>
    <Acct><Id><IBAN>{iban}</IBAN></Id><Ccy>UAH</Ccy></Acct>
    {_balance("OPBD", float(opening), day)}{_balance("CLBD", closing, day)}
    {"".join(_movement(float(amount), number, day) for number, amount in enumerate(amounts, 1))}
    </Stmt></BkToCstmrStmt></Document>""".encode()


def _sum(amount: float) -> str:
    side = "CRDT" if amount >= 0 else "DBIT"
    return f'<Amt Ccy="UAH">{abs(amount):.2f}</Amt><CdtDbtInd>{side}</CdtDbtInd>'


def _balance(code: str, amount: float, day: str) -> str:
    return f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>{_sum(amount)}<Dt><Dt>{day}</Dt></Dt></Bal>"


def _movement(amount: float, number: int, day: str) -> str:
    return (
        f"<Ntry>{_sum(amount)}<Sts>BOOK</Sts><BookgDt><Dt>{day}</Dt></BookgDt>"
        f"<AcctSvcrRef>REF{number}</AcctSvcrRef></Ntry>"
    )
