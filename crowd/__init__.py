"""What people say: campaigns, agreement and consensus, and the way back into a museum's own system."""
