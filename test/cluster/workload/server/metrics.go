package main

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

var bounds = []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

// labels of a series, as the usual client libraries have them.
type labels struct{ code, method string }

// series counts the requests of one pair of labels; it is born with the first of them, as in real client libraries.
type series struct {
	count   uint64
	sum     float64
	buckets []uint64
}

// metrics is the exposition of the application, written by hand: two families of requests, what the process uses and, where
// a request costs any, the calls of an API that has a price.
type metrics struct {
	mutex   sync.Mutex
	series  map[labels]*series
	calls   float64
	started time.Time
}

func newMetrics() *metrics {
	return &metrics{series: map[labels]*series{}, started: time.Now()}
}

func (m *metrics) observe(code int, method string, took time.Duration) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	key := labels{code: strconv.Itoa(code), method: method}
	one := m.series[key]
	if one == nil {
		one = &series{buckets: make([]uint64, len(bounds))}
		m.series[key] = one
	}
	one.count++
	one.sum += took.Seconds()
	for i, bound := range bounds {
		if took.Seconds() <= bound {
			one.buckets[i]++
		}
	}
}

// call counts calls of the priced API; parts of one add up.
func (m *metrics) call(calls float64) {
	if calls <= 0 {
		return
	}
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.calls += calls
}

func (m *metrics) serve(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_, _ = w.Write([]byte(m.text()))
}

func (m *metrics) text() string {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	keys := make([]labels, 0, len(m.series))
	for key := range m.series {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b labels) int {
		return cmp.Or(cmp.Compare(a.code, b.code), cmp.Compare(a.method, b.method))
	})
	var out strings.Builder
	m.writeCounters(&out, keys)
	m.writeHistogram(&out, keys)
	m.writeCalls(&out)
	writeUse(&out)
	fmt.Fprintf(&out, "# HELP process_start_time_seconds Start time of the process since unix epoch in seconds.\n")
	fmt.Fprintf(&out, "# TYPE process_start_time_seconds gauge\n")
	fmt.Fprintf(&out, "process_start_time_seconds %.3f\n", float64(m.started.UnixMilli())/1000)
	return out.String()
}

func (m *metrics) writeCounters(out *strings.Builder, keys []labels) {
	if len(keys) == 0 {
		return
	}
	fmt.Fprintf(out, "# HELP http_requests_total Requests of users.\n# TYPE http_requests_total counter\n")
	for _, key := range keys {
		fmt.Fprintf(out, "http_requests_total{code=%q,method=%q} %d\n", key.code, key.method, m.series[key].count)
	}
}

func (m *metrics) writeCalls(out *strings.Builder) {
	if m.calls == 0 {
		return
	}
	fmt.Fprintf(out, "# HELP priced_calls_total Calls of an API that has a price.\n# TYPE priced_calls_total counter\n")
	fmt.Fprintf(out, "priced_calls_total %g\n", m.calls)
}

func (m *metrics) writeHistogram(out *strings.Builder, keys []labels) {
	if len(keys) == 0 {
		return
	}
	const name = "http_request_duration_seconds"
	fmt.Fprintf(out, "# HELP %s Time to answer requests of users.\n# TYPE %s histogram\n", name, name)
	for _, key := range keys {
		one := m.series[key]
		set := fmt.Sprintf("code=%q,method=%q", key.code, key.method)
		for i, bound := range bounds {
			fmt.Fprintf(out, "%s_bucket{%s,le=\"%s\"} %d\n", name, set, strconv.FormatFloat(bound, 'g', -1, 64), one.buckets[i])
		}
		fmt.Fprintf(out, "%s_bucket{%s,le=\"+Inf\"} %d\n", name, set, one.count)
		fmt.Fprintf(out, "%s_sum{%s} %g\n%s_count{%s} %d\n", name, set, one.sum, name, set, one.count)
	}
}
