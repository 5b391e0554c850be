// Package moving carries users, passwords and live tokens from a Django user
// base into a store, tells beforehand what will come over, and carries them
// back. It works in batches, so that memory does not grow with the number of
// rows, and each batch is on the disk together with its place.
package moving
