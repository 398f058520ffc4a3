"""Setting up the way to a real eCOA system: the test of the answers, and what each failure means."""
