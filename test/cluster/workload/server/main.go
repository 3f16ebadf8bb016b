// Command server is the application that tests deploy: its error rate, latency, crashes and use of CPU are settable by the
// environment (so that two templates differ) and at run time, pod by pod, by POST /_control on port 8081.
package main

import (
	"context"
	"errors"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

const (
	requestAddress = ":8080"
	controlAddress = ":8081"
)

func main() {
	state := newBehaviour()
	metrics := newMetrics()
	started := time.Now()

	requests := http.NewServeMux()
	requests.HandleFunc("GET /healthz", healthHandler(started))
	requests.HandleFunc("GET /metrics", metrics.serve)
	requests.Handle("/", userHandler(state, metrics))
	var draining drain
	server := &http.Server{Addr: requestAddress, Handler: draining.wrap(requests)}
	control := http.NewServeMux()
	control.HandleFunc("/_control", state.serveControl)

	go mustServe(&http.Server{Addr: controlAddress, Handler: control})
	go mustServe(server)
	crashAfter(milliseconds("CRASH_AFTER_MS", 0))
	waitForEnd(server, &draining)
}

// mustServe ends the program when an address cannot be served.
func mustServe(server *http.Server) {
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
}

// crashAfter ends the program with an error after the given time; 0 is never.
func crashAfter(after time.Duration) {
	if after > 0 {
		time.AfterFunc(after, func() { log.Fatal("CRASH_AFTER_MS has passed") })
	}
}

// waitForEnd drains on SIGTERM: for DRAIN_MS everything is answered, each answer asks the client to close its connection;
// then the idle connections are closed. Gateways hear of the pod's end meanwhile, so that no request is lost.
func waitForEnd(server *http.Server, draining *drain) {
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM, syscall.SIGINT)
	<-ended
	draining.begin()
	time.Sleep(milliseconds("DRAIN_MS", 5000))
	limit, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := server.Shutdown(limit); err != nil {
		log.Print(err)
	}
}
