module serin.dev/test/cluster/workload

go 1.26.0
