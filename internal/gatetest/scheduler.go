package gatetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-session2/sessions/backend"
)

// A scheduler lets tasks go on one at a time.
type scheduler struct {
	choose   func(n int) int
	patience time.Duration // after which a task that does not stop is left alone
	tasks    []*task
	stops    chan *task
	turns    map[turn][]*task // who merges, and who waits for that
	trace    []string
}

// A turn is what requests of one session take to merge after a conflict. The
// scheduler has to know who waits for it.
type turn struct {
	process int
	key     string
}

// A task is a goroutine under a scheduler.
type task struct {
	s      *scheduler
	name   string
	resume chan struct{}
	where  string // it stands, for the trace
	state  taskState

	takes   *turn // it is about to take
	has     *turn // or waits for
	between bool  // it stands between two steps and has no turn
	ended   bool
}

type taskState int

const (
	running taskState = iota
	stopped
	waiting // for its turn
)

func newScheduler(choose func(int) int, patience time.Duration) *scheduler {
	return &scheduler{choose: choose, patience: patience, stops: make(chan *task), turns: make(map[turn][]*task)}
}

// spawn adds a task, which begins when run lets it.
func (s *scheduler) spawn(name string, body func(*task)) {
	t := &task{s: s, name: name, resume: make(chan struct{}), state: running}
	s.tasks = append(s.tasks, t)
	go func() {
		t.stop("begins", true)
		body(t)
		t.ended, t.between, t.where = true, true, "has ended"
		s.stops <- t
	}()
}

// stop waits until the scheduler lets the task go on.
func (t *task) stop(where string, between bool) {
	t.where, t.between = where, between
	t.s.stops <- t
	<-t.resume
}

// run runs the tasks to their ends.
func (s *scheduler) run() error {
	s.settle()
	for {
		var ready []*task
		left := 0
		for _, t := range s.tasks {
			// Only of a task that has stopped may anything be read.
			if t.state != stopped || !t.ended {
				left++
				if t.state == stopped {
					ready = append(ready, t)
				}
			}
		}
		switch {
		case left == 0:
			return nil
		case len(ready) == 0:
			select {
			case t := <-s.stops:
				s.stopped(t)
			case <-time.After(time.Minute):
				return errors.New("the requests wait for one another")
			}
		default:
			t := ready[s.choose(len(ready))]
			s.trace = append(s.trace, t.name+" "+t.where)
			t.state = running
			if t.takes != nil {
				s.queue(t)
			}
			t.resume <- struct{}{}
		}
		s.settle()
	}
}

// settle waits until no task runs that is not known to wait.
func (s *scheduler) settle() {
	timer := time.NewTimer(s.patience)
	defer timer.Stop()
	for slices.ContainsFunc(s.tasks, func(t *task) bool { return t.state == running }) {
		select {
		case t := <-s.stops:
			s.stopped(t)
		case <-timer.C:
			return
		}
	}
}

func (s *scheduler) stopped(t *task) {
	t.state = stopped
	if t.has == nil || !t.between {
		return
	}
	k := *t.has
	t.has = nil
	list := slices.DeleteFunc(s.turns[k], func(o *task) bool { return o == t })
	s.turns[k] = list
	if len(list) > 0 && list[0].state == waiting {
		list[0].state = running
	}
}

// queue is for a task that is about to take its turn.
func (s *scheduler) queue(t *task) {
	if t.has == nil {
		t.has = t.takes
		s.turns[*t.has] = append(s.turns[*t.has], t)
		if s.turns[*t.has][0] != t {
			t.state = waiting
		}
	}
	t.takes = nil
}

func (s *scheduler) String() string { return strings.Join(s.trace, "\n  ") }

// A store is a Backend whose callers stop before and after each command, if
// they are requests of a schedule.
type store struct {
	backend.Backend
	process int

	mu   *sync.Mutex
	keys map[string]bool // that were ever created
}

type taskKey struct{}

// gate runs a command of a request.
func (b store) gate(ctx context.Context, op, key string, command func() error) {
	r, ok := ctx.Value(taskKey{}).(*request)
	if !ok {
		_ = command()
		return
	}
	r.task.stop("asks the store to "+op, false)
	err := command()
	if errors.Is(err, backend.ErrConflict) && r.doing != destroy {
		r.task.takes = &turn{b.process, key}
	}
	outcome := "done"
	if err != nil {
		outcome = err.Error()
	}
	r.task.stop(fmt.Sprintf("gets the reply to its %s: %s", op, outcome), false)
}

func (b store) Load(ctx context.Context, key string) (rec backend.Record, err error) {
	b.gate(ctx, "load", key, func() error { rec, err = b.Backend.Load(ctx, key); return err })
	return rec, err
}

func (b store) Create(ctx context.Context, key string, data []byte, ttl time.Duration) (rev backend.Revision, err error) {
	b.mu.Lock()
	b.keys[key] = true
	b.mu.Unlock()
	b.gate(ctx, "create", key, func() error { rev, err = b.Backend.Create(ctx, key, data, ttl); return err })
	return rev, err
}

func (b store) Update(ctx context.Context, key string, data []byte, ttl time.Duration, base backend.Revision) (rev backend.Revision, err error) {
	b.gate(ctx, "update", key, func() error { rev, err = b.Backend.Update(ctx, key, data, ttl, base); return err })
	return rev, err
}

func (b store) Touch(ctx context.Context, key string, ttl time.Duration) (err error) {
	b.gate(ctx, "touch", key, func() error { err = b.Backend.Touch(ctx, key, ttl); return err })
	return err
}

func (b store) Delete(ctx context.Context, key string, base backend.Revision) (err error) {
	b.gate(ctx, "delete", key, func() error { err = b.Backend.Delete(ctx, key, base); return err })
	return err
}
