// Package docs has no code. Its folder holds the documents, and the tests that
// compile and run what the documents show.
package docs
