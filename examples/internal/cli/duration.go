package cli

import (
	"errors"
	"flag"
	"time"
)

// DurationVar defines a flag like the method of [flag.FlagSet]. The error for a
// wrong value says what is wanted.
func DurationVar(flags *flag.FlagSet, p *time.Duration, name string, value time.Duration, usage string) {
	*p = value
	flags.Var((*duration)(p), name, usage)
}

type duration time.Duration

func (d *duration) String() string { return time.Duration(*d).String() }

func (d *duration) Set(text string) error {
	value, err := time.ParseDuration(text)
	if err != nil {
		return errors.New("want a duration such as 90s, 10m or 12h")
	}
	*d = duration(value)
	return nil
}
