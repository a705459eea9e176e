module github.com/lode-bpf/lode

go 1.24.0
