"""The producer, over a kafka-python that by default gives a record up after half a minute, not after two."""

import sys

from kafka import KafkaProducer

from wiki_producer.__main__ import main

# The least that it takes beside the time-out of a request, which is 30 s.
DELIVERY_TIMEOUT_SECONDS = 31

if __name__ == "__main__":
    KafkaProducer.DEFAULT_CONFIG["delivery_timeout_ms"] = DELIVERY_TIMEOUT_SECONDS * 1000
    sys.exit(main())
