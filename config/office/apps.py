from django.apps import AppConfig
from django.db.models.signals import post_migrate


class OfficeConfig(AppConfig):
    name = "config.office"
    label = "office"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from config.office.seals import apply_seals

        post_migrate.connect(apply_seals, sender=self, dispatch_uid="row_seals")
