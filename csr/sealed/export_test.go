package sealed

// The kinds of failures, for the tests of package sealed_test.
var (
	ErrPlaintext = errPlaintext
	ErrOtherKey  = errOtherKey
	ErrNotSealed = errNotSealed
	ErrNoKey     = errNoKey
	ErrAltered   = errAltered
)

// AssociatedData is what a key of that name is sealed with.
func AssociatedData(pubMd5 string) []byte { return associatedData(pubMd5) }
