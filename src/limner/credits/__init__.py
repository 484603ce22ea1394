"""Money: the ledger, spend caps, what can be bought, and the audit that proves them."""
