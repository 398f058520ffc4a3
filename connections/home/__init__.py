"""What connections show on pages that belong to everybody: home tiles, notices, palette and the status page's lane."""
