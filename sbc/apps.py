from django.apps import AppConfig


class SbcConfig(AppConfig):
    name = "sbc"
    label = "sbc"
    verbose_name = "Session border controllers"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Pages of calls lie below trunks and policies: what they show of them comes from here.
        from sbc import selectors  # noqa: PLC0415
        from sbc.selectors.uncounted import uncounted  # noqa: PLC0415
        from sbc.services.addresses import own_addresses  # noqa: PLC0415
        from voice.calls import hooks  # noqa: PLC0415
        from voice.carriers.services import tells_own_addresses  # noqa: PLC0415
        from voice.receivables.hooks import uncounted_of  # noqa: PLC0415

        hooks.trunks_of.append(selectors.trunk_board)
        hooks.route_of.append(selectors.route_facts)
        hooks.states_of.append(selectors.trunk_states)
        uncounted_of.append(uncounted)
        tells_own_addresses(own_addresses)
