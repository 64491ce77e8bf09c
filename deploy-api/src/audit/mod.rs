//! What happened: entries, their hash chain and signed checkpoints.
