package main

import (
	"errors"
	"fmt"
	"os"
)

// check runs every contender, with its store in memory and, when there is an
// address, with Redis, and looks whether all scenarios do what they say: a
// library that loses a write is fast.
func check(redisAddr string) error {
	places := []place{{}}
	if redisAddr != "" {
		places = append(places, place{redis: redisAddr, prefix: newPrefix("check")})
	}
	var errs []error
	for _, p := range places {
		for _, c := range contenders {
			if err := c.check(p); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", c.name, err))
			}
		}
		if p.redis != "" {
			errs = append(errs, removeKeys(p))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "all %d contenders do what the scenarios say, in %d store(s)\n", len(contenders), len(places))
	return nil
}

func (c contender) check(p place) error {
	a, err := c.build(p)
	if err != nil {
		return err
	}
	defer a.close()
	l, err := a.listen()
	if err != nil {
		return err
	}
	defer l.Close()
	client, err := dial(l.Addr().String())
	if err != nil {
		return err
	}
	defer client.Close()

	v := visitor{c: client}
	v.want("/untouched", nothing)
	if c.floor {
		return v.err
	}
	v = visitor{c: client}
	v.want("/seed", nothing)
	if v.err == nil && v.cookie == "" {
		return errors.New("a new session has no cookie")
	}
	v.want("/untouched", nothing)
	v.want("/read", readValue)
	for i := range 12 {
		v.want("/write", fmt.Sprint(i+1))
	}
	v.want("/read", readValue)

	big := visitor{c: client, err: v.err}
	big.want("/seedbig", nothing)
	big.want("/read", readValue)
	big.want("/write", "1")

	fresh := visitor{c: client, err: big.err}
	fresh.want("/create", nothing)
	if fresh.err == nil && (fresh.cookie == "" || fresh.cookie == v.cookie) {
		return errors.New("create made no session of its own")
	}
	fresh.want("/write", "1") // in the same session: it has no count yet
	fresh.want("/write", "2")
	v.err = fresh.err
	v.want("/write", "13") // and this one was left alone
	return v.err
}

// A visitor is a browser with one cookie. It stops at the first error.
type visitor struct {
	c      *conn
	cookie string
	err    error
}

func (v *visitor) want(path, body string) {
	if v.err != nil {
		return
	}
	var res response
	if err := v.c.do(request(path, v.cookie), &res); err != nil {
		v.err = fmt.Errorf("%s: %w", path, err)
		return
	}
	if res.cookie != "" {
		v.cookie = res.cookie
	}
	if res.body != body {
		v.err = fmt.Errorf("%s answers %.60q instead of %.60q", path, res.body, body)
	}
}
