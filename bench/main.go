// Command bench compares the library with others and measures how its costs
// grow. It writes docs/benchmarks.md.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	if err := realMain(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func realMain() error {
	redisAddr := flag.String("redis", os.Getenv("REDIS_ADDR"), "host:port")
	onlyCheck := flag.Bool("check", false, "check")
	name := flag.String("serve", "", "serve")
	prefix := flag.String("prefix", "", "")
	flag.Parse()
	if *name != "" {
		return serve(*name, place{*redisAddr, *prefix})
	}
	if *onlyCheck {
		return check(*redisAddr)
	}
	return nil
}
