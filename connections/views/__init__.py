"""Pages: parse, ask a service or selector, render."""
