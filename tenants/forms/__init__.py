"""What people type into the pages of tenancy; the services check it."""
