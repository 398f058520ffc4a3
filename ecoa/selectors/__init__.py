"""Questions of the pages. Everything people see starts from `visible_to(member)`; lists page by key, never by count."""
