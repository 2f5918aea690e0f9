package cli

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
)

// usageError is a command line that can't be meant.
type usageError struct{ error }

// Usagef returns an error that [Exit] takes for wrong usage.
func Usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// Parse parses args as flags are parsed, but prints nothing after a mistake: [Exit] does, in one line. After -h it prints the
// usage to stdout and returns flag.ErrHelp. The flag set must be one of flag.ContinueOnError.
func Parse(flags *flag.FlagSet, args []string, stdout io.Writer) error {
	flags.SetOutput(io.Discard)
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		flags.SetOutput(stdout)
		flags.Usage()
		return flag.ErrHelp
	case err != nil:
		return usageError{err}
	}
	return nil
}

// Exit returns a program's exit status for the error that it ended with, and reports that in one line: 0 for none and for -h, 2
// for wrong usage, 1 for anything else.
func Exit(program string, stderr io.Writer, err error) int {
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return 0
	}
	line := program + ": " + strings.ReplaceAll(err.Error(), "\n", "; ")
	if _, ok := errors.AsType[usageError](err); ok {
		_, _ = fmt.Fprintf(stderr, "%s (%s -h shows the usage)\n", line, program) // there is no one else to tell
		return 2
	}
	_, _ = fmt.Fprintln(stderr, line) // same
	return 1
}
