"""The drift radar: reads back everything of a study that eCOA confirmed once, round after round, within a call budget.

`cycling` takes a round a step further, `asking` talks (no database), `judging` compares (pure), `settling` writes,
`budget` counts the calls. Nothing is read while a run of the study is open, and nobody's failure is called a drift.
"""
