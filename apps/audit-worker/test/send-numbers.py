"""Publishes audit events whose changes hold numbers that a double cannot, and prints each event's id and number."""

import json, os, random, sys, uuid
from datetime import datetime, timezone

import pika


def digits(count):
    return str(random.randint(1, 9)) + "".join(str(random.randint(0, 9)) for _ in range(count - 1))


def number():
    return random.choice(
        [
            lambda: str(2**53 + random.randint(1, 2**20)),
            lambda: "-" + digits(30),
            lambda: f"{digits(17)}.{digits(9)}",
            lambda: f"{random.randint(0, 999)}.{random.randint(0, 9)}{'0' * random.randint(1, 20)}",
            lambda: f"0.{'0' * random.randint(1, 40)}{digits(30)}",
            lambda: random.choice(["-0", "-0.0", "0.000", "1e-320", "-1E-323", "1e5", "1.50E+2", "1e308", "-0e0"]),
            lambda: f"{digits(1)}.{digits(25)}{random.choice('eE')}{random.choice(['', '+', '-'])}{random.randint(0, 300)}",
        ]
    )()


random.seed(int(sys.argv[2]))
connection = pika.BlockingConnection(pika.URLParameters(os.environ["RABBITMQ_URL"]))
channel = connection.channel()
for _ in range(int(sys.argv[1])):
    sent = number()
    event = {
        "eventType": "invoice.paid",
        "userId": "user-1",
        "tenantId": 42,
        "entityType": "invoice",
        "entityId": "invoice-2025-0042",
        "timestamp": datetime.now(timezone.utc).isoformat(),
    }
    # Written into the text, as a float of Python would change it.
    body = json.dumps(event)[:-1] + f', "changes": {{"amount": {sent}}}}}'
    properties = pika.BasicProperties(message_id=str(uuid.uuid4()), content_type="application/json", delivery_mode=2)
    channel.basic_publish("audit", "audit.track", body.encode(), properties)
    print(properties.message_id, sent)
connection.close()
