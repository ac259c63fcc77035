"""Carts to test against: small hand-written platforms that enforce what the real ones enforce.

Each module has one platform. It answers in the process (``handle``, to give to a sink as ``handler``) or
over HTTP on loopback (``serve``), can be broken (``trouble``), and logs what it was asked (``requests``).
"""
