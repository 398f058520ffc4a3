"""Work lists: what waits for a person's verdict, in every vault. Apps say what a task means; see `registry`."""
