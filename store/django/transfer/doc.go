// Package transfer imports users, passwords and live tokens from a Django user base
// into a store, reports beforehand what will be imported, and exports them back. It
// works in batches, so that memory does not grow with the number of rows, and each
// batch is committed together with the import's checkpoint.
//
// The rules of what an import changes are package core/transfer's; what Django's tables
// look like is package store/django/tables'.
package transfer
