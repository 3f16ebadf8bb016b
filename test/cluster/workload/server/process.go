package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// writeUse tells what this process, which is alone in its pod, has used: the names that the usual client libraries have.
func writeUse(out *strings.Builder) {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err == nil {
		seconds := float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
		fmt.Fprintf(out, "# HELP process_cpu_seconds_total Total user and system CPU time spent in seconds.\n")
		fmt.Fprintf(out, "# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total %.6f\n", seconds)
	}
	if bytes, ok := residentBytes(); ok {
		fmt.Fprintf(out, "# HELP process_resident_memory_bytes Resident memory size in bytes.\n")
		fmt.Fprintf(out, "# TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes %d\n", bytes)
	}
}

// residentBytes reads the second field of /proc/self/statm, which counts pages.
func residentBytes() (int, bool) {
	content, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, false
	}
	fields := strings.Fields(string(content))
	if len(fields) < 2 {
		return 0, false
	}
	pages, err := strconv.Atoi(fields[1])
	return pages * os.Getpagesize(), err == nil
}
