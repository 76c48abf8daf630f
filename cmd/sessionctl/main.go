// Command sessionctl looks after the sessions in a store: it lists, shows and
// ends them, sweeps, counts, and copies them from one store to another. It is
// configured by the environment variables that configure the application: see
// docs/configuration.md and docs/sessionctl.md.
//
//	go run github.com/go-session2/sessions/cmd/sessionctl list
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/go-session2/sessions"
	_ "github.com/go-session2/sessions/backend/all"
)

// The exit codes.
const (
	exitOK       = 0
	exitFailed   = 1 // the store has failed, or something could not be done
	exitUsage    = 2 // the command line or the settings are wrong
	exitNotFound = 3 // there is no such session
)

// A command is one of those that the first argument names.
type command struct {
	name, args, help string
	min, max         int // arguments; a negative max sets no limit
	flags            func(*tool, *flag.FlagSet)
	run              func(context.Context, *tool, []string) error
}

var commands = []command{
	{name: "ping", help: "ask the store whether it answers", run: ping},
	{name: "list", help: "list the sessions", run: list, flags: listFlags},
	{name: "show", args: "HANDLE", help: "show one session; values only with -reveal", min: 1, max: 1, run: show, flags: showFlags},
	{name: "revoke", args: "HANDLE...", help: "end sessions", min: 1, max: -1, run: revoke},
	{name: "revoke-user", args: "PRINCIPAL", help: "end all sessions of a user", min: 1, max: 1, run: revokeUser},
	{name: "sweep", help: "remove the expired sessions from a store that does not do so itself", run: sweep},
	{name: "stats", help: "count the sessions", run: stats},
	{name: "copy", help: "copy the sessions into the store that TO_SESSION_* describes", run: copyAll, flags: copyFlags},
}

const usageHead = `usage: sessionctl COMMAND [FLAGS] [ARGUMENTS]

Looks after the sessions in the store that SESSION_TYPE and the other settings
in the environment describe, as the application has them. HANDLE is what list,
logs and events show, or a store key. No command shows an ID.

`

const usageTail = `
sessionctl COMMAND -h shows a command's flags.
Exit codes: 0 done, 1 failed, 2 wrong command line or settings, 3 no such session.
`

// errUsage: what is wrong was written already.
var errUsage = errors.New("usage")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run runs a command and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "-help" || args[0] == "--help" {
		out, code := stdout, exitOK
		if len(args) == 0 {
			out, code = stderr, exitUsage
		}
		usage(out)
		return code
	}
	for _, c := range commands {
		if c.name == args[0] {
			return c.start(ctx, args[1:], stdout, stderr)
		}
	}
	printf(stderr, "sessionctl: unknown command %q; sessionctl help lists them\n", args[0])
	return exitUsage
}

func usage(w io.Writer) {
	var b strings.Builder
	b.WriteString(usageHead)
	for _, c := range commands {
		fmt.Fprintf(&b, "  %-23s %s\n", c.name+" "+c.args, c.help)
	}
	b.WriteString(usageTail)
	_, _ = io.WriteString(w, b.String())
}

// start reads a command's flags, opens the store and runs it.
func (c *command) start(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	t := &tool{out: stdout, err: stderr}
	fs := flag.NewFlagSet(c.name, flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.Usage = func() {
		printf(fs.Output(), "usage: sessionctl %s\n\n%s\n\n", strings.TrimSpace(c.name+" [FLAGS] "+c.args), c.help)
		fs.PrintDefaults()
	}
	fs.BoolVar(&t.json, "json", false, "write JSON instead of a table")
	if c.flags != nil {
		c.flags(t, fs)
	}
	switch err := fs.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return exitOK
	case err != nil:
		return exitUsage
	case fs.NArg() < c.min || c.max >= 0 && fs.NArg() > c.max:
		fs.Usage()
		return exitUsage
	}
	err := t.open() //nolint:contextcheck // the Manager sweeps nothing
	if err == nil {
		err = c.run(ctx, t, fs.Args())
		err = errors.Join(err, t.close())
	}
	if err != nil {
		printf(stderr, "sessionctl: %v\n", err)
	}
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errUsage):
		return exitUsage
	case errors.Is(err, sessions.ErrGone):
		return exitNotFound
	}
	return exitFailed
}
