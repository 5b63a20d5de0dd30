"""The whole play, chapter by chapter. Played again after a kill, it goes on where its rows end."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from config.accounts.models import Organisation
from config.demo.chapters.claims import settle_claims
from config.demo.chapters.competition import hold_competition
from config.demo.chapters.contest import hold_contest
from config.demo.chapters.evidence import weigh_evidence
from config.demo.chapters.fees import collect_november, collect_october, pay_by_hand
from config.demo.chapters.following import begin_december
from config.demo.chapters.ground import set_the_ground
from config.demo.chapters.neighbours import dispute_november, meet_neighbours, set_off_october
from config.demo.chapters.newcomer import open_newcomer
from config.demo.chapters.norms import publish_norms
from config.demo.chapters.payment import pay_and_close
from config.demo.chapters.population import settle_people
from config.demo.chapters.visits import visit_people
from config.demo.chapters.year import play_year
from config.demo.stage import Report, Stage
from config.errors import DomainError


class DatabaseInUse(DomainError):
    """A real municipality lives here; the accounts of the demo have a password that everybody knows."""

    code = "DEMO_DATABASE_IN_USE"
    message = _("The database is in use: no demo is loaded into it.")


def play(say: Report) -> Stage:
    """One municipality, from the plan of needs through a year of closed months, and the beginning of the next.

    Raises: DatabaseInUse.
    """
    if Organisation.objects.filter(is_demo=False).exists():
        raise DatabaseInUse
    stage = set_the_ground(say)
    publish_norms(stage)
    hold_competition(stage)
    meet_neighbours(stage)
    play_year(stage)
    set_off_october(stage)
    collect_october(stage)
    hold_contest(stage)
    settle_people(stage)
    visit_people(stage)
    open_newcomer(stage)
    settle_claims(stage)
    pay_by_hand(stage)
    pay_and_close(stage)
    dispute_november(stage)
    collect_november(stage)
    weigh_evidence(stage)
    begin_december(stage)
    say(100, gettext_noop("Done"))
    return stage
