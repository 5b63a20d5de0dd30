from django.apps import AppConfig


class ContractsConfig(AppConfig):
    name = "contracts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Say whom providers serve, and who acts for one."""
        from config.accounts.access import serves, stands
        from config.roles import PROVIDER
        from contracts.queries import provider_of, served_by_provider

        serves(served_by_provider)
        stands(PROVIDER, lambda user: provider_of(user) is not None)
