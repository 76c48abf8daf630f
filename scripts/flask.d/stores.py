"""Configures an application of Flask from environment variables.

Their names are those of the settings. Where a setting takes a client, the
variable has the address, from which the client is made.
"""

import os

FLAGS = ("SESSION_PERMANENT", "SESSION_USE_SIGNER", "SESSION_REFRESH_EACH_REQUEST")
NUMBERS = ("PERMANENT_SESSION_LIFETIME", "SESSION_FILE_THRESHOLD", "SESSION_ID_LENGTH")
TEXTS = (
    "SECRET_KEY",
    "SESSION_TYPE",
    "SESSION_KEY_PREFIX",
    "SESSION_COOKIE_NAME",
    "SESSION_SERIALIZATION_FORMAT",
    "SESSION_FILE_DIR",
    "SESSION_MONGODB_DB",
    "SESSION_MONGODB_COLLECT",
    "SESSION_SQLALCHEMY_TABLE",
    "SESSION_PEEWEE_TABLE",
    "SESSION_ELASTICSEARCH_HOST",
    "SESSION_ELASTICSEARCH_INDEX",
    "SESSION_FIRESTORE_COLLECT",
    "SESSION_DYNAMODB_ENDPOINT",
    "SESSION_DYNAMODB_TABLE",
    "SESSION_DYNAMODB_KEY_ID",
    "SESSION_DYNAMODB_SECRET",
    "SESSION_DYNAMODB_REGION",
    "SQLALCHEMY_DATABASE_URI",
)


def configure(app):
    """Puts the settings into app.config."""
    for name, value in os.environ.items():
        if name in FLAGS:
            app.config[name] = value == "true"
        elif name in NUMBERS:
            app.config[name] = int(value)
        elif name in TEXTS:
            app.config[name] = value
        elif name in CLIENTS:
            CLIENTS[name](app, value)


def redis(app, url):
    from redis import Redis

    app.config["SESSION_REDIS"] = Redis.from_url(url)


def memcached(app, address):
    from pymemcache import PooledClient

    # Without no_delay the kernel holds back a set until the next command;
    # with noreply that is the next request, and nobody waits for the answer.
    app.config["SESSION_MEMCACHED"] = PooledClient(address, default_noreply=False, no_delay=True)


def cachelib(app, path):
    from cachelib.file import FileSystemCache

    app.config["SESSION_CACHELIB"] = FileSystemCache(path, threshold=500)


def mongodb(app, url):
    from pymongo import MongoClient

    app.config["SESSION_MONGODB"] = MongoClient(url)


def peewee(app, url):
    from playhouse.db_url import connect, schemes, parseresult_to_dict
    from urllib.parse import urlparse

    parts = urlparse(url)
    app.config["SESSION_PEEWEE_CONFIG"] = parseresult_to_dict(parts)
    app.config["SESSION_DB_CLASS"] = schemes[parts.scheme]
    app.config["SESSION_DB"] = connect(url)


def firestore(app, project):
    from google.cloud import firestore_v1

    import flask_session.sessions

    # Flask-Session2 uses the name without importing it.
    flask_session.sessions.firestore = firestore_v1
    app.config["SESSION_FIRESTORE"] = firestore_v1.Client(project)


def dynamodb(app, endpoint):
    from boto3 import resource

    app.config["SESSION_DYNAMODB"] = resource(
        "dynamodb",
        endpoint_url=endpoint,
        region_name=os.environ["AWS_DEFAULT_REGION"],
    )


CLIENTS = {
    "SESSION_REDIS": redis,
    "SESSION_MEMCACHED": memcached,
    "SESSION_CACHELIB": cachelib,
    "SESSION_MONGODB": mongodb,
    "SESSION_PEEWEE": peewee,
    "SESSION_FIRESTORE": firestore,
    "SESSION_DYNAMODB": dynamodb,
}
