package datastorebackend

// Schema returns the command of the Google Cloud CLI that an operator may run
// once for a kind: it has Datastore remove expired entities by itself,
// typically within a day. The backend works without it, and there is nothing
// else to create: the index on expires is one that Datastore keeps by default.
//
// https://cloud.google.com/sdk/gcloud/reference/firestore/fields/ttls/update
func Schema(kind string) []string {
	return native.schema(kind)
}

func (l layout) schema(kind string) []string {
	return []string{"gcloud firestore fields ttls update " + l.expires + " --collection-group=" + kind + " --enable-ttl"}
}
