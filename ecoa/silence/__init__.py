"""The silence alarm: when something is expected of a site, and what happens when nothing comes."""
