// Package gatetest checks that sessions stay correct when many requests use
// them at once, on any store: that a session which has ended does not come
// back (G1), that no change is lost (G2), that an Update counts exactly (G3),
// that no ID is ever adopted (G4), and that requests which end a session race
// correctly with others (C10 to C12).
//
// # Schedules
//
// A schedule is a handful of requests, each with a script of what its handler
// does: read, set, delete, update, clear, save, regenerate, destroy. Each runs
// in a goroutine of its own but only when the scheduler lets it: requests stop
// before every step of their script and before and after every command to the
// store, and one at a time is let go on. So a reply of the store can be late,
// a response can reach the browser long after it was made, and every
// interleaving has its chance. Which one goes next is chosen by a seeded
// generator, or by a search through all choices when there are few.
//
// # Model
//
// What the requests did and saw is a history of operations with the times of
// their calls and returns, which has to be linearizable: there is an order of
// the operations, in keeping with these times, in which a world of plain maps
// gives the same answers. The world is the live sessions by ID, each a map of
// numbers.
//
//   - A load returns the whole of a live session, or nothing.
//   - A save applies the request's own operations, in order, to the session as
//     it is then, and returns the result; when nothing is left the session is
//     dead. If the ID is dead it changes nothing, and the request is told. A
//     save that would not have changed what the request has loaded changes
//     nothing either.
//   - A regeneration does the same and moves the session to an ID that was
//     never used before; of an ID that is dead it does nothing and says so.
//   - A destruction ends the session, also one that moved in the same process
//     while the request ran. A request that has seen a session alive which
//     another process has moved is told that it is gone.
//   - A dead ID stays dead.
//
// Beyond the history it checks the response headers: at most one cookie, none
// for a change that was dropped, none of a session that another request had
// ended before, so that the browser's newer cookie survives; and the store: no
// record but those of the live sessions.
package gatetest
