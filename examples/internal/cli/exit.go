package cli

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"unicode"
)

// usageError marks an error as wrong usage.
type usageError struct{ error }

// Usagef returns an error that [Exit] reports as wrong usage. It formats like
// fmt.Errorf.
func Usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// Parse parses args with flags, which must use flag.ContinueOnError. For -h, it
// prints the usage to stdout and returns flag.ErrHelp. For wrong flags, it
// returns an error for [Exit] and prints nothing.
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

// OneLine returns text as one line: its line ends become "; ", and what can't be
// printed becomes a space, so that no text of another program can pass for a line
// of this one.
func OneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ReplaceAll(text, "\n", "; "))
}

// Exit prints err, if any, as one line on stderr, and returns the exit status:
// 0 if err is nil or flag.ErrHelp, 2 for wrong usage, and 1 for any other
// error.
func Exit(program string, stderr io.Writer, err error) int {
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return 0
	}
	line := program + ": " + OneLine(err.Error())
	if _, ok := errors.AsType[usageError](err); ok {
		_, _ = fmt.Fprintf(stderr, "%s (%s -h shows the usage)\n", line, program) // stderr is the last resort
		return 2
	}
	_, _ = fmt.Fprintln(stderr, line) // as above
	return 1
}
