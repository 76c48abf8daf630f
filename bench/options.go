package main

import "time"

// Options say how thorough a run is.
type options struct {
	redis       string
	quick       bool
	rounds      int           // of each pair
	inProcess   time.Duration // of one run in process
	http        time.Duration // of one run over HTTP
	connections int
	sessions    int // seeded for the small scenarios
	bigSessions int // for the big one
	stored      []int
	soak        time.Duration
	dir         string // for files and databases; "" is the system's
}

// full takes less than 20 minutes on two cores, quick less than 3.
func full() options {
	return options{rounds: 5, inProcess: 60 * time.Millisecond, http: 600 * time.Millisecond, connections: 64,
		sessions: 10_000, bigSessions: 1000, stored: []int{1e3, 1e4, 1e5, 1e6}, soak: time.Minute}
}

func quick() options {
	return options{quick: true, rounds: 1, inProcess: 20 * time.Millisecond, http: 200 * time.Millisecond, connections: 64,
		sessions: 1000, bigSessions: 100, stored: []int{1e3, 1e4}, soak: 5 * time.Second}
}
