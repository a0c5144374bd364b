from types import SimpleNamespace

import pytest

from voice.carriers.networks import address_refusal, as_address, for_nodes, name_refusal, networks, normal_host

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
        (OPEN, "::1", "IPv4 only"),
        (OPEN, "2001:4860:4860::8888", "IPv4 only"),
        (OPEN, "::ffff:8.8.8.8", ""),
        (WIDE, "127.0.0.1", "of the SBC itself"),
        (WIDE, "0.0.0.0", "of the SBC itself"),
        (PRIVATE, "10.20.3.4", ""),
        (PRIVATE, "10.21.3.4", "outside the networks"),
    ],
)
def test_a_trunk_keeps_out_of_the_sbc_and_inside_what_the_region_allows(region, address, words):
    refusal = address_refusal(as_address(address), region)

    assert (words in refusal) if words else not refusal


MIXED = SimpleNamespace(
    name="Mixed",
    allowed_networks=["0.0.0.0/0", "127.0.9.0/24"],
    denied_networks=[],
    microsoft_networks=["52.112.0.0/14"],
)
EDGES = """
    0.0.0.0 1.1.1.1 8.8.8.8 9.255.255.255 10.0.0.0 10.20.3.4 10.21.0.0 52.111.255.255 52.112.0.0 52.115.255.255
    100.63.255.255 100.64.0.0 100.127.255.255 100.128.0.0 126.255.255.255 127.0.0.1 127.0.8.1 127.0.8.255 127.0.9.0
    127.0.9.66 127.0.9.255 127.0.10.0 127.255.255.255 169.253.255.255 169.254.169.254 172.15.255.255 172.16.0.0
    172.31.255.255 172.32.0.0 192.0.0.8 192.0.2.1 192.167.255.255 192.168.0.1 192.169.0.0 198.17.255.255 198.18.0.1
    198.20.0.0 198.51.100.7 203.0.113.9 203.0.114.0 223.255.255.255 224.0.0.1 239.255.255.255 255.255.255.255
    :: ::1 fe80::1 ff02::1 fd00::1 2001:db8::1 2001:4860:4860::8888 2002:7f00:1::
"""


@pytest.mark.parametrize("region", [LAB, OPEN, WIDE, PRIVATE, MIXED], ids=lambda region: region.name)
def test_a_node_is_told_networks_by_which_it_refuses_the_same(region):
    allow, deny = map(networks, for_nodes(region.allowed_networks, region.denied_networks, region.microsoft_networks))

    differ = []
    for text in EDGES.split():
        address = as_address(text)
        on_node = any(address in network for network in allow) and not any(address in network for network in deny)
        if on_node is bool(address_refusal(address, region)):
            differ.append(text)

    assert differ == []


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
