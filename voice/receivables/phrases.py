"""The phrases of printed documents in each language of customers: a table, of which a test finds every gap."""

from voice.languages import Table, phrase

PHRASES: Table = {
    # Heads and facts
    "invoice": {"en": "Invoice", "de": "Rechnung", "fr": "Facture"},
    "credit_note": {"en": "Credit note", "de": "Rechnungskorrektur", "fr": "Avoir"},
    "draft": {"en": "Draft", "de": "Entwurf", "fr": "Brouillon"},
    "number": {"en": "Number", "de": "Nummer", "fr": "Numéro"},
    "date": {"en": "Date", "de": "Datum", "fr": "Date"},
    "period": {"en": "Period", "de": "Leistungszeitraum", "fr": "Période"},
    "pay_until": {"en": "Pay until", "de": "Zahlbar bis", "fr": "À payer avant le"},
    "corrects": {"en": "Corrects invoice", "de": "Zu Rechnung", "fr": "Corrige la facture"},
    "your_reference": {"en": "Your reference", "de": "Ihr Zeichen", "fr": "Votre référence"},
    "customer_vat_id": {"en": "VAT id %(id)s", "de": "USt-IdNr. %(id)s", "fr": "N° TVA %(id)s"},
    "vat_id": {"en": "VAT id", "de": "USt-IdNr.", "fr": "N° TVA"},
    "tax_number": {"en": "Tax number", "de": "Steuernummer", "fr": "N° fiscal"},
    "page": {
        "en": "%(number)s, page %(page)s of %(pages)s",
        "de": "%(number)s, Seite %(page)s von %(pages)s",
        "fr": "%(number)s, page %(page)s sur %(pages)s",
    },
    "priced_again": {"en": "Calls priced again", "de": "Gespräche neu bewertet", "fr": "Appels retarifés"},
    # Lines
    "what": {"en": "What", "de": "Bezeichnung", "fr": "Désignation"},
    "quantity": {"en": "Quantity", "de": "Menge", "fr": "Quantité"},
    "each": {"en": "Each", "de": "Einzelpreis", "fr": "Prix unitaire"},
    "vat": {"en": "VAT", "de": "USt.", "fr": "TVA"},
    "tax": {"en": "Tax", "de": "Steuern", "fr": "Taxes"},
    "amount": {"en": "Amount", "de": "Betrag", "fr": "Montant"},
    "calls_one": {"en": "1 call, %(time)s", "de": "1 Gespräch, %(time)s", "fr": "1 appel, %(time)s"},
    "calls": {"en": "%(n)s calls, %(time)s", "de": "%(n)s Gespräche, %(time)s", "fr": "%(n)s appels, %(time)s"},
    "hours": {"en": "%(h)s h %(m)s min", "de": "%(h)s Std. %(m)s Min.", "fr": "%(h)s h %(m)s min"},
    "minutes": {"en": "%(m)s min %(s)s s", "de": "%(m)s Min. %(s)s Sek.", "fr": "%(m)s min %(s)s s"},
    "seconds": {"en": "%(s)s s", "de": "%(s)s Sek.", "fr": "%(s)s s"},
    "carried": {"en": "Carried forward", "de": "Übertrag", "fr": "À reporter"},
    "brought": {"en": "Brought forward", "de": "Übertrag von Seite %(page)s", "fr": "Report de la page %(page)s"},
    # Totals
    "net": {"en": "Net", "de": "Nettobetrag", "fr": "Total HT"},
    "vat_on": {
        "en": "VAT %(rate)s on %(net)s",
        "de": "USt. %(rate)s auf %(net)s",
        "fr": "TVA %(rate)s sur %(net)s",
    },
    "no_vat_on": {
        "en": "No VAT on %(net)s",
        "de": "Ohne USt. auf %(net)s",
        "fr": "Sans TVA sur %(net)s",
    },
    "levy_rate": {
        "en": "%(name)s, %(rate)s on %(net)s",
        "de": "%(name)s, %(rate)s auf %(net)s",
        "fr": "%(name)s, %(rate)s sur %(net)s",
    },
    "levy_share": {
        "en": "%(name)s, %(rate)s on %(share)s of %(net)s",
        "de": "%(name)s, %(rate)s auf %(share)s von %(net)s",
        "fr": "%(name)s, %(rate)s sur %(share)s de %(net)s",
    },
    "levy_fixed": {
        "en": "%(name)s, %(n)s × %(each)s",
        "de": "%(name)s, %(n)s × %(each)s",
        "fr": "%(name)s, %(n)s × %(each)s",
    },
    "total": {"en": "Total", "de": "Gesamtbetrag", "fr": "Total TTC"},
    "credited": {"en": "Credited", "de": "Gutgeschrieben", "fr": "Montant de l’avoir"},
    # How to pay
    "how_to_pay": {"en": "How to pay", "de": "So zahlen Sie", "fr": "Pour régler"},
    "payee": {"en": "Payee", "de": "Empfänger", "fr": "Bénéficiaire"},
    "bank": {"en": "Bank", "de": "Bank", "fr": "Banque"},
    "iban": {"en": "IBAN", "de": "IBAN", "fr": "IBAN"},
    "bic": {"en": "BIC", "de": "BIC", "fr": "BIC"},
    "reference": {"en": "Reference", "de": "Verwendungszweck", "fr": "Référence"},
    "please_pay": {
        "en": "Please transfer %(total)s by %(day)s.",
        "de": "Bitte überweisen Sie %(total)s bis zum %(day)s.",
        "fr": "Merci de virer %(total)s avant le %(day)s.",
    },
    "scan": {
        "en": "Scan with your banking app",
        "de": "Mit der Banking-App scannen",
        "fr": "À scanner avec l’application bancaire",
    },
    "nothing_to_pay": {
        "en": "Nothing is to be paid.",
        "de": "Es ist nichts zu zahlen.",
        "fr": "Aucun règlement n’est dû.",
    },
    # Why no tax is asked
    "reverse_charge": {
        "en": "Reverse charge: the recipient owes the VAT, articles 44 and 196 of Directive 2006/112/EC.",
        "de": "Steuerschuldnerschaft des Leistungsempfängers (Reverse Charge), Art. 44 und 196 der Richtlinie "
        "2006/112/EG.",
        "fr": "Autoliquidation : la TVA est due par le preneur, articles 44 et 196 de la directive 2006/112/CE.",
    },
    "reverse_charge_at_home": {
        "en": "Reverse charge: the recipient resells telecommunications and owes the VAT (%(ground)s).",
        "de": "Steuerschuldnerschaft des Leistungsempfängers: Wiederverkäufer von Telekommunikation (%(ground)s).",
        "fr": "Autoliquidation : le preneur revend des services de télécommunication et doit la TVA (%(ground)s).",
    },
    "intra": {
        "en": "Exempt intra-Community supply of goods, article 138 of Directive 2006/112/EC.",
        "de": "Steuerfreie innergemeinschaftliche Lieferung, Art. 138 der Richtlinie 2006/112/EG.",
        "fr": "Livraison intracommunautaire exonérée, article 138 de la directive 2006/112/CE.",
    },
    "export": {
        "en": "Exempt export of goods.",
        "de": "Steuerfreie Ausfuhrlieferung.",
        "fr": "Exportation de biens exonérée.",
    },
    "outside": {
        "en": "Not subject to VAT: the place of supply is %(country)s, where the recipient is established.",
        "de": "Nicht steuerbar: Ort der Leistung ist %(country)s, der Sitz des Leistungsempfängers.",
        "fr": "Hors champ de la TVA : le lieu de prestation est %(country)s, où le preneur est établi.",
    },
    "outside_acquisition": {
        "en": "Not subject to VAT here: the place of supply is %(country)s, where the recipient accounts for the tax.",
        "de": "Hier nicht steuerbar: Ort der Leistung ist %(country)s, wo der Empfänger die Steuer schuldet.",
        "fr": "Hors champ de la TVA ici : le lieu de prestation est %(country)s, où le preneur acquitte la taxe.",
    },
    # The mail that takes the bill along
    "mail_subject": {
        "en": "%(kind)s %(number)s from %(seller)s",
        "de": "%(kind)s %(number)s von %(seller)s",
        "fr": "%(kind)s %(number)s de %(seller)s",
    },
    "mail_greeting": {"en": "Hello,", "de": "Guten Tag,", "fr": "Bonjour,"},
    "mail_attached": {
        "en": "Attached is %(kind)s %(number)s of %(day)s over %(total)s.",
        "de": "anbei erhalten Sie %(kind)s %(number)s vom %(day)s über %(total)s.",
        "fr": "Vous trouverez ci-joint : %(kind)s %(number)s du %(day)s, pour %(total)s.",
    },
    "mail_see": {
        "en": "Each line with its calls is in your portal: %(url)s",
        "de": "Jede Zeile mit ihren Gesprächen steht in Ihrem Portal: %(url)s",
        "fr": "Chaque ligne et ses appels sont dans votre espace : %(url)s",
    },
}


def say(language: str, key: str, **values: object) -> str:
    """Return a phrase in a language, in English where the language is none of ours."""
    return phrase(PHRASES, language, key, **values)
