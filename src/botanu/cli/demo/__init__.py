"""``botanu demo``: the guide's workflows, live and with a history, on a store of their own."""
