// Package sessions gives Gin and Echo applications server-side sessions: the
// browser holds an unguessable ID in a cookie, the data stays in the store
// that the operator already runs.
//
//	r := gin.Default()
//	r.Use(ginsession.New(sessions.Config{Backend: redisbackend.New(client)}))
//	r.GET("/", func(c *gin.Context) {
//		n := sessions.Update(sessions.Default(c), "visits", func(n int) int { return n + 1 })
//		c.String(200, "visit %d", n)
//	})
//
// There is no Save call to forget: a session is loaded when it is first used
// and saved, if it was changed, just before the first byte of the response.
// A request that never uses its session costs the store nothing.
//
// # Concurrency
//
// Requests of one session may run in parallel. Each records what it does to
// which key; when another request has changed the session meanwhile, the
// changes are made again on the fresh data and the save is tried again. So
// requests that change different keys both win, an [Update] counts on the
// current value, and for two Sets of one key the later save wins. A session
// that was destroyed or regenerated stays so: requests still running under
// its old ID cannot bring it back.
//
// # Failure
//
// A response never claims what the store did not do. When the session could
// not be loaded or saved, the handler's response is replaced by that of
// Config.ErrorHandler, and no cookie is sent.
package sessions
