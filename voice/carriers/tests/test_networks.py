from types import SimpleNamespace

import pytest

from voice.carriers.networks import address_refusal, as_address, name_refusal, normal_host

LAB = SimpleNamespace(
    name="Lab",
    allowed_networks=["127.0.9.0/24"],
    denied_networks=["127.0.9.66/32"],
    microsoft_networks=["127.0.8.0/24"],
)
OPEN = SimpleNamespace(
    name="Berlin", allowed_networks=[], denied_networks=["203.0.113.0/24"], microsoft_networks=["52.112.0.0/14"]
)
WIDE = SimpleNamespace(name="Wide", allowed_networks=["0.0.0.0/0"], denied_networks=[], microsoft_networks=[])
PRIVATE = SimpleNamespace(name="Office", allowed_networks=["10.20.0.0/16"], denied_networks=[], microsoft_networks=[])


@pytest.mark.parametrize(
    ("region", "address", "words"),
    [
        (LAB, "127.0.9.1", ""),
        (LAB, "127.0.0.1", "of the SBC itself"),
        (LAB, "127.0.9.66", "may not use"),
        (LAB, "127.0.8.1", "Microsoft"),
        (LAB, "8.8.8.8", "outside the networks"),
        (LAB, "::ffff:127.0.0.1", "of the SBC itself"),
        (OPEN, "8.8.8.8", ""),
        (OPEN, "203.0.113.9", "may not use"),
        (OPEN, "52.113.0.1", "Microsoft"),
        (OPEN, "10.0.0.1", "outside the networks"),
        (OPEN, "169.254.169.254", "of the SBC itself"),
        (OPEN, "::1", "of the SBC itself"),
        (OPEN, "fe80::1", "of the SBC itself"),
        (WIDE, "127.0.0.1", "of the SBC itself"),
        (WIDE, "0.0.0.0", "of the SBC itself"),
        (PRIVATE, "10.20.3.4", ""),
        (PRIVATE, "10.21.3.4", "outside the networks"),
    ],
)
def test_a_trunk_keeps_out_of_the_sbc_and_inside_what_the_region_allows(region, address, words):
    refusal = address_refusal(as_address(address), region)

    assert (words in refusal) if words else not refusal


@pytest.mark.parametrize(
    "host",
    ["localhost", "sbc.localhost", "node.internal", "127.1", "2130706433", "0x7f.1", "0177.0.0.1", "a;b=c", "x",
     "-a.example", "sip.example.1", "пример.example", "a" * 64 + ".example", "a b.example"],
)  # fmt: skip
def test_names_that_lead_home_or_nowhere_are_refused(host):
    assert name_refusal(normal_host(host))


def test_a_host_has_one_spelling():
    assert normal_host(" SIP.Carrier.Example. ") == "sip.carrier.example"
    assert normal_host("[2001:DB8::0001]") == "2001:db8::1"
    assert not name_refusal("sip.carrier.example")
