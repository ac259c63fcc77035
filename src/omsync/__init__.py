"""omsync."""
