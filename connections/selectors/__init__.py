"""What pages ask about connections. Everything a person sees starts from `visible_to(member)`."""
