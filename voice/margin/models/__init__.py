"""What the MSP wants to earn, and what its carriers bill."""

from voice.margin.models.carrier_invoices import CarrierCall, CarrierFault, CarrierFormat, CarrierInvoice
from voice.margin.models.expected import ExpectedMonth
from voice.margin.models.target import Target

__all__ = ["CarrierCall", "CarrierFault", "CarrierFormat", "CarrierInvoice", "ExpectedMonth", "Target"]
