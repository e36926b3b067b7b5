"""Generation of human motion: conditions, features, networks, samplers and the endless stream."""
