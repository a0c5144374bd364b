"""The lab: a strict fake Microsoft, carriers, a certificate authority and traffic, all on loopback."""
