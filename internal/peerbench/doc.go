// Command peerbench measures this library, Alibaba's SDKs and net/http alone in
// one run, in turn, so that other work of the machine slows all of them alike.
// Run it in its folder:
//
//	go run .                  prints the tables
//	go run . -docs ../../docs writes them to comparison.md there, and the chart to comparison.svg
//	go run . -short           measures little, to check that everything runs
//	go run ./weight           measures downloads, binaries and builds; see there
//
// The service is another process on loopback, so time and memory are the
// client's alone. Time is CPU time, user and system, from getrusage, which does
// not count waiting. Each figure is the median of the rounds; a ratio is the
// median of the rounds' ratios.
package main
