"""Pages of invoices: the MSP's, and the customer's."""
