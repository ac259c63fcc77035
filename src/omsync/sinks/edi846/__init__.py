"""X12 846 inventory advice as a cart: documents for a trading partner, and its acknowledgements read back.

Carrying the files (AS2, SFTP, a value-added network) is yours: take from the outbox, put into the inbox.
"""

from omsync.sinks.edi846.acknowledgement import Interchange, Verdict, read_interchanges
from omsync.sinks.edi846.answers import Answer
from omsync.sinks.edi846.codes import codes_of
from omsync.sinks.edi846.profile import LISTING_SKU, Facility, PartnerProfile, Party
from omsync.sinks.edi846.records import SentDocument, SentSet
from omsync.sinks.edi846.sink import Edi846

__all__ = [
    "LISTING_SKU",
    "Answer",
    "Edi846",
    "Facility",
    "Interchange",
    "PartnerProfile",
    "Party",
    "SentDocument",
    "SentSet",
    "Verdict",
    "codes_of",
    "read_interchanges",
]
