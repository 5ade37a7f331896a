"""Signals for integrators, sent after the change is stored with `send_robust`: a failing receiver stops nothing.

    link_connected   sender UserLink, `link`                                    a user connected an account (USER-02)
    link_broken      sender UserLink, `link`, `status`                          a link stopped working (USER-06), once
    access_broken    sender SyncSettings, `organisation`, `problem`             it refuses everybody, once
    record_synced    sender RecordMapping, `link`, `mapping`, `action`          one record went across
    conflict_found   sender Conflict, `link`, `conflict`                        both sides changed one field (ORG-09)
    run_finished     sender SyncRun, `link`, `run`                              a cycle or preview ended
"""

from django.dispatch import Signal

link_connected = Signal()
link_broken = Signal()
access_broken = Signal()
record_synced = Signal()
conflict_found = Signal()
run_finished = Signal()
