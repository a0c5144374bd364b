"""The metadata inside a PDF/A-3 that says what it is, with the extension by which Factur-X names its attachment."""

from datetime import datetime
from xml.sax.saxutils import escape

FX = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"
PROPERTIES = {
    "DocumentFileName": "name of the embedded XML invoice file",
    "DocumentType": "INVOICE",
    "Version": "version of the Factur-X standard",
    "ConformanceLevel": "conformance level of the embedded XML",
}
_ABOUT = """<rdf:Description rdf:about=""
    xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:pdf="http://ns.adobe.com/pdf/1.3/" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/">
  <pdfaid:part>3</pdfaid:part>
  <pdfaid:conformance>B</pdfaid:conformance>
  <xmp:CreatorTool>Strowger</xmp:CreatorTool>
  <xmp:CreateDate>{made}</xmp:CreateDate>
  <xmp:ModifyDate>{made}</xmp:ModifyDate>
  <xmp:MetadataDate>{made}</xmp:MetadataDate>
  <dc:format>application/pdf</dc:format>
  <dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>
  <dc:creator><rdf:Seq><rdf:li>{author}</rdf:li></rdf:Seq></dc:creator>
</rdf:Description>"""
_FACTURX = f"""<rdf:Description rdf:about="" xmlns:fx="{FX}">
  <fx:DocumentType>INVOICE</fx:DocumentType>
  <fx:DocumentFileName>factur-x.xml</fx:DocumentFileName>
  <fx:Version>1.0</fx:Version>
  <fx:ConformanceLevel>EN 16931</fx:ConformanceLevel>
</rdf:Description>"""
_SCHEMA = """<rdf:Description rdf:about=""
    xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/" xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#"
    xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">
  <pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource">
    <pdfaSchema:schema>Factur-X PDFA Extension Schema</pdfaSchema:schema>
    <pdfaSchema:namespaceURI>{namespace}</pdfaSchema:namespaceURI>
    <pdfaSchema:prefix>fx</pdfaSchema:prefix>
    <pdfaSchema:property><rdf:Seq>{properties}</rdf:Seq></pdfaSchema:property>
  </rdf:li></rdf:Bag></pdfaExtension:schemas>
</rdf:Description>"""
_PROPERTY = """<rdf:li rdf:parseType="Resource">
      <pdfaProperty:name>{name}</pdfaProperty:name>
      <pdfaProperty:valueType>Text</pdfaProperty:valueType>
      <pdfaProperty:category>external</pdfaProperty:category>
      <pdfaProperty:description>{words}</pdfaProperty:description>
    </rdf:li>"""


def packet(title: str, author: str, made: datetime, *, is_facturx: bool) -> str:
    """Return the metadata as `x:xmpmeta`."""
    told = _ABOUT.format(title=escape(title), author=escape(author), made=made.isoformat(timespec="seconds"))
    parts = [told]
    if is_facturx:
        properties = "".join(_PROPERTY.format(name=name, words=words) for name, words in PROPERTIES.items())
        parts += [_FACTURX, _SCHEMA.format(namespace=FX, properties=properties)]
    body = "\n".join(parts)
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">\n'
        f'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n{body}\n</rdf:RDF>\n</x:xmpmeta>'
    )
