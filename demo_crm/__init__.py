"""A small but real CRM that shows the app. It knows nothing of Microsoft but its `ms365.py` and one template tag."""
