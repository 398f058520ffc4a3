"""What two vaults tell each other, and the carriers that bring it there."""
