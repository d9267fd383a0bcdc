"""Plain PyTorch models, one idea per file; no UI, no annotation, no tracing hooks."""
