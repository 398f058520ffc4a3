"""The sync engine: plan, claim, carry, settle, heal.

A run is a frozen plan (`planning`). Lanes drain it (`draining`): lease a batch of rows and note each try
(`batches`), carry the batch over one event loop (`carrying`) as fast as each region takes it (`pacing`) and the caps
all processes share allow (`shares`), write what happened under the lease (`settling`). A tick
derives everything else from the rows (`healing`): lapsed leases, silent services, finished runs.
"""
