"""Faults on a real deployment: a client that writes down what was acknowledged, a proxy that spoils the network, kills, and the invariants.

`python -m tests.faults` runs the rows (`make drill`), `python -m tests.faults.fault_injection` proves that they can go red (`make sabotage`).
All traffic stays on 127.0.0.1 and on Unix sockets; every loop ends by count or time.
"""

SETTING = "DRILL_INJECTED_FAULT"
"""The environment's name of the guarantee that a drill's site runs without (`tests.faults.injection.Guarantee`)."""
