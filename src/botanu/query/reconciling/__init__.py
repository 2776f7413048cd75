"""What a provider billed against what was booked, and the likely cause of each gap."""
