"""Forms check shape; rules that need rows live in services and come back as form errors."""
