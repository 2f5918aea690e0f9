// Command peerbench measures this library beside Alibaba's SDKs and the bare minimum, all in one run and in turn, so that
// whatever else the machine does slows each alike. From its folder:
//
//	go run .                  prints the tables
//	go run . -docs ../../docs writes them into comparison.md there, and the chart comparison.svg
//	go run . -short           measures little: a check that everything runs
//	go run ./weight           measures what each costs to have: see there
//
// The service is a process of its own on loopback that answers everything alike, so time and memory are the client's alone.
// Time is that of the CPU, user and system, from getrusage: it does not count waiting. Each figure is the median of the
// rounds; a ratio is the median of the rounds' ratios.
package main
