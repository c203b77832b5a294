"""What our part of a Chaos Toolkit document is called."""

EXTENSION = "ninelives"
ACTIONS = "chaos.toolkit.actions"
PROBES = "chaos.toolkit.probes"
CONTROL = "chaos.toolkit.control"
