"""The simulator against Microsoft's documented behaviour, over real HTTP.

`@pytest.mark.facts("15.11")` names the statement that a test shows. They are numbered as in the collection of facts
about Microsoft Graph that the simulator was written from: 15.1-15.6 protocol, 15.7-15.10 sign-in, 15.11-15.16 contacts,
15.17-15.25 calendars, 15.26-15.29 delta, 15.30-15.35 Planner, 15.36 and 15.37 batches and throttling, 15.39 faults,
15.40 the log and the control API.
"""
