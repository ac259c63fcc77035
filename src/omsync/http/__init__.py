"""The one seam to the HTTP library: messages, conversations, pacing, retrying, two drivers."""
