package firestorebackend

// Schema returns the commands of the Google Cloud CLI that an operator should
// run once for a collection. Firestore creates the collection itself with the
// first document, and the backend works without any of this.
//
// The first command takes data out of the automatic indexes, where it costs
// storage and time and serves nobody. The second has Firestore remove expired
// documents by itself, typically within a day.
//
// The automatic index on expires serves Sweep. As the values in it rise with
// time, it limits the collection to about 500 writes a second; who needs more
// adds --disable-indexes for expires, relies on the TTL policy, and does not
// sweep.
//
// https://cloud.google.com/sdk/gcloud/reference/firestore/indexes/fields/update,
// https://cloud.google.com/sdk/gcloud/reference/firestore/fields/ttls/update
func Schema(collection string) []string {
	return native.schema(collection)
}

func (l *layout) schema(collection string) []string {
	return []string{
		"gcloud firestore indexes fields update " + l.data + " --collection-group=" + collection + " --disable-indexes",
		"gcloud firestore fields ttls update " + l.expires + " --collection-group=" + collection + " --enable-ttl",
	}
}
