"""The app's REST interface: the same doors as the pages, for programs in the same browser session."""
