from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AuditConfig(AppConfig):
    name = "config.audit"
    label = "audit"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from config.database_roles import apply_grants

        post_migrate.connect(apply_grants, dispatch_uid="database_roles")
