package main

import (
	"math/rand/v2"
	"net/http"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
)

// drain makes every answer ask for the connection to be closed once the pod has begun to end.
type drain struct{ begun atomic.Bool }

func (d *drain) begin() { d.begun.Store(true) }

func (d *drain) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if d.begun.Load() {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

// healthHandler is the readiness check: it fails before READY_AFTER_MS and, with NEVER_READY, always. It does not fail while
// the pod drains: being deleted takes a pod out of its Services.
func healthHandler(started time.Time) http.HandlerFunc {
	readyAfter := milliseconds("READY_AFTER_MS", 0)
	never := os.Getenv("NEVER_READY")
	return func(w http.ResponseWriter, _ *http.Request) {
		if (never != "" && never != "0" && never != "false") || time.Since(started) < readyAfter {
			http.Error(w, "not ready", http.StatusServiceUnavailable)
		}
	}
}

// userHandler answers everything that is not a health check: what users of the application would ask for.
func userHandler(state *behaviour, metrics *metrics) http.Handler {
	version := os.Getenv("VERSION")
	if version == "" {
		version = "unknown"
	}
	pod, _ := os.Hostname()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		now := state.get()
		burn(time.Duration(now.CPUMsPerRequest * float64(time.Millisecond)))
		metrics.call(now.CallsPerRequest)
		latencyMs := now.LatencyMs
		if rand.Float64() < now.SlowShare {
			latencyMs += now.SlowMs
		}
		time.Sleep(time.Duration(latencyMs * float64(time.Millisecond)))
		code := http.StatusOK
		if rand.Float64() < now.ErrorRate {
			code = http.StatusInternalServerError
		}
		w.Header().Set("X-Version", version)
		w.Header().Set("X-Pod", pod)
		metrics.observe(code, r.Method, time.Since(began))
		w.WriteHeader(code)
		_, _ = w.Write([]byte(http.StatusText(code) + "\n"))
	})
}

// burn uses the given time of a CPU: time of the thread and not of the clock, so that a busy machine burns no less.
func burn(amount time.Duration) {
	if amount <= 0 {
		return
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for end := threadTime() + amount; threadTime() < end; {
		for i := 0; i < 1000; i++ {
			_ = i
		}
	}
}

func threadTime() time.Duration {
	const ofThread = 1 // RUSAGE_THREAD
	var usage syscall.Rusage
	_ = syscall.Getrusage(ofThread, &usage)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
