package main

import (
	"context"
	"time"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/wait"
	"github.com/authcompat/authcompat/core"
)

// disguiseEvery is how often it is counted how passwords are hashed.
const disguiseEvery = time.Hour

// disguise keeps up what names cost that do not exist, until ctx ends; at a store
// that does not know how passwords are hashed there is nothing to do.
func (e *engine) disguise(ctx context.Context, failed func(error)) {
	for e.disguises != nil {
		d, err := core.LoadDecoys(ctx, e.disguises, e.secret)
		if err == nil {
			e.passwords.Disguise(d)
		} else if ctx.Err() == nil {
			failed(err)
		}
		if !wait.For(ctx, disguiseEvery) {
			return
		}
	}
}
