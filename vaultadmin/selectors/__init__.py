"""Questions pages ask about people, profiles and tokens; each starts from what the asking member may see."""
