"""What computes the answers: one interface, two engines."""
