"""What no erasure takes, and why: each table is here or among the holdings, so that none is forgotten."""

KEPT: dict[str, tuple[str, ...]] = {
    "The customer's own set-up: it stands in the customer's schema, which is dropped 90 days after closing.": (
        "directory_civicaddress", "directory_site", "directory_person", "directory_place", "numbers_number",
        "numbers_seat", "numbers_approvedcallerid", "emergency_emergencytrunkchoice", "routing_schedule",
        "routing_route", "routing_routetrunk",
    ),
    "Names a customer or its place, so that no label, name or schema is ever given to somebody else.": (
        "tenants_customer", "tenants_customerregion", "tenants_domain", "tenants_ownhost",
    ),
    "As long as the person belongs to the team.": ("tenants_membership",),
    "How a customer stands and what it agreed to, as long as it is one: changed and not added to.": (
        "carriers_emergencycover", "rating_account", "rating_customerdeck", "rating_losspolicy", "rating_priceuse",
        "margin_target",
    ),
    "The MSP's own set-up: who it is, whom it works with, what it offers; the MSP changes or removes it.": (
        "tenants_msp", "tenants_basedomain", "tenants_brand", "carriers_carrier", "carriers_trunk",
        "carriers_emergencytrunk", "carriers_blockedprefix", "inventory_stocknumber", "margin_carrierformat",
        "payments_cardaccount", "payments_dunningsetting", "payments_dunningstep", "receivables_legalentity",
        "receivables_vatregistration", "delivery_feed", "delivery_endpoint", "delivery_store", "advisor_firstvalues",
    ),
    "Prices and plans that were in force: evidence of what was charged, without a word about people.": (
        "rating_ratedeck", "rating_deckversion", "rating_deckrate", "rating_trunkdeck", "rating_deckimport",
        "rating_deckimporterror", "rating_deckline", "plans_plan", "plans_planversion", "plans_component",
        "plans_componenttier", "currencies_exchangerate",
    ),
    "Quotes and advice, until the MSP removes them.": ("plans_quote", "advisor_assessment", "advisor_usergroup"),
    "What laws ask and what numbers were given: facts about no customer.": (
        "receivables_taxrule", "receivables_taxcheck", "receivables_numberseries", "receivables_account",
    ),
    "Goes by itself sooner than any rule: after days, or made anew each night.": (
        "core_idempotencykey", "rerating_line", "margin_expectedmonth", "rating_pricetables", "sbc_drift",
    ),
    "Parts of the installation: regions, nodes, certificates, how the database was made.": (
        "tenants_region", "sbc_node", "sbc_spool", "sbc_certificate", "sbc_nodecertificate", "db_customer_template",
        "db_customer_migration", "django_content_type", "auth_permission", "auth_group", "auth_group_permissions",
    ),
    "The rules themselves, the holds and the proof of what was erased.": (
        "tenants_retentionrule", "tenants_legalhold", "tenants_erasure", "tenants_erasureline",
    ),
}  # fmt: skip
