"""Asking models over HTTP: what comes in, who may ask how much, what goes out. Routes are in ``identify.api``."""
