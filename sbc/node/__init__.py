"""The process beside Kamailio: keeps its tables as the portal wants, and its calls until the portal has them."""
