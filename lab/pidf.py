"""Where an emergency caller is, as Teams says it (PIDF-LO)."""


def location(caller: str, trunk: str) -> bytes:
    """Return a location document with an invented place."""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="pres:{caller}@{trunk}">
 <tuple id="loc1"><status>
  <geopriv xmlns="urn:ietf:params:xml:ns:pidf:geopriv10">
   <location-info><civicAddress xmlns="urn:ietf:params:xml:ns:pidf:geopriv10:civicAddr">
     <country>DE</country><A1>BE</A1><A3>Berlin</A3><RD>Invalidenstra\u00dfe</RD>
     <HNO>1</HNO><LOC>Floor 4</LOC><PC>10115</PC></civicAddress></location-info>
   <method>LIS</method></geopriv></status><timestamp>2026-01-01T00:00:00Z</timestamp></tuple>
</presence>
""".replace("\n", "\r\n").encode()
