from tenants.countries import country_in_words


def test_a_sentence_puts_an_article_where_english_does():
    told = [country_in_words(code) for code in ("DE", "GB", "US", "NL", "IM", "CZ", "XX")]
    assert told == [
        "Germany",
        "the United Kingdom",
        "the United States",
        "the Netherlands",
        "the Isle of Man",
        "Czechia",
        "XX",
    ]
