package main

import (
	"context"
	"strconv"
	"time"

	"github.com/go-session2/sessions"
)

// counts is what stats shows.
type counts struct {
	Sessions   int        `json:"sessions"`
	SignedIn   int        `json:"signed_in"`
	Users      int        `json:"users"`
	Unreadable int        `json:"unreadable"`
	Bytes      int        `json:"bytes"`
	Largest    int        `json:"largest"`
	Oldest     *time.Time `json:"oldest,omitempty"`
	Hour       int        `json:"expire_within_hour"`
	Day        int        `json:"expire_within_day"`
}

func stats(ctx context.Context, t *tool, _ []string) error {
	var c counts
	users := make(map[string]bool)
	now := time.Now()
	err := t.each(ctx, func(_ string, i sessions.Info, err error) {
		c.Sessions++
		if err != nil {
			c.Unreadable++
			return
		}
		if user := i.Principal(); user != "" {
			c.SignedIn++
			users[user] = true
		}
		c.Bytes += i.Size()
		c.Largest = max(c.Largest, i.Size())
		if created := stamp(i.Created); created != nil && (c.Oldest == nil || created.Before(*c.Oldest)) {
			c.Oldest = created
		}
		if !i.Expires.IsZero() {
			if i.Expires.Before(now.Add(time.Hour)) {
				c.Hour++
			}
			if i.Expires.Before(now.Add(24 * time.Hour)) {
				c.Day++
			}
		}
	})
	if err != nil {
		return err
	}
	c.Users = len(users)
	return t.write(c,
		[]string{"sessions", strconv.Itoa(c.Sessions)},
		[]string{"signed in", strconv.Itoa(c.SignedIn)},
		[]string{"users", strconv.Itoa(c.Users)},
		[]string{"unreadable", strconv.Itoa(c.Unreadable)},
		[]string{"bytes", strconv.Itoa(c.Bytes)},
		[]string{"largest", strconv.Itoa(c.Largest)},
		[]string{"oldest", when(c.Oldest)},
		[]string{"expire within an hour", strconv.Itoa(c.Hour)},
		[]string{"expire within a day", strconv.Itoa(c.Day)},
	)
}
