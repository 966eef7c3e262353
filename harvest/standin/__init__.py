"""A local stand-in for the services of the world: their protocols over loopback, for the demo and the tests."""
