"""The sample: a painted cabinet of butterflies and a simulated crowd, made here, the same from the same seed."""
