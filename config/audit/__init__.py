"""The audit trail: append-only, hash-chained, one event per action.

``from config.audit.recording import action, record``: an @action opens the one transaction of a change and writes its
one event as the last statement; record() says what that event is. ``from config.audit.actors import Actor, SYSTEM``.
"""
