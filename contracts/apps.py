from django.apps import AppConfig


class ContractsConfig(AppConfig):
    name = "contracts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Say whom providers serve."""
        from config.accounts.access import serves
        from contracts.queries import served_by_provider

        serves(served_by_provider)
