package exampleapp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Serve serves the shop until the program is asked to end, by Ctrl+C or by
// SIGTERM, and then until the requests that are running have their answer.
// It prints its address, and store, which is where the sessions are.
func Serve(addr, store string, handler http.Handler) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	fmt.Printf("The tea shop is open: http://%s\n", visible(listener.Addr()))
	fmt.Printf("Sessions are kept in: %s. Ctrl+C ends the program.\n", store)

	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	stop() // from now on a second Ctrl+C ends the program at once
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		return fmt.Errorf("requests were still running: %w", errors.Join(err, server.Close()))
	}
	fmt.Println("The tea shop is closed.")
	return nil
}

// visible returns an address that a browser on this machine can open.
func visible(addr net.Addr) string {
	tcp, ok := addr.(*net.TCPAddr)
	if ok && tcp.IP.IsUnspecified() {
		return fmt.Sprintf("localhost:%d", tcp.Port)
	}
	return addr.String()
}
