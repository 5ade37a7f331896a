"""Running the demo: the CRM, its worker and the local Microsoft 365 as child processes under one supervisor."""
