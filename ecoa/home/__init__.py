"""What eCOA shows on pages that belong to everybody: home tiles and entries of the palette."""
