"""What should happen: pure decisions. No Django, no network, no clock; `now` and limits are arguments."""
