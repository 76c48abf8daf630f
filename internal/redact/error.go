package redact

// Error returns an error with another text than err, which is kept for
// errors.Is and errors.As: for an err whose own text quotes what is secret.
func Error(text string, err error) error { return &quietError{text: text, err: err} }

type quietError struct {
	text string
	err  error
}

func (e *quietError) Error() string { return e.text }
func (e *quietError) Unwrap() error { return e.err }
