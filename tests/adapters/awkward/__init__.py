"""A CRM that is as awkward as the real ones: nobody here chose its models to suit the sync."""
