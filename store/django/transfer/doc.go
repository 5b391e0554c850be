// Package transfer imports users, passwords and live tokens from a Django user base
// into a store, reports beforehand what will be imported, and exports them back. It
// works in batches, so that memory does not grow with the number of rows, and each
// batch is committed together with the import's checkpoint.
//
// Package core/transfer has the rules for what an import changes; package
// store/django/tables knows what Django's tables look like.
package transfer
