package cdn

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestBudget_Bounds(t *testing.T) {
	var b budget
	b.giveBack(0) // a full one stays full
	b.giveBack(timeoutCost)
	taken := 0
	for ; taken < 1000; taken++ {
		if _, ok := b.take(false); !ok {
			break
		}
	}
	require.Equal(t, budgetSize/retryCost, taken)
	for range retryCost - 1 {
		b.giveBack(0)
		_, ok := b.take(false)
		require.False(t, ok)
	}
	b.giveBack(0) // each success has given one
	cost, ok := b.take(false)
	require.True(t, ok)
	require.Equal(t, retryCost, cost)

	b.giveBack(retryCost) // of a success after a retry
	_, ok = b.take(true)
	require.False(t, ok, "a time-out costs more")
	b.giveBack(retryCost)
	cost, ok = b.take(true)
	require.True(t, ok)
	require.Equal(t, timeoutCost, cost)
}

func TestClock_BelievesMoreThanAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sent := time.Now()
		var c clock
		require.False(t, c.correct(time.Time{}, sent), "no date")
		require.False(t, c.correct(sent.Add(minSkew), sent))
		require.False(t, c.correct(sent.Add(-minSkew), sent))
		require.Equal(t, sent, c.now())
		require.True(t, c.correct(sent.Add(-minSkew-time.Second), sent))
		require.Equal(t, sent.Add(-minSkew-time.Second), c.now())
		require.True(t, c.correct(sent.Add(time.Hour), sent))
		require.Equal(t, sent.Add(time.Hour), c.now())
	})
}

func TestOneLine(t *testing.T) {
	long := strings.Repeat("ä", 400)
	for text, want := range map[string]string{
		"a\r\n\tb\x00 c\u2028d": "a b c d", " ": "", long: long, long + "b": long + "…", "例え": "例え",
	} {
		require.Equal(t, want, oneLine(text))
	}
}

// TestRetrier_BackoffGrowsAndIsBounded takes more waits than a call has.
func TestRetrier_BackoffGrowsAndIsBounded(t *testing.T) {
	var r retrier
	step := firstWait
	for range 20 {
		wait := r.nextBackoff()
		require.GreaterOrEqual(t, wait, min(step/2, maxWait/2))
		require.LessOrEqual(t, wait, min(step*3/2, maxWait))
		step = min(2*step, maxWait)
	}
}

func TestDecodeElement_IsOneDocument(t *testing.T) {
	for body, want := range map[string]bool{
		"<A/>": true, "<A></A>\n": true, "<?xml version='1.0'?><!-- c --><A/><!-- c -->": true,
		"<A/><A/>": false, "<A/>text": false, "text<A/>": false, "<A>": false, "": false, "<!-- c -->": false, "<A/><B>": false, "<A></B>": false,
	} {
		var value struct{}
		root, err := decodeElement([]byte(body), &value)
		require.Equal(t, want, err == nil, body)
		if want {
			require.Equal(t, "A", root)
		}
	}
}
