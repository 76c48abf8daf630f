package mongobackend

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/go-session2/sessions/backend"
)

// flask is the layout of Flask-Session2 and Flask-Session: _id is MongoDB's.
var flask = layout{id: "id", data: "val", expires: "expiration", endless: true}

var _ backend.FlaskStore = (*Backend)(nil)

// FlaskLayout implements [backend.FlaskStore]. The documents are the same for
// both extensions; they differ in the format.
func (b *Backend) FlaskLayout() (backend.FlaskLayout, backend.FlaskFormat) {
	switch b.flask {
	case backend.FlaskSession2:
		return b.flask, backend.FlaskPickle
	case backend.FlaskSession:
		return b.flask, backend.FlaskMsgpack
	}
	return backend.NoFlask, ""
}

// FlaskSchema returns the indexes that a collection in the layout of Flask
// needs: the one by which MongoDB removes what has expired, which Flask-Session
// makes as well, and one that lets a key have one document. In the shell of
// MongoDB they are
//
//	db.sessions.createIndex({expiration: 1}, {expireAfterSeconds: 0})
//	db.sessions.createIndex({id: 1}, {unique: true})
//
// The second is refused while a key has two documents, and in a collection
// that is sharded by another field or by a hash.
func FlaskSchema() []mongo.IndexModel {
	return []mongo.IndexModel{
		{Keys: bson.D{{Key: flask.expires, Value: 1}}, Options: options.Index().SetExpireAfterSeconds(0)},
		{Keys: bson.D{{Key: flask.id, Value: 1}}, Options: options.Index().SetUnique(true)},
	}
}

// upsert stores a record under a key that is not in use, by Flask's own
// command, as without a unique index an insertOne would not notice that it is.
func (b *Backend) upsert(ctx context.Context, key string, data []byte, expires time.Time) (done bool, err error) {
	change := bson.D{{Key: "$setOnInsert", Value: b.values(data, expires)}}
	res, err := b.coll.UpdateOne(ctx, b.only(key), change, options.UpdateOne().SetUpsert(true))
	return err == nil && res.UpsertedCount > 0, err
}

// first returns the document under key that Flask finds, which is the first.
//
// Without a unique index, Flask can store two when it stores a session for the
// first time in two requests at once. It reads and changes the first only, and
// the second comes to light when that is deleted: so a logout would bring a
// session back. Therefore the others are removed.
func (b *Backend) first(ctx context.Context, key string) (bson.Raw, error) {
	cursor, err := b.coll.Find(ctx, b.only(key), options.Find().SetLimit(2))
	if err != nil {
		return nil, err
	}
	var docs []bson.Raw
	if err := cursor.All(ctx, &docs); err != nil {
		return nil, err
	}
	if len(docs) == 0 {
		return nil, mongo.ErrNoDocuments
	}
	if len(docs) > 1 {
		other := bson.E{Key: "_id", Value: bson.D{{Key: "$ne", Value: docs[0].Lookup("_id")}}}
		if _, err := b.coll.DeleteMany(ctx, append(b.only(key), other)); err != nil {
			return nil, err
		}
	}
	return docs[0], nil
}
