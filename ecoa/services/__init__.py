"""What people and commands can do in eCOA: mappings, sites, files and runs. Every change is audited here."""
