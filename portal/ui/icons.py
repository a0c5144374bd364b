"""The icons that the pages use, by their Tabler names; `manage.py assets` packs exactly these into one sprite."""

NAMES = """
adjustments alert-circle alert-triangle ambulance antenna api archive arrow-back-up arrow-down arrow-left
arrow-right arrow-up arrows-exchange arrows-sort ban bell bolt book brand-teams building building-community bulb
calendar certificate chart-bar check checks chevron-down chevron-left chevron-right chevron-up circle
circle-check circle-dashed circle-dot circle-x clipboard clock clock-pause cloud code copy credit-card database
device-desktop device-floppy dots dots-vertical download edit external-link eye eye-off file file-text filter
flag folder git-branch globe grip-vertical hash headset heart help help-circle history home hourglass id info-circle key
keyboard language link list list-check loader lock login logout mail map-pin menu-2 message microphone moon
network packages palette pencil phone phone-call phone-calling phone-check phone-incoming phone-off
phone-outgoing phone-x player-pause player-play player-stop plug plug-connected plug-connected-x plus point
power qrcode receipt-tax refresh rotate route router search select selector send server server-2 server-bolt settings
shield shield-check shield-lock sort-ascending sort-descending stack-2 star sun table tag target tool topology-star-3
transfer trash trending-up upload user user-check user-circle user-off user-plus users users-group versions wallet wand
wifi wifi-off world x zoom-check zoom-question
"""
OUTLINE = frozenset(NAMES.split())
