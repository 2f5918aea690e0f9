package main

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"time"
)

// crowd is the number of goroutines that share one client, where many do.
const crowd = 64

// figures holds what one call of a contender costs, as medians of the rounds.
type figures struct {
	name        string
	base        string
	cpu         float64 // µs
	ratio       float64 // of cpu to the base's
	bothRatio   float64 // the same, including the service's CPU time
	wall        float64 // elapsed µs, of all goroutines together
	allocs      float64
	bytes       float64
	connections int // opened in all rounds
}

// A sample holds what one call cost in one round.
type sample struct{ cpu, service, wall, allocs, bytes float64 }

// A measuring compares contenders that call a service.
type measuring struct {
	contenders []contender
	calls      int // of each contender in each round
	goroutines int // that share the calls
	service    *server
}

// measure lets each contender in turn make its calls, in each of the rounds.
// Each round begins with another contender. A round before the first is not
// counted.
func (m measuring) measure(rounds int) ([]figures, error) {
	samples := make([][]sample, len(m.contenders))
	connections := make([]int, len(m.contenders))
	for round := -1; round < rounds; round++ {
		for i := range m.contenders {
			turn := (i + max(round, 0)) % len(m.contenders)
			s, opened, err := m.turn(m.contenders[turn])
			if err != nil {
				return nil, fmt.Errorf("%s: %w", m.contenders[turn].name, err)
			}
			connections[turn] += opened
			if round >= 0 {
				samples[turn] = append(samples[turn], s)
			}
		}
	}
	all := make([]figures, len(m.contenders))
	for i, c := range m.contenders {
		base := slices.IndexFunc(m.contenders, func(other contender) bool { return other.name == c.base })
		all[i] = summarize(samples[i], samples[base])
		all[i].name, all[i].base, all[i].connections = c.name, c.base, connections[i]
	}
	return all, nil
}

// turn makes a contender's calls of one round. It returns what one cost, and
// the number of connections that were opened.
func (m measuring) turn(c contender) (s sample, connections int, err error) {
	_, before, err := m.service.spent()
	if err != nil {
		return sample{}, 0, err
	}
	s, err = batch(c.do, m.calls, m.goroutines)
	if err != nil {
		return sample{}, 0, err
	}
	connections, after, err := m.service.spent()
	s.service = microseconds(after-before) / float64(m.calls)
	return s, connections, err
}

func microseconds(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }

// batch makes calls and returns what one of them cost.
func batch(do func() error, calls, goroutines int) (sample, error) {
	runtime.GC() // of what others left behind
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start, cpu := time.Now(), cpuTime()
	errs := make(chan error, goroutines)
	var group sync.WaitGroup
	for g := range goroutines {
		group.Go(func() {
			for range (calls + g) / goroutines {
				if err := do(); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	group.Wait()
	cpu, wall := cpuTime()-cpu, time.Since(start)
	runtime.ReadMemStats(&after)
	close(errs)
	n := float64(calls)
	return sample{
		cpu: microseconds(cpu) / n, wall: microseconds(wall) / n,
		allocs: float64(after.Mallocs-before.Mallocs) / n, bytes: float64(after.TotalAlloc-before.TotalAlloc) / n,
	}, <-errs
}

// cpuTime returns the CPU time of this process, user and system, of all
// threads.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err) // only for an invalid argument
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// summarize returns the medians of a contender's samples, and of their ratios
// to the base's samples of the same rounds.
func summarize(own, base []sample) figures {
	of := func(value func(i int) float64) float64 {
		values := make([]float64, len(own))
		for i := range own {
			values[i] = value(i)
		}
		return median(values)
	}
	both := func(s sample) float64 { return s.cpu + s.service }
	return figures{
		cpu:       of(func(i int) float64 { return own[i].cpu }),
		ratio:     of(func(i int) float64 { return own[i].cpu / base[i].cpu }),
		bothRatio: of(func(i int) float64 { return both(own[i]) / both(base[i]) }),
		wall:      of(func(i int) float64 { return own[i].wall }),
		allocs:    of(func(i int) float64 { return own[i].allocs }),
		bytes:     of(func(i int) float64 { return own[i].bytes }),
	}
}

// median sorts values, which must not be empty, and returns the middle one, or
// the mean of the middle two.
func median(values []float64) float64 {
	slices.Sort(values)
	half := len(values) / 2
	if len(values)%2 == 1 {
		return values[half]
	}
	return (values[half-1] + values[half]) / 2
}
