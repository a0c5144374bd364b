from django.apps import AppConfig


class ReceivablesConfig(AppConfig):
    name = "voice.receivables"
    label = "receivables"
    verbose_name = "Receivables"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Supply the pages of calls with the bills and corrections of their charges."""
        # Models are there only now.
        from voice.calls import hooks  # noqa: PLC0415
        from voice.receivables.panel import aftermath  # noqa: PLC0415

        hooks.aftermath_of.append(aftermath)
