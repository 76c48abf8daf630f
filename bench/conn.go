package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
)

// A conn is one keep-alive connection that sends requests and reads responses
// with as little work as possible.
type conn struct {
	net.Conn
	r *bufio.Reader
}

func dial(addr string) (*conn, error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return &conn{c, bufio.NewReaderSize(c, 4096)}, nil
}

// request returns a GET request.
func request(path, cookie string) []byte {
	text := "GET " + path + " HTTP/1.1\r\nHost: bench\r\n"
	if cookie != "" {
		text += "Cookie: " + cookie + "\r\n"
	}
	return []byte(text + "\r\n")
}

var errResponse = errors.New("the response is not a 200 with a Content-Length")

// A response is what the checks look at.
type response struct {
	cookie string // name=value; "" when none was set
	body   string
}

var (
	statusOK      = []byte("HTTP/1.1 200")
	contentLength = []byte("content-length:")
	setCookie     = []byte("set-cookie:")
)

// do sends a request and reads the response; what nobody asks for, with a nil
// res, is skipped.
func (c *conn) do(req []byte, res *response) error {
	if _, err := c.Write(req); err != nil {
		return err
	}
	line, err := c.r.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(line, statusOK) {
		return fmt.Errorf("%w: %q", errResponse, line)
	}
	length := -1
	for {
		line, err := c.r.ReadSlice('\n')
		if err != nil {
			return err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		if hasPrefixFold(line, contentLength) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(line[len(contentLength):]))); err != nil {
				return errResponse
			}
		} else if res != nil && hasPrefixFold(line, setCookie) {
			text, _, _ := strings.Cut(string(line[len(setCookie):]), ";")
			res.cookie = strings.TrimSpace(text)
		}
	}
	if length < 0 {
		return errResponse
	}
	if res == nil {
		_, err = c.r.Discard(length)
		return err
	}
	body := make([]byte, length)
	_, err = io.ReadFull(c.r, body)
	res.body = string(body)
	return err
}

func hasPrefixFold(line, prefix []byte) bool {
	return len(line) >= len(prefix) && bytes.EqualFold(line[:len(prefix)], prefix)
}

// makeSessions asks for a page n times over a few connections, each time
// without a cookie, and returns the cookies that were set.
func makeSessions(addr, path string, n int) ([]string, error) {
	const parallel = 8
	cookies := make([]string, n)
	errs := make([]error, parallel)
	req := request(path, "")
	var wg sync.WaitGroup
	for worker := range parallel {
		wg.Go(func() {
			c, err := dial(addr)
			if err != nil {
				errs[worker] = err
				return
			}
			defer c.Close()
			for i := worker; i < n && err == nil; i += parallel {
				var res response
				if err = c.do(req, &res); err == nil && res.cookie == "" {
					err = errors.New("no cookie was set")
				}
				cookies[i] = res.cookie
			}
			errs[worker] = err
		})
	}
	wg.Wait()
	return cookies, errors.Join(errs...)
}
