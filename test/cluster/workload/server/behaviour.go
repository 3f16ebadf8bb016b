package main

import (
	"encoding/json"
	"log"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"
)

// settings is what can be changed at run time. A field that a request to /_control leaves out stays as it is.
type settings struct {
	ErrorRate       float64 `json:"errorRate"`
	LatencyMs       float64 `json:"latencyMs"`
	SlowShare       float64 `json:"slowShare"`
	SlowMs          float64 `json:"slowMs"`
	CPUMsPerRequest float64 `json:"cpuMsPerRequest"`
	CallsPerRequest float64 `json:"callsPerRequest"`
	Crash           bool    `json:"crash"`
}

// behaviour guards the settings in force.
type behaviour struct {
	mutex   sync.RWMutex
	current settings
}

// newBehaviour reads the settings that the pod starts with from its environment.
func newBehaviour() *behaviour {
	return &behaviour{current: settings{
		ErrorRate:       number("ERROR_RATE", 0),
		LatencyMs:       number("LATENCY_MS", 0),
		SlowShare:       number("SLOW_SHARE", 0),
		SlowMs:          number("SLOW_MS", 0),
		CPUMsPerRequest: number("CPU_MS_PER_REQUEST", 0),
		CallsPerRequest: number("CALLS_PER_REQUEST", 0),
	}}
}

func (b *behaviour) get() settings {
	b.mutex.RLock()
	defer b.mutex.RUnlock()
	return b.current
}

// serveControl answers the settings in force, after those of a POST were taken over.
func (b *behaviour) serveControl(w http.ResponseWriter, r *http.Request) {
	next := b.get()
	if r.Method == http.MethodPost {
		if err := json.NewDecoder(r.Body).Decode(&next); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		b.mutex.Lock()
		b.current = next
		b.mutex.Unlock()
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(next)
	if next.Crash {
		time.AfterFunc(20*time.Millisecond, func() { log.Fatal("asked to crash") })
	}
}

// number reads a number from the environment; text that is none ends the program, so that a typing error is seen.
func number(name string, otherwise float64) float64 {
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		log.Fatalf("%s=%q is not a number", name, text)
	}
	return value
}

func milliseconds(name string, otherwise float64) time.Duration {
	return time.Duration(number(name, otherwise) * float64(time.Millisecond))
}
